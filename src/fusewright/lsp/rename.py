"""Renaming: the edits that give a name another spelling everywhere, or why that cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..compiler.check.examine import Examination, examine
from ..compiler.diagnostics.diagnostic import Diagnostic, Edit
from ..compiler.diagnostics.source import Span
from ..compiler.language.nodes import name_problem
from ..compiler.language.printer import name as written
from ..compiler.resolve.numbers import OWN_NUMBERS
from .binding import symbols_of
from .documents import Document
from .symbols import Occurrence, Symbol, Symbols


class CannotRename(ValueError):
    """A name that cannot be changed, or not to the one that is asked for."""


def renamable(document: Document, offset: int) -> Occurrence:
    """The name at an offset; raises CannotRename where it is not the specification's own."""
    occurrence = document.symbols.at(offset)
    if occurrence is None:
        raise CannotRename("no name of the specification stands here")
    symbol = occurrence.symbol
    if symbol.kind == "library" or symbol.library is not None:
        home = symbol.library or symbol.name
        raise CannotRename(f"`{occurrence.written}` belongs to the library `{home}`")
    if symbol.kind == "role":
        raise CannotRename(f"the role `{symbol.name}` has its name from the language")
    if symbol.kind == "number" and symbol.name in OWN_NUMBERS:
        raise CannotRename(f"the number `{symbol.name}` has its name from the language")
    return occurrence


def stem(occurrence: Occurrence) -> Span:
    """The part of a name that renaming changes: `Cell` of `Cell_2`, whose family is `Cell[n]`."""
    span, suffix = occurrence.span, len(occurrence.written) - len(occurrence.symbol.name)
    quoted = span.text.startswith("`")
    return Span(span.source, span.start + quoted, span.end - quoted - suffix)


@dataclass(frozen=True, slots=True)
class Renaming:
    """The edits of a renaming, and what is found out about the text after them.

    `clash` says where a name would then mean something else.
    """

    edits: tuple[Edit, ...]
    after: Examination
    clash: str | None

    def require_sound(self, before: Sequence[Diagnostic]) -> None:
        """Raises CannotRename where an error is none of those `before`, or names clash."""
        errors = self.after.errors
        if len(errors) > len(before):
            messages = {(d.code, d.message) for d in before}
            fresh = next((d for d in errors if (d.code, d.message) not in messages), errors[0])
            raise CannotRename(fresh.message)
        if self.clash is not None:
            raise CannotRename(self.clash)


def rename(document: Document, offset: int, new: str) -> Renaming:
    """Calls what stands at an offset `new`, in backticks where these are needed.

    Raises CannotRename where the new name cannot be one.
    """
    symbol = renamable(document, offset).symbol
    new = new[1:-1] if len(new) > 2 and new[0] == new[-1] == "`" else new
    problem = name_problem(new)
    if problem is not None:
        raise CannotRename(problem)
    symbols = document.symbols
    edits = [_edit(occurrence, new) for occurrence in symbols.of(symbol)]
    if symbol in symbols.unnamed:
        slot = symbols.unnamed[symbol]
        edits.append(Edit(Span(slot.source, slot.start, slot.start), f"{written(new)} = "))
    after = examine(applied(document.text, edits), document.uri, "fuse")
    same = _bindings(symbols) == _bindings(symbols_of(after.spec))
    clash = f"`{new}` already means something where `{symbol.name}` is used"
    return Renaming(tuple(edits), after, None if same else clash)


def _edit(occurrence: Occurrence, new: str) -> Edit:
    suffix = occurrence.written[len(occurrence.symbol.name) :]
    return Edit(occurrence.span, written(new + suffix))


def applied(text: str, edits: list[Edit]) -> str:
    """A text after edits that do not overlap."""
    for edit in sorted(edits, key=lambda e: e.span.start, reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


def _bindings(symbols: Symbols) -> list[int]:
    """Which occurrences name the same thing, whatever it is called.

    The declarations of inputs are left out: an input that had no name gets one with its slot.
    """
    numbers: dict[Symbol, int] = {}
    return [
        numbers.setdefault(o.symbol, len(numbers))
        for o in symbols.occurrences
        if not (o.declares and o.symbol.kind == "input")
    ]
