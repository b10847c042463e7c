"""Source text to Spec, by the grammar `grammars/fuse.lark`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..diagnostics.diagnostic import Diagnostic, DiagnosticError, Report, fail
from ..diagnostics.source import LONGEST_TEXT, Source, Span
from ..language import expression as x
from ..language.spec import Spec
from ..system.collector import COLLECTOR_OFF
from .equations import embedded
from .errors import syntax_error
from .grammar import tables
from .lalr import Parser, UnexpectedText
from .nesting import require_shallow
from .recovery import Recovery
from .statements import SpecBuilder, assemble


def parse(text: str, name: str = "<text>") -> Spec:
    """The Spec of a `.fuse` text; raises DiagnosticError where it does not follow the grammar."""
    report = Report()
    spec, _ = parse_all(Source(name, text), report)
    report.raise_errors()
    return spec


def parse_all(source: Source, report: Report) -> tuple[Spec, list[str]]:
    """The Spec of what can be read of a text, and the parts of it that cannot.

    Every error is reported; raises DiagnosticError only where the text is too long or too deep.
    """
    if len(source.text) > LONGEST_TEXT:
        raise fail("E004", f"the text is longer than {LONGEST_TEXT:,} characters")
    require_shallow(source)
    with COLLECTOR_OFF:
        recovery = Recovery(source, report)
        return assemble(recovery.statements(), report), recovery.skipped


def parse_body(text: str, place: Span, offsets: Sequence[int] | None = None) -> x.Body:
    """The body of an equation that stands as a string in a document.

    `offsets` maps characters of `text` to the source of `place`; without it, every span is
    `place` itself.
    """
    report = Report()
    source = Source(place.source.name, text)
    require_shallow(source, place)
    try:
        builder = SpecBuilder(source, report, place, offsets)
        body: x.Body = Parser(tables(), builder).run("body", text)
    except UnexpectedText as error:
        diagnostic = syntax_error(source, error, len(text))
        raise DiagnosticError([_placed(diagnostic, place, offsets)]) from None
    report.raise_errors()
    return body


def _placed(found: Diagnostic, place: Span, offsets: Sequence[int] | None) -> Diagnostic:
    """A diagnostic of an equation where that stands in a document.

    Without `offsets` it has no fix: an edit would take the place of the whole equation.
    """

    def at(span: Span | None) -> Span:
        return embedded(place, offsets, span.start, span.end) if span else place

    notes = tuple(replace(note, span=note.span and at(note.span)) for note in found.notes)
    edits = found.fix if offsets is not None else ()
    fix = tuple(replace(edit, span=at(edit.span)) for edit in edits)
    return replace(found, span=at(found.span), notes=notes, fix=fix)
