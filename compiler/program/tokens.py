"""The tokens of a Program's text, read one after another: names, numbers, types, attributes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from math import isinf
from typing import Any, NamedTuple, TypeVar

from ...ops.types import Axis, TensorType
from ..diagnostics.diagnostic import DiagnosticError, fail
from ..diagnostics.source import Source, Span
from ..diagnostics.text import shortened
from ..language.limits import LONGEST_NUMBER
from .program import Scope
from .text import BATCH, LITERALS

DEEPEST_TUPLE = 20
"""How deep tuples of attributes may be nested."""
_TOKEN = re.compile(
    r"""(?:\s|\#[^\n]*)*+(?:
    (?P<value>%\w+)
    | (?P<string>"(?:[^"\\\n]|\\.)*+")
    | (?P<number>-?(?:[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|inf\b)(?!\w))
    | (?P<word>[^\W\d]\w*(?:\.[^\W\d]\w*)*)
    | (?P<mark>.)
    | (?P<end>\Z)
    )""",
    re.VERBOSE,
)
_WHOLE = re.compile(r"-?[0-9]+")

Item = TypeVar("Item")


def quoted(name: str) -> str:
    """A name from an untrusted text as a message shows it."""
    shown = shortened(name).replace("`", "'")
    return f"`{shown}`"


class Lexeme(NamedTuple):
    """A piece of the text: a `value`, `string`, `number`, `word`, `mark`, or its `end`."""

    kind: str
    text: str
    start: int
    end: int


class Reader:
    """Reads a text token by token; raises DiagnosticError where it does not follow the grammar."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.token = self.before = Lexeme("mark", "", 0, 0)
        self.take()

    def take(self) -> Lexeme:
        """The current token; the one after it becomes the current one."""
        self.before = self.token
        found = _TOKEN.match(self.source.text, self.token.end)
        assert found is not None, "every character is a mark at least"
        kind = found.lastgroup or "end"
        self.token = Lexeme(kind, found[kind], *found.span(kind))
        return self.before

    def since(self, start: Lexeme) -> Span:
        """From a token to the last one that was taken."""
        return Span(self.source, start.start, self.before.end)

    def span(self, token: Lexeme) -> Span:
        return Span(self.source, token.start, token.end)

    def unexpected(self, *expected: str) -> DiagnosticError:
        """What is wrong with the current token where something else has to stand."""
        token, place = self.token, self.span(self.token)
        if token.text == '"':
            remedy = 'write `"` at its end, and `\\"` for one within'
            return fail("E005", "a string is not closed on its line", place, help=remedy)
        *others, last = expected
        remedy = f"expected {', '.join(others)} or {last}" if others else f"expected {last}"
        if token.kind == "end":
            return fail("E001", "unexpected end of the text", place, help=remedy)
        return fail("E001", f"unexpected {quoted(token.text)}", place, help=remedy)

    def skip(self, *texts: str) -> Lexeme | None:
        """The current token if it is one of `texts`, and is taken then."""
        return self.take() if self.token.text in texts else None

    def expect(self, *texts: str) -> Lexeme:
        token = self.skip(*texts)
        if token is None:
            raise self.unexpected(*(f"`{text}`" for text in texts))
        return token

    def listed(self, item: Callable[[], Item], closing: str) -> tuple[Item, ...]:
        """Items with commas between them, as far as the closing bracket."""
        items: list[Item] = []
        if self.skip(closing):
            return ()
        while True:
            items.append(item())
            if self.expect(",", closing).text == closing:
                return tuple(items)

    # Names

    def name(self) -> str:
        if self.token.kind == "string":
            return self._string()
        if self.token.kind == "word":
            return self.take().text
        raise self.unexpected("a name")

    def scope(self) -> Scope:
        """Names joined by dots; a dot within one stands in quotes."""
        parts: list[str] = []
        while True:
            is_word = self.token.kind == "word"
            name = self.name()
            parts += name.split(".") if is_word else [name]
            if not self.skip("."):
                return tuple(parts)

    def _string(self) -> str:
        token = self.take()
        try:
            return str(json.loads(token.text))
        except ValueError:
            message = f"the string {quoted(token.text)} is not well formed"
            remedy = "its escapes are those of JSON"
            raise fail("E005", message, self.span(token), help=remedy) from None

    # Numbers

    def number(self) -> int | float:
        word = self.skip("inf", "nan")
        if word is not None:
            return float(word.text)
        if self.token.kind != "number":
            raise self.unexpected("a number")
        token = self.take()
        if len(token.text) > LONGEST_NUMBER:
            message, remedy = "a number has too many digits", f"at most {LONGEST_NUMBER} are read"
            raise fail("E005", message, self.span(token), help=remedy)
        if _WHOLE.fullmatch(token.text):
            return int(token.text)
        number = float(token.text)
        if isinf(number) and token.text != "-inf":
            message = f"the number `{token.text}` is too large"
            raise fail("E005", message, self.span(token), help="write a smaller one, or `inf`")
        return number

    def size(self) -> int:
        if not self.token.text.isdecimal() or self.token.kind != "number":
            raise self.unexpected("a size")
        return int(self.number())

    # Types and attributes

    def type(self) -> TensorType:
        """A type such as `(batch, length 8, channels 128)`."""
        self.expect("(")
        batched = self.skip(BATCH) is not None
        if batched and self.expect(",", ")").text == ")":
            return TensorType((), batched)
        return TensorType(self.listed(lambda: self._axis(self.name()), ")"), batched)

    def attribute(self, depth: int = 0) -> Any:
        if self.token.text == "(":
            if depth == DEEPEST_TUPLE:
                message = f"tuples are nested more than {DEEPEST_TUPLE} deep"
                raise fail("E003", message, self.span(self.token), help="use fewer")
            self.take()
            return self.listed(lambda: self.attribute(depth + 1), ")")
        token = self.token
        if token.kind == "number":
            return self.number()
        if token.kind not in ("string", "word"):
            raise self.unexpected("an attribute")
        name = self.name()
        after = self.token
        if after.kind == "number" or after.text == "*":
            return self._axis(name)
        if token.kind == "string":
            return name
        if name in LITERALS:
            return LITERALS[name]
        message, remedy = f"unexpected {quoted(name)}", "a string stands in quotes"
        raise fail("E001", message, self.span(token), help=remedy)

    def _axis(self, name: str) -> Axis:
        return Axis(name, None if self.skip("*") else self.size())
