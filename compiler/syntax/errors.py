"""What the parser found unexpected, as a diagnostic: where, what is expected, what is open."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..diagnostics.diagnostic import Diagnostic, Edit, Note, diagnosed, did_you_mean
from ..diagnostics.source import Source, Span
from ..language.nodes import HEAD_KINDS
from .grammar import tables
from .habits import Place, habit
from .lalr import END, Entry, UnexpectedText

TOKENS = re.compile(r'"(?:\\.|[^"\\\n])*"?|`[^`\n]*`?|#[^\n]*|[{}()\[\]]|[^\s{}()\[\]"`#]+')
"""Pieces of a text in which brackets, strings and comments are told apart; all but white space."""
OPENING = {"{": "}", "(": ")", "[": "]"}
"""Brackets, and what closes them."""
CLOSING = {closing: opening for opening, closing in OPENING.items()}
_FRIENDLY = {
    "NAME": "a name",
    "NUMBER": "a number",
    "QUANTITY": "a number",
    "STRING": "a string",
    "COMPARISON": "`<`",
    "CONTRACTED": "`_`",
    "HEAD": "`classes`, `labels` or `values`",
    END: "the end of the text",
}
_COUNTED = re.compile(r"predict\s+[^\s#][^#]*\s([^\W\d]\w*)\s*")
"""A word where the kind of what is predicted stands, behind another."""
_NOT_BLANK = re.compile(r"\S")
_LONGEST_BEFORE = 200
"""Characters before an error that may tell what its author is used to."""
_WORD = re.compile(r"([0-9]{1,60}(?:\.[0-9]+)?)([\w.]{0,60})")
_UNITS = {
    **dict.fromkeys(("k", "kb", "kib", "thousand"), "k"),
    **dict.fromkeys(("m", "mb", "mib", "million"), "M"),
    **dict.fromkeys(("g", "gb", "gib", "b", "billion"), "G"),
    **dict.fromkeys(("msec", "millis"), "ms"),
    **dict.fromkeys(("sec", "secs", "seconds"), "s"),
}
"""Units that are written elsewhere, in lower case, and what a limit is written with."""
_UNCLOSED = {'"': "a string is not closed on its line", "`": "a name is not closed"}


def pieces(text: str, start: int, end: int) -> Iterator[re.Match[str]]:
    """The pieces of `text[start:end]` but for comments."""
    return (m for m in TOKENS.finditer(text, start, end) if not m.group().startswith("#"))


def open_brackets(text: str, stack: Sequence[Entry]) -> list[int]:
    """Which entries of the parser's stack are brackets not closed yet, the outermost first."""
    indices: list[int] = []
    for index, (_, _, start, end) in enumerate(stack):
        bracket = text[start] if end - start == 1 else ""
        if bracket in OPENING:
            indices.append(index)
        elif bracket in CLOSING and indices:
            indices.pop()
    return indices


def syntax_error(source: Source, error: UnexpectedText, end: int) -> Diagnostic:
    """The diagnostic of an error in a text that is read as far as `end`."""
    text, at, lexeme = source.text, error.start, error.found
    brackets = open_brackets(text, error.stack)
    opened = error.stack[brackets[-1]][2] if brackets else None
    if "HEAD" in error.expected and (wrong := _misspelt_kind(source, error, end)):
        return wrong
    if error.what == "end":
        return _unexpected_end(source, error, opened, end)
    if lexeme.isdecimal() and lexeme.isascii() and error.what == "character":
        return _no_number(source, error)
    if error.what == "lexeme":
        message = f"unexpected `{lexeme.strip('`')}`"
    else:
        message = _UNCLOSED.get(lexeme, f"unexpected character `{lexeme}`")
    notes = [] if opened is None else _opened_above(source, opened, at)
    bracket = "" if opened is None else text[opened]
    line = text.rfind("\n", 0, at) + 1
    before = text[max(line, at - _LONGEST_BEFORE) : at]
    remedy = habit(Place(lexeme, before, text[at : at + 3], bracket))
    span = Span(source, at, at + len(lexeme))
    return diagnosed("E001", message, span, remedy or _remedy(lexeme, error.expected), notes)


def _misspelt_kind(source: Source, error: UnexpectedText, end: int) -> Diagnostic | None:
    """A kind of what is predicted that was taken for its number: `predict K clases`."""
    start, stop = error.stack[0][2], end if error.what == "end" else error.start
    match = _COUNTED.fullmatch(source.text, start, stop)
    guess = did_you_mean(match[1], HEAD_KINDS) if match else None
    if match is None or guess is None:
        return None
    span = Span(source, *match.span(1))
    return diagnosed("E001", f"unexpected `{match[1]}`", span, guess)


def _no_number(source: Source, error: UnexpectedText) -> Diagnostic:
    """What begins with a digit and is no number."""
    match = _WORD.match(source.text, error.start)
    word = match.group() if match else error.found
    span = Span(source, error.start, error.start + len(word))
    message = f"`{word}` is neither a number nor a name"
    if error.expected.isdisjoint(("NUMBER", "QUANTITY")):
        remedy = "a name that begins with a digit stands in backticks"
        return diagnosed("E001", message, span, remedy, fix=[Edit(span, f"`{word}`")])
    digits, rest = match.groups() if match else ("", ".")
    unit = _UNITS.get(rest.lower()) if "QUANTITY" in error.expected else None
    if unit is not None:
        remedy = f"a limit is a number with k, M, G, ms or s: `{digits}{unit}`"
        return diagnosed("E001", message, span, remedy, fix=[Edit(span, f"{digits}{unit}")])
    apart = f"a space, a comma or an operator stands between `{digits}` and `{rest}`"
    return diagnosed("E001", message, span, None if rest.startswith(".") else apart)


def _opened_above(source: Source, place: int, at: int) -> list[Note]:
    """Where a bracket opens, if it is one that should end with its line."""
    bracket = source.text[place]
    if bracket == "{" or source.text.find("\n", place, at) < 0:
        return []
    return [Note(f"`{bracket}` opens here", Span(source, place, place + 1))]


def _unexpected_end(
    source: Source, error: UnexpectedText, opened: int | None, end: int
) -> Diagnostic:
    text = source.text
    if opened is not None:
        remedy = f"add `{OPENING[text[opened]]}` where it ends"
        span = Span(source, opened, opened + 1)
        return diagnosed("E001", f"`{text[opened]}` is not closed", span, remedy)
    start = error.stack[0][2]
    last = start + len(text[start:end].rstrip())
    where = "the statement" if _NOT_BLANK.search(text, end) else "the text"
    span = Span(source, last, last + 1)
    return diagnosed("E001", f"unexpected end of {where}", span, _remedy("", error.expected))


def _remedy(found: str, expected: frozenset[str]) -> str | None:
    plain = expected - _FRIENDLY.keys()
    words = [text for text, terminal in tables().written.items() if terminal in plain]
    if found.isidentifier() and "NAME" not in expected:
        heads = HEAD_KINDS if "HEAD" in expected else ()
        guess = did_you_mean(found, [*heads, *(w for w in words if w.isalpha())])
        if guess:
            return guess
    shown = [_FRIENDLY[n] for n in _FRIENDLY if n in expected]
    shown += sorted(f"`{word}`" for word in words)
    return f"expected {' or '.join(_limited(shown))}" if shown else None


def _limited(items: list[str], limit: int = 8) -> list[str]:
    return items if len(items) <= limit else [", ".join(items[:limit]) + ", …"]
