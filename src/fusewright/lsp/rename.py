"""Renaming: the edits that give a name another spelling everywhere, or why that cannot be."""

from __future__ import annotations

from ..compiler.binding import symbols_of
from ..compiler.diagnostics import Edit
from ..compiler.examine import Examination, examine
from ..compiler.printer import name as written
from ..compiler.source import Span
from ..compiler.spec import name_problem
from ..compiler.symbols import Occurrence, Symbol, Symbols
from .documents import Document

_OF_THE_LANGUAGE = ("C", "L", "dropout")


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
    if symbol.kind == "number" and symbol.name in _OF_THE_LANGUAGE:
        raise CannotRename(f"the number `{symbol.name}` has its name from the language")
    return occurrence


def stem(occurrence: Occurrence) -> Span:
    """The part of a name that renaming changes: `Cell` of `Cell_2`, whose family is `Cell[n]`."""
    span, suffix = occurrence.span, len(occurrence.written) - len(occurrence.symbol.name)
    quoted = span.text.startswith("`")
    return Span(span.source, span.start + quoted, span.end - quoted - suffix)


def rename(document: Document, offset: int, new: str) -> tuple[Edit, ...]:
    """The edits that call what stands at an offset `new`, in backticks where these are needed.

    Raises CannotRename where the new name cannot be one, or would mean something else anywhere.
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
    _require_same_meaning(document, after, symbol, new)
    return tuple(edits)


def _edit(occurrence: Occurrence, new: str) -> Edit:
    suffix = occurrence.written[len(occurrence.symbol.name) :]
    return Edit(occurrence.span, written(new + suffix))


def applied(text: str, edits: list[Edit]) -> str:
    """A text after edits that do not overlap."""
    for edit in sorted(edits, key=lambda e: e.span.start, reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


def _require_same_meaning(document: Document, after: Examination, symbol: Symbol, new: str) -> None:
    """Raises CannotRename where a name now means something else, or an error is new."""
    errors = after.errors
    if errors and len(errors) > len(document.examination.errors):
        before = {(d.code, d.message) for d in document.examination.errors}
        fresh = next((d for d in errors if (d.code, d.message) not in before), errors[0])
        raise CannotRename(fresh.message)
    if _bindings(document.symbols) != _bindings(symbols_of(after.spec)):
        raise CannotRename(f"`{new}` already means something where `{symbol.name}` is used")


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
