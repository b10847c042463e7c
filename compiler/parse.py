"""Source text to Spec, by the grammar `grammars/fuse.lark`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from lark import Lark, Token, Tree, UnexpectedCharacters, UnexpectedInput
from lark.exceptions import VisitError

from ..grammars import read
from . import expression as x
from .diagnostics import DiagnosticError, Report, did_you_mean, fail
from .source import Source, Span
from .spec import Spec
from .syntax import SpecBuilder, embedded

LONGEST_TEXT = 16_000_000
DEEPEST = 100
_FRIENDLY = {
    "NAME": "a name",
    "NUMBER": "a number",
    "QUANTITY": "a number",
    "STRING": "a string",
    "COMPARISON": "`<`",
    "CONTRACTED": "`_`",
    "HEAD": "`classes`, `labels` or `values`",
    "$END": "the end of the text",
}


@cache
def _parser() -> Lark:
    return Lark(read("fuse.lark"), start=["spec", "body"], parser="lalr", propagate_positions=True)


def parse(text: str, name: str = "<text>") -> Spec:
    """The Spec of a `.fuse` text; raises DiagnosticError where it does not follow the grammar."""
    source = Source(name, text)
    report = Report()
    spec: Spec = _transform(source, "spec", SpecBuilder(source, report))
    report.raise_errors()
    return spec


def parse_body(text: str, place: Span, offsets: Sequence[int] | None = None) -> x.Body:
    """The body of an equation that stands as a string in a document.

    `offsets` maps characters of `text` to the source of `place`; without it, every span is
    `place` itself.
    """
    report = Report()
    source = Source(place.source.name, text)
    try:
        body: x.Body = _transform(source, "body", SpecBuilder(source, report, place, offsets))
    except DiagnosticError as error:
        first = error.diagnostics[0]
        span = embedded(place, offsets, first.span.start, first.span.end) if first.span else place
        raise fail(first.code, first.message, span, help=first.help) from None
    report.raise_errors()
    return body


def _transform(source: Source, start: str, builder: SpecBuilder) -> Any:
    if len(source.text) > LONGEST_TEXT:
        raise fail("E004", f"the text is longer than {LONGEST_TEXT:,} characters")
    try:
        tree = _parser().parse(source.text, start=start)
    except UnexpectedInput as error:
        raise _syntax_error(source, error) from None
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


def _syntax_error(source: Source, error: UnexpectedInput) -> DiagnosticError:
    start = error.pos_in_stream
    if start is None or start < 0:
        start = len(source.text)
    if isinstance(error, UnexpectedCharacters):
        expected: set[str] = set(error.allowed or ())
        found = source.text[start]
        end = start + 1
        known_quotes = {'"': "a string is not closed on its line", "`": "a name is not closed"}
        message = known_quotes.get(found, f"unexpected character `{found}`")
    else:
        expected = set(getattr(error, "accepts", None) or getattr(error, "expected", None) or ())
        token = getattr(error, "token", None)
        if token is None or token.type == "$END":
            start = len(source.text.rstrip())
            end, message = start + 1, "unexpected end of the text"
        else:
            start, end = token.start_pos, token.end_pos
            message = f"unexpected `{token}`"
    found_text = source.text[start:end]
    return fail("E001", message, Span(source, start, end), help=_remedy(found_text, expected))


def _remedy(found: str, expected: set[str]) -> str | None:
    terminals = {t.name: t.pattern for t in _parser().terminals}
    words = [terminals[n].value for n in expected if n in terminals and n not in _FRIENDLY]
    if found.isidentifier() and "NAME" not in expected:
        guess = did_you_mean(found, [w for w in words if w.isalpha()])
        if guess:
            return guess
    shown = [_FRIENDLY[n] for n in _FRIENDLY if n in expected]
    shown += sorted(f"`{word}`" for word in words)
    return f"expected {' or '.join(_limited(shown))}" if shown else None


def _limited(items: list[str], limit: int = 8) -> list[str]:
    return items if len(items) <= limit else [", ".join(items[:limit]) + ", …"]
