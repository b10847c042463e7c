"""Source texts and the places in them that everything else points at."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

LONGEST_TEXT = 16_000_000
"""Characters of a text that is read."""


@dataclass(frozen=True)
class Source:
    """A text with the name that diagnostics show for it."""

    name: str
    text: str = field(repr=False)

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        starts.extend(i + 1 for i, char in enumerate(self.text) if char == "\n")
        return starts

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both counted from 1."""
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line, counted from 1, without its newline."""
        start = self._line_starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start : len(self.text) if end < 0 else end].rstrip("\r")


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of characters of a source; `pointer` is the JSON pointer, in documents."""

    source: Source
    start: int
    end: int
    pointer: str | None = None

    @property
    def line(self) -> int:
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        return self.source.position(self.start)[1]

    @property
    def text(self) -> str:
        """What stands there."""
        return self.source.text[self.start : self.end]

    def to(self, other: Span) -> Span:
        """From the start of this span to the end of `other`."""
        return Span(self.source, self.start, max(self.end, other.end), self.pointer)


def span_field() -> Any:
    """The field `span` of a node, which takes no part in its equality."""
    return field(default=None, compare=False, repr=False, kw_only=True)


class Name(str):
    """A name that knows where it stands, and is the plain text in all else.

    `parts` are the places of its library and its own name, where it has both.
    """

    __slots__ = ("parts", "span")
    span: Span | None
    parts: tuple[Span, ...]

    def __new__(cls, text: str, span: Span | None = None, parts: tuple[Span, ...] = ()) -> Self:
        name = super().__new__(cls, text)
        name.span, name.parts = span, parts
        return name


class Whole(int):
    """A whole number that knows where it stands."""

    span: Span | None

    def __new__(cls, value: int, span: Span | None = None) -> Self:
        number = super().__new__(cls, value)
        number.span = span
        return number


class Real(float):
    """A number that need not be whole and knows where it stands."""

    span: Span | None

    def __new__(cls, value: float, span: Span | None = None) -> Self:
        number = super().__new__(cls, value)
        number.span = span
        return number


def located(value: int | float, span: Span | None) -> Whole | Real:
    """A number that knows where it stands."""
    return Whole(value, span) if isinstance(value, int) else Real(value, span)


def span_of(value: object) -> Span | None:
    """Where a name, a number or a pair of them stands; None for plain ones."""
    return getattr(value, "span", None)
