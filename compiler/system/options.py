"""Options as fields of a frozen dataclass: whoever takes them reads there what is said of each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, fields
from math import inf
from typing import Any

from ..diagnostics.diagnostic import did_you_mean, fail, one_of


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers that an option may have; `text` says which."""

    text: str
    least: float
    below: float = inf
    is_open: bool = False

    def admit(self, value: float) -> bool:
        """Whether a number is one of them; the least one is not where they are open."""
        return (self.least < value if self.is_open else self.least <= value) and value < self.below


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
