"""JSON texts (RFC 8259) as trees of located values."""

from __future__ import annotations

import json
import re

from ..diagnostics.diagnostic import DiagnosticError, Edit, fail
from ..diagnostics.source import Source
from ..diagnostics.text import shortened
from .tree import Located, OpenValue, TreeBuilder, is_literal


def read_json(source: Source) -> Located:
    """The tree of a JSON text (RFC 8259); raises DiagnosticError where it is none."""
    return _JsonReader(source).read()


class _JsonReader:
    _SPACE = re.compile(r"[ \t\n\r]*")
    _STRING = re.compile(r'"[^"\\\x00-\x1f]*+(?:\\.[^"\\\x00-\x1f]*+)*+')
    _WORD = re.compile(r"[\w.+-]+")

    def __init__(self, source: Source) -> None:
        self._tree = TreeBuilder(source)
        self._text = source.text
        self._at = 1 if source.text.startswith("\ufeff") else 0

    def read(self) -> Located:
        if not self._peek():
            return self._tree.finish()
        self._value()
        while self._tree.stack:
            self._member(self._tree.stack[-1])
        if self._peek():
            raise self._unexpected("the end of the text")
        return self._tree.finish()

    def _peek(self) -> str:
        """The next character that is no space; empty at the end of the text."""
        space = self._SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at
        return self._text[self._at : self._at + 1]

    def _member(self, container: OpenValue) -> None:
        """One key or value of the innermost object or array, or its end."""
        closing = "}" if container.is_object else "]"
        if self._peek() == closing:
            self._at += 1
            self._tree.close(self._at)
            return
        if not container.is_empty:
            self._comma(closing)
        if container.is_object:
            if self._peek() != '"':
                raise self._unexpected("a key in double quotes")
            start = self._at
            self._tree.key(self._string(), start, self._at)
            self._take(":", "`:`")
        self._value()

    def _comma(self, closing: str) -> None:
        self._take(",", f"`,` or `{closing}`")
        comma = self._at - 1
        if self._peek() == closing:
            span = self._tree.span(comma, comma + 1)
            message = f"a comma stands before `{closing}`"
            raise fail("E101", message, span, help="remove it", fix=[Edit(span, "")])

    def _take(self, char: str, expected: str) -> None:
        if self._peek() != char:
            raise self._unexpected(expected)
        self._at += 1

    def _value(self) -> None:
        char, start = self._peek(), self._at
        if char and char in "{[":
            self._at += 1
            self._tree.open(start, self._at, char == "{")
        elif char == '"':
            self._tree.string(self._string(), start, self._at)
        else:
            word = self._WORD.match(self._text, start)
            if not word or not is_literal(word[0]):
                raise self._unexpected("a value")
            self._at = word.end()
            self._tree.literal(word[0], start, self._at)

    def _string(self) -> str:
        start = self._at
        literal = self._STRING.match(self._text, start)
        end = literal.end() if literal else start
        if self._text[end : end + 1] != '"':
            raise self._unclosed(start, end)
        self._at = end + 1
        raw = self._text[start : self._at]
        if "\\" not in raw:
            return raw[1:-1]
        try:
            return str(json.loads(raw))
        except json.JSONDecodeError as error:
            at = self._text.rindex("\\", start, start + error.pos + 1)
            span = self._tree.span(at, at + 2)
            raise fail("E101", "a string has an unknown escape", span) from None

    def _unclosed(self, start: int, end: int) -> DiagnosticError:
        char = self._text[end : end + 1]
        if char in ("", "\n", "\r", "\\"):
            message, span = "a string is not closed on its line", self._tree.span(start, end)
        else:
            message, span = "a control character stands in a string", self._tree.span(end, end + 1)
        escape = json.dumps(char)[1:-1] if char else '"'
        return fail("E101", message, span, help=f"write `{escape}`" if char else "close it")

    def _unexpected(self, expected: str) -> DiagnosticError:
        if not self._peek():
            end = len(self._text.rstrip())
            span = self._tree.span(end, end + 1)
            return fail("E101", "unexpected end of the text", span, help=f"expected {expected}")
        word = self._WORD.match(self._text, self._at)
        lexeme = word[0] if word else self._text[self._at]
        span = self._tree.span(self._at, self._at + len(lexeme))
        message = f"unexpected `{shortened(lexeme)}`"
        return fail("E101", message, span, help=f"expected {expected}")
