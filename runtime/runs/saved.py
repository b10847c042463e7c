"""Values of a checkpoint, read with what they have to be: a file may hold anything.

Whoever goes on from a state reads it through these, so what is read has been checked, and nothing
is said twice. What nobody reads is refused, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite, isnan
from typing import Any, TypeVar

import torch
from torch import Tensor

from ...compiler.diagnostics.diagnostic import DiagnosticError, fail
from ...compiler.diagnostics.text import printable, shortened
from ...compiler.documents.tree import described

T = TypeVar("T")
Shapes = Mapping[str, Sequence[int]]
"""Shapes of tensors by name."""
LARGEST = 2**53
"""A number above every count of a run."""
MOST_LISTED = 1_000_000
LONGEST_TEXT = 10_000
REMEDY = "remove it and begin again"


@dataclass(frozen=True)
class Saved:
    """A value of the checkpoint `file`, at a `place` such as `strategy.stages[0]`.

    What reads it raises DiagnosticError where it is something else. `places` are those that were
    read, of all values of the checkpoint.
    """

    content: Any
    file: str
    place: str = ""
    places: set[str] = field(default_factory=set[str], repr=False)

    # Inner values

    def at(self, key: str) -> Saved:
        """The value of a key."""
        content = self._content(dict, "an object")
        if key not in content:
            raise self._wrong(f"has no `{key}`")
        place = f"{self.place}.{key}" if self.place else key
        self.places.add(place)
        return Saved(content[key], self.file, place, self.places)

    def optional(self, key: str) -> Saved | None:
        """The value of a key; None where that is None."""
        found = self.at(key)
        return None if found.content is None else found

    def named(self) -> dict[str, Saved]:
        """The values of a dictionary whose keys are names."""
        content = self._content(dict, "an object")
        if not all(isinstance(key, str) for key in content):
            raise self.wrong("an object whose keys are names")
        return {key: self.at(key) for key in content}

    def fields(self, names: Sequence[str]) -> dict[str, Saved]:
        """The values of a dictionary of these names and no others."""
        found = self.named()
        if found.keys() != set(names):
            missing = [n for n in names if n not in found] or [n for n in found if n not in names]
            raise self._wrong(f"has {'no' if missing[0] in names else 'a'} `{_shown(missing[0])}`")
        return found

    def items(self, *, least: int = 0, most: int = MOST_LISTED) -> list[Saved]:
        """The values of a list."""
        content = self._content(list, "a list")
        if not least <= len(content) <= most:
            count = f"{least}" if least == most else f"{least} to {most}"
            raise self.wrong(f"a list of {count}")
        places = [f"{self.place}[{number}]" for number in range(len(content))]
        self.places.update(places)
        pairs = zip(content, places, strict=True)
        return [Saved(one, self.file, place, self.places) for one, place in pairs]

    # Plain values

    def integer(self, least: int = 0, most: int = LARGEST) -> int:
        """A whole number."""
        if type(self.content) is not int or not least <= self.content <= most:
            raise self.wrong(f"a whole number from {least} to {most}")
        return self.content

    def number(self, least: float = -inf, *, finite: bool = True) -> float:
        """A number; with `finite` unset it may be infinite, but never undefined."""
        value = self.content
        is_number = type(value) is float or (type(value) is int and abs(value) <= LARGEST)
        if not is_number or isnan(value) or (finite and not isfinite(value)) or value < least:
            kind = "a finite number" if finite else "a number"
            raise self.wrong(kind if least == -inf else f"{kind} of at least {least}")
        return float(value)

    def text(self, longest: int = LONGEST_TEXT) -> str:
        """A text."""
        if type(self.content) is not str or len(self.content) > longest:
            raise self.wrong(f"a text of at most {longest:,} characters")
        return self.content

    def flag(self) -> bool:
        """True or false."""
        if type(self.content) is not bool:
            raise self.wrong("true or false")
        return self.content

    def plain(self) -> Any:
        """A number, a text, or a list or dictionary of such."""
        match self.content:
            case list():
                return [one.plain() for one in self.items()]
            case dict():
                return {name: one.plain() for name, one in self.named().items()}
            case bool():
                return self.flag()
            case int():
                return self.integer(-LARGEST)
            case float():
                return self.number()
            case _:
                return self.text()

    # Tensors

    def tensor(
        self,
        shape: Sequence[int],
        dtype: torch.dtype = torch.float32,
        *,
        finite: bool = True,
        least: float = -inf,
    ) -> Tensor:
        """A tensor of numbers, (shape)."""
        value = self.content
        if type(value) is not Tensor or value.layout is not torch.strided or value.is_meta:
            raise self.wrong("a tensor")
        if tuple(value.shape) != tuple(shape) or value.dtype != dtype:
            raise self.wrong(f"a tensor {tuple(shape)} of {_named(dtype)}")
        if finite and not bool(torch.isfinite(value).all()):
            raise self._wrong("has numbers that are not finite")
        if bool((value < least).any()):
            raise self._wrong(f"has numbers below {least}")
        return value

    def real(self, shape: Sequence[int] = (), *, finite: bool = True) -> Tensor:
        """A tensor of numbers, (shape), in single or double precision."""
        is_double = type(self.content) is Tensor and self.content.dtype is torch.float64
        return self.tensor(shape, torch.float64 if is_double else torch.float32, finite=finite)

    def tensors(self, shapes: Shapes, *, finite: bool = True) -> dict[str, Tensor]:
        """Tensors of these names and shapes, and no others."""
        found = self.fields(list(shapes))
        return {name: found[name].tensor(shapes[name], finite=finite) for name in shapes}

    def generator(self, like: Tensor) -> Tensor:
        """The state of a random number generator, such as `like`."""
        state = self.tensor(like.shape, like.dtype)
        if state.device.type == "cpu" and like.shape == torch.Generator().get_state().shape:
            self.tried("the state of a generator", lambda: torch.Generator().set_state(state))
        return state

    # What is wrong

    def tried(self, expected: str, use: Callable[[], T]) -> T:
        """What using the value gives; refused where that raises anything."""
        try:
            return use()
        except DiagnosticError:
            raise
        except Exception:  # noqa: BLE001  (of any library)
            raise self.wrong(expected) from None

    def wrong(self, expected: str) -> DiagnosticError:
        """The diagnostic for a value that is something else than what is `expected`."""
        return self._wrong(f"is {_described(self.content)}, not {expected}")

    def _wrong(self, message: str) -> DiagnosticError:
        where = f"`{_shown(self.place)}`" if self.place else "its state"
        return fail("E507", f"`{self.file}` is damaged: {where} {message}", help=REMEDY)

    def _content(self, kind: type[T], expected: str) -> T:
        if type(self.content) is not kind:
            raise self.wrong(expected)
        return self.content

    def require_read(self) -> None:
        """Raises DiagnosticError where a value in here has been read by nobody."""
        if isinstance(self.content, dict):
            for key in self.content:
                place = f"{self.place}.{key}" if self.place else f"{key}"
                if place not in self.places:
                    raise self._wrong(f"has a `{_shown(str(key))}`, which is not known here")
            for inner in self.named().values():
                inner.require_read()
        elif isinstance(self.content, list):
            for inner in self.items():
                inner.require_read()


def _shown(text: str) -> str:
    return shortened(printable(text))


def _named(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _described(value: Any) -> str:
    """A value as a message names it."""
    if isinstance(value, Tensor):
        return f"a tensor {tuple(value.shape)} of {_named(value.dtype)}"
    return described(value)
