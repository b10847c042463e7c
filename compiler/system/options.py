"""Options as fields of a frozen dataclass: whoever takes them reads there what is said of each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, fields
from math import frexp, inf
from typing import Any

from ..diagnostics.diagnostic import did_you_mean, fail, one_of


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers that an option may have, with the ends themselves unless it is said otherwise."""

    least: float
    most: float = inf
    without_least: bool = False
    without_most: bool = False

    def admit(self, value: float) -> bool:
        """Whether a number is one of them."""
        above = self.least < value if self.without_least else self.least <= value
        return above and (value < self.most if self.without_most else value <= self.most)

    @property
    def text(self) -> str:
        """Which they are, as a reader says it: `from 0 to below 1`."""
        least = _written(self.least)
        if self.most == inf:
            return f"above {least}" if self.without_least else f"at least {least}"
        most = f"below {_written(self.most)}" if self.without_most else _written(self.most)
        return f"above {least}, to {most}" if self.without_least else f"from {least} to {most}"


def _written(number: float) -> str:
    """A number; where it is large and a power of two, as such a power."""
    mantissa, exponent = frexp(number)
    return f"2^{exponent - 1}" if number > 1e6 and mantissa == 0.5 else f"{number:,}"


def option(
    default: Any,
    help: str,
    *,
    read_by: Collection[str],
    limits: Limits | None = None,
    choices: Collection[str] = (),
    metavar: str | None = None,
    type: type | None = None,
    **more: Any,
) -> Any:
    """The field of an option: all that is said of it, command line and diagnostics are made from.

    Of `choices` it is one, if it is not empty where that is its default; `read_by` are those that
    it makes a difference to. On the command line it is of the `type` of its default, unless that
    says another. What is said of it by `more` names stands beside these.
    """
    metadata = {
        "help": help,
        "read_by": read_by,
        "limits": limits,
        "choices": tuple(choices),
        "metavar": metavar,
        "type": type or default.__class__,
        **more,
    }
    return field(default=default, metadata=metadata)


def options_read_by(kind: type | None, reader: str) -> tuple[str, ...]:
    """The names of the options of a dataclass that make a difference to a reader, in order."""
    options = fields(kind) if kind is not None else ()
    return tuple(f.name for f in options if reader in f.metadata["read_by"])


def require_one(what: str, name: str, known: Sequence[str], listed: str = "known are") -> None:
    """Raises DiagnosticError where a name is not known; `listed` begins the list of those."""
    if name not in known:
        remedy = did_you_mean(str(name), known) or f"{listed} {one_of(known, 20)}"
        raise fail("E506", f"unknown {what} `{name}`", help=remedy)


def either(names: Sequence[str]) -> str:
    """Names as a text: `a, b or c`."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last
