"""What a backbone takes: its inputs, one tensor each, and the sizes that they may have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from ...compiler.diagnostics.diagnostic import fail, one_of

AXES: Mapping[str, tuple[str, ...]] = {
    "picture": ("c", "h", "w"),
    "video": ("c", "t", "h", "w"),
    "sound": ("t",),
    "spectrogram": ("c", "t"),
    "skeleton": ("c", "t", "w"),
    "text": ("t",),
    "mask": ("t",),
    "numbers": ("c",),
}
"""What an input may hold, and the axes that it then has, without the batch."""
USUAL: Mapping[str, int] = {"c": 3, "h": 224, "w": 224, "t": 16}
"""The size of an axis whose size is free, where any will do."""
SECOND = 16_000
"""Numbers of a sound, where any number will do: one second of speech."""


@dataclass(frozen=True, slots=True)
class Input:
    """A tensor that a backbone takes, (batch, *shape).

    `kind` is a key of `AXES`. A size of None differs from sample to sample. Whole numbers are
    `below` a number, which is 0 for real ones. Without an `optional` one, all of a sample counts.
    """

    name: str
    kind: str
    shape: tuple[int | None, ...]
    below: int = 0
    optional: bool = False

    @property
    def axes(self) -> tuple[str, ...]:
        """The names of the axes of `shape`."""
        return AXES[self.kind]

    @property
    def sizes(self) -> dict[str, int]:
        """A size for each axis by name: its own, or a usual one where it is free."""
        usual = {**USUAL, "t": SECOND} if self.kind == "sound" else USUAL
        pairs = zip(self.axes, self.shape, strict=True)
        return {axis: usual[axis] if size is None else size for axis, size in pairs}

    @property
    def free(self) -> frozenset[str]:
        """The names of the axes whose sizes differ from sample to sample."""
        return frozenset(a for a, size in zip(self.axes, self.shape, strict=True) if size is None)

    def example(self, batch: int, sizes: Mapping[str, int], device: str) -> Tensor:
        """A batch of these sizes: of zeros, or of ones where it is a mask."""
        kind = torch.int64 if self.below else torch.float32
        shape = (batch, *(sizes[axis] for axis in self.axes))
        return torch.full(shape, self.kind == "mask", dtype=kind, device=device)


def read_inputs(described: object, who: str) -> tuple[Input, ...]:
    """Inputs from plain values: `{NAME: {"kind": "picture", "shape": [3, 32, 32]}}`.

    Raises DiagnosticError where they are none; `who` says so.
    """
    if not isinstance(described, Mapping) or not described:
        raise _wrong(who, "`inputs` is to be what it takes, by name")
    inputs = cast("Mapping[str, Any]", described).items()
    return tuple(_read_input(str(name), values, who) for name, values in inputs)


def _read_input(name: str, values: object, who: str) -> Input:
    if isinstance(values, Input):
        return values
    match values:
        case {"kind": str(kind), "shape": [*sizes], **more} if kind in AXES:
            pass
        case _:
            kinds = one_of(list(AXES), 20)
            raise _wrong(who, f"the input `{name}` is to have a `kind`, {kinds}, and a `shape`")
    whole = all(size is None or (type(size) is int and size > 0) for size in sizes)
    if not whole or len(sizes) != len(AXES[kind]):
        axes = one_of(AXES[kind])
        raise _wrong(who, f"the shape of `{name}` is to have the size of {axes}, None where free")
    below, optional = more.get("below", 0), more.get("optional", kind == "mask")
    if type(below) is not int or below < 0 or type(optional) is not bool:
        raise _wrong(who, f"of `{name}`, `below` is to be a number and `optional` true or false")
    return Input(name, kind, tuple(sizes), below or 2 * (kind == "mask"), optional)


def _wrong(who: str, message: str) -> Exception:
    remedy = 'such as `{"x": {"kind": "picture", "shape": [3, 32, 32]}}`'
    return fail("E514", f"`{who}` does not say what it takes: {message}", help=remedy)
