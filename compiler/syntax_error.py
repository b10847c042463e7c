"""What the parser found unexpected, as a diagnostic: where, what is expected, what is open."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .diagnostics import Diagnostic, Note, diagnosed, did_you_mean
from .grammar import tables
from .habits import Place, habit
from .lalr import END, UnexpectedText
from .source import Source, Span
from .spec import HEAD_KINDS

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
_UNCLOSED = {'"': "a string is not closed on its line", "`": "a name is not closed"}


def pieces(text: str, start: int, end: int) -> Iterator[re.Match[str]]:
    """The pieces of `text[start:end]` but for comments."""
    return (m for m in TOKENS.finditer(text, start, end) if not m.group().startswith("#"))


def unclosed(text: str, start: int, end: int) -> list[int]:
    """Where the brackets stand that are open at `end`, the outermost first."""
    stack: list[int] = []
    for piece in pieces(text, start, end):
        bracket = piece.group()
        if bracket in OPENING:
            stack.append(piece.start())
        elif bracket in CLOSING and stack and text[stack[-1]] == CLOSING[bracket]:
            stack.pop()
    return stack


def syntax_error(
    source: Source, text: str, error: UnexpectedText, start: int, end: int
) -> Diagnostic:
    """The diagnostic of an error in `text[start:end]`: the source's text, less what is blanked."""
    if error.what == "end":
        return _unexpected_end(source, text, error, start, end)
    at, found = error.start, error.found
    stop = at + len(found)
    if error.what == "lexeme":
        message = f"unexpected `{found.strip('`')}`"
    else:
        message = _UNCLOSED.get(found, f"unexpected character `{found}`")
    opened = next(reversed(unclosed(text, start, at)), None)
    notes = [] if opened is None else _opened_above(source, text, opened, at)
    line = text.rfind("\n", 0, at) + 1
    bracket = "" if opened is None else text[opened]
    place = Place(found, text[line:at], text[at : at + 3], bracket)
    remedy = habit(place) or _remedy(found, error.expected)
    return diagnosed("E001", message, Span(source, at, stop), remedy, notes)


def _opened_above(source: Source, text: str, place: int, at: int) -> list[Note]:
    """Where a bracket opens, if it is one that should end with its line."""
    if text[place] == "{" or "\n" not in text[place:at]:
        return []
    return [Note(f"`{text[place]}` opens here", Span(source, place, place + 1))]


def _unexpected_end(
    source: Source, text: str, error: UnexpectedText, start: int, end: int
) -> Diagnostic:
    open_brackets = unclosed(text, start, end)
    if open_brackets:
        place = open_brackets[-1]
        bracket = text[place]
        remedy = f"add `{OPENING[bracket]}` where it ends"
        span = Span(source, place, place + 1)
        return diagnosed("E001", f"`{bracket}` is not closed", span, remedy)
    last = start + len(text[start:end].rstrip())
    where = "the statement" if text[end:].strip() else "the text"
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
