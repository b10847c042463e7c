"""Source text to Spec, by the grammar `grammars/fuse.lark`."""

from __future__ import annotations

import gc
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from . import expression as x
from .diagnostics import Report, fail
from .grammar import tables
from .lalr import UnexpectedText, run
from .recovery import Recovery
from .source import Source, Span
from .spec import Spec
from .syntax import SpecBuilder, assemble
from .syntax_equation import embedded
from .syntax_error import syntax_error

LONGEST_TEXT = 16_000_000


def parse(text: str, name: str = "<text>") -> Spec:
    """The Spec of a `.fuse` text; raises DiagnosticError where it does not follow the grammar."""
    report = Report()
    spec, _ = parse_all(Source(name, text), report)
    report.raise_errors()
    return spec


def parse_all(source: Source, report: Report) -> tuple[Spec, list[str]]:
    """The Spec of what can be read of a text, and the parts of it that cannot.

    Every error is reported; raises DiagnosticError only where the text is too long.
    """
    if len(source.text) > LONGEST_TEXT:
        raise fail("E004", f"the text is longer than {LONGEST_TEXT:,} characters")
    with _collector_off():
        recovery = Recovery(source, report)
        return assemble(recovery.statements(), report), recovery.skipped


def parse_body(text: str, place: Span, offsets: Sequence[int] | None = None) -> x.Body:
    """The body of an equation that stands as a string in a document.

    `offsets` maps characters of `text` to the source of `place`; without it, every span is
    `place` itself.
    """
    report = Report()
    source = Source(place.source.name, text)
    try:
        body: x.Body = run(tables(), SpecBuilder(source, report, place, offsets), "body", text)
    except UnexpectedText as error:
        first = syntax_error(source, text, error, 0, len(text))
        span = embedded(place, offsets, first.span.start, first.span.end) if first.span else place
        raise fail(first.code, first.message, span, help=first.help) from None
    report.raise_errors()
    return body


@contextmanager
def _collector_off() -> Generator[None]:
    """Without the cycle collector, which takes half of the time and finds nothing in trees."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
