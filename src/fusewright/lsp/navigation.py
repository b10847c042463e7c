"""Where names are declared and used, and the outline of a document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from lsprotocol import types as lsp

from ..compiler.diagnostics.source import Span, span_of
from ..compiler.language.printer import signature
from ..compiler.network.vocabulary import library_path
from .documents import Document
from .positions import Positions
from .symbols import Symbol

_LibraryPlace = tuple[str, Span | None]


def definitions(document: Document, offset: int) -> tuple[list[Span], list[_LibraryPlace]]:
    """Where the name at an offset is declared: in the text, or in a library's file.

    An operation or library of the libraries is given as the library's name and the span in it.
    """
    occurrence = document.symbols.at(offset)
    if occurrence is None:
        return [], []
    symbol = occurrence.symbol
    if symbol.kind == "library":
        return [], [(symbol.name, None)]
    if symbol.kind == "parameter" and symbol.library is not None:
        symbol = Symbol(str(symbol.scope), "operation", library=symbol.library)
    places = document.symbols.declarations(symbol)
    if symbol.library is not None:
        return [], [(symbol.library, span) for span in places]
    return places, []


def references(document: Document, offset: int, declarations: bool) -> list[Span]:
    """Every place that names what the name at an offset means."""
    occurrence = document.symbols.at(offset)
    if occurrence is None:
        return []
    occurrences = document.symbols.of(occurrence.symbol)
    return [o.span for o in occurrences if declarations or not o.declares]


def library_location(name: str, span: Span | None, encoding: str) -> lsp.Location:
    """A place in the file of a library; its beginning where there is no span."""
    uri = Path(library_path(name)).resolve().as_uri()
    if span is None:
        return lsp.Location(uri, lsp.Range(lsp.Position(0, 0), lsp.Position(0, 0)))
    return lsp.Location(uri, Positions(span.source.text, encoding).of(span))


def outline(document: Document) -> list[lsp.DocumentSymbol]:
    """The statements that declare something, with features and Steps inside theirs."""
    spec, kinds = document.spec, lsp.SymbolKind
    symbols: list[lsp.DocumentSymbol] = []
    if spec.network is not None:
        symbols += _entry(document, spec.network.name, kinds.Module, spec.network.span, None, "")
    for d in spec.definitions:
        kind = kinds.Interface if d.role else kinds.Function
        symbols += _entry(document, d.name, kind, d.span, d.extent, signature(d))
    for modality in spec.modalities:
        inside = [
            entry
            for f in modality.features
            for entry in _entry(document, f.name, kinds.Field, f.span, f.extent, "feature")
        ]
        place = (modality.span, modality.extent)
        symbols += _entry(document, modality.name, kinds.Namespace, *place, "modality", inside)
    for cell in spec.cells:
        inside = [
            entry
            for s in cell.steps
            for entry in _entry(document, s.name, kinds.Method, s.span, s.extent, "Step")
        ]
        symbols += _entry(document, cell.name, kinds.Class, cell.span, cell.extent, "Cell", inside)
    for p in (p for p in spec.heads if p.name is not None):
        place = (span_of(p.name), p.span)
        symbols += _entry(document, p.name or "", kinds.Event, *place, f"{p.count} {p.kind}")
    return sorted(symbols, key=lambda s: (s.range.start.line, s.range.start.character))


def _entry(
    document: Document,
    name: str,
    kind: lsp.SymbolKind,
    span: Span | None,
    extent: Span | None,
    detail: str,
    children: Sequence[lsp.DocumentSymbol] = (),
) -> Iterator[lsp.DocumentSymbol]:
    if span is not None:
        whole = document.positions.of(extent or span)
        chosen = document.positions.of(span)
        yield lsp.DocumentSymbol(name, kind, whole, chosen, detail, children=children)
