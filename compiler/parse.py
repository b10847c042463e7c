"""Source text to Spec, by the grammar `grammars/fuse.lark`."""

from __future__ import annotations

import gc
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from lark import Token, Tree, UnexpectedInput
from lark.exceptions import VisitError

from . import expression as x
from .diagnostics import DiagnosticError, Report, fail
from .grammar import parse_tree
from .recovery import Recovery
from .source import Source, Span
from .spec import Spec
from .syntax import SpecBuilder, assemble
from .syntax_equation import embedded
from .syntax_error import syntax_error

LONGEST_TEXT = 16_000_000
DEEPEST = 100


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
        try:
            trees = [parse_tree(source.text, "spec")]
        except UnexpectedInput:
            trees = list(recovery.trees())
        statements: list[Any] = []
        for tree in trees:
            try:
                statements += _transform(source, tree, SpecBuilder(source, report))
            except DiagnosticError as error:
                report.diagnostics += error.diagnostics
                recovery.skipped.append(source.text[tree.meta.start_pos : tree.meta.end_pos])
        return assemble(statements, report), recovery.skipped


def parse_body(text: str, place: Span, offsets: Sequence[int] | None = None) -> x.Body:
    """The body of an equation that stands as a string in a document.

    `offsets` maps characters of `text` to the source of `place`; without it, every span is
    `place` itself.
    """
    report = Report()
    source = Source(place.source.name, text)
    try:
        tree = parse_tree(text, "body")
    except UnexpectedInput as error:
        first = syntax_error(source, text, error, 0, len(text))
        span = embedded(place, offsets, first.span.start, first.span.end) if first.span else place
        raise fail(first.code, first.message, span, help=first.help) from None
    body: x.Body = _transform(source, tree, SpecBuilder(source, report, place, offsets))
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


def _transform(source: Source, tree: Tree[Token], builder: SpecBuilder) -> Any:
    _check_depth(source, tree)
    try:
        return builder.transform(tree)
    except VisitError as error:
        raise error.orig_exc from None


def _check_depth(source: Source, tree: Tree[Token]) -> None:
    stack: list[tuple[Tree[Token], int]] = [(tree, 0)]
    while stack:
        node, depth = stack.pop()
        if depth > DEEPEST:
            span = Span(source, node.meta.start_pos, node.meta.end_pos)
            raise fail(
                "E003",
                f"the text is nested more than {DEEPEST} deep",
                span,
                help="name parts of the equation: `{ part = …; return … }`",
            )
        if node.data in ("equation", "block"):
            depth = 0
        stack.extend((child, depth + 1) for child in node.children if isinstance(child, Tree))
