"""Diagnostics, and the edits that repair them, as the protocol states them."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types as lsp

from ..compiler.diagnostics.diagnostic import Diagnostic, Edit
from .documents import Document, Examined


def reports(found: Examined) -> list[lsp.Diagnostic]:
    """Every diagnostic of a document."""
    return [_report(found.document, d) for d in found.examination.diagnostics]


def repairs(found: Examined, start: int, end: int) -> Iterator[lsp.CodeAction]:
    """A quick fix for each diagnostic between two offsets whose remedy is an edit."""
    document = found.document
    for diagnostic in found.examination.diagnostics:
        first, last = _extent(document, diagnostic)
        if diagnostic.fix and first <= end and start <= last:
            yield lsp.CodeAction(
                diagnostic.help or diagnostic.message,
                kind=lsp.CodeActionKind.QuickFix,
                diagnostics=[_report(document, diagnostic)],
                is_preferred=True,
                edit=workspace_edit(document, diagnostic.fix),
            )


def workspace_edit(document: Document, edits: tuple[Edit, ...]) -> lsp.WorkspaceEdit:
    """Edits of one document, for the version that they were made for."""
    identifier = lsp.OptionalVersionedTextDocumentIdentifier(document.uri, document.version)
    changes = [lsp.TextEdit(document.positions.of(e.span), e.text) for e in edits]
    return lsp.WorkspaceEdit(document_changes=[lsp.TextDocumentEdit(identifier, changes)])


def _extent(document: Document, diagnostic: Diagnostic) -> tuple[int, int]:
    """Where a diagnostic is shown: its span, or the beginning where it has none in this text."""
    span = diagnostic.span
    return (span.start, span.end) if span and document.holds(span) else (0, 0)


def _report(document: Document, diagnostic: Diagnostic) -> lsp.Diagnostic:
    start, end = _extent(document, diagnostic)
    lines = [diagnostic.message]
    related = []
    for note in diagnostic.notes:
        if note.span is not None and document.holds(note.span):
            place = lsp.Location(document.uri, document.positions.of(note.span))
            related.append(lsp.DiagnosticRelatedInformation(place, note.message))
        else:
            lines.append(f"note: {note.message}")
    if diagnostic.help:
        lines.append(f"help: {diagnostic.help}")
    kinds = lsp.DiagnosticSeverity
    return lsp.Diagnostic(
        document.positions.range(start, end),
        "\n".join(lines),
        severity=kinds.Error if diagnostic.is_error else kinds.Warning,
        code=diagnostic.code,
        source="fusewright",
        related_information=related,
    )
