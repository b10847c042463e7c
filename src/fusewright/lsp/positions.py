"""Offsets of a text as the positions of the protocol: a line, and code units within it.

NOTE: the protocol's types take a second to import in a web page, where completion and hover do
without them; so they are imported where a position is made.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ..compiler.diagnostics.source import Span

if TYPE_CHECKING:
    from lsprotocol.types import Position, Range

_UNITS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}
_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True)
class Positions:
    """The lines of a text; `encoding` is what client and server agreed to count in."""

    text: str
    encoding: str = "utf-16"

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in _LINE_END.finditer(self.text))]

    def position(self, offset: int) -> Position:
        """The position of an offset, which is brought into the text first."""
        from lsprotocol.types import Position

        offset = max(0, min(offset, len(self.text)))
        line = bisect_right(self._starts, offset) - 1
        before = self.text[self._starts[line] : offset]
        return Position(line, self._units(before))

    def range(self, start: int, end: int) -> Range:
        from lsprotocol.types import Range

        return Range(self.position(start), self.position(end))

    def of(self, span: Span) -> Range:
        """The range of a span in this text."""
        return self.range(span.start, span.end)

    def offset(self, position: Position) -> int:
        """The offset of a position; one beyond its line is at the line's end."""
        if position.line >= len(self._starts):
            return len(self.text)
        start = self._starts[position.line]
        match = _LINE_END.search(self.text, start)
        line = self.text[start : match.start() if match else len(self.text)]
        if line.isascii():
            return start + min(position.character, len(line))
        codec, size = _UNITS[self.encoding]
        data = line.encode(codec, "surrogatepass")[: position.character * size]
        return start + len(data.decode(codec, "ignore"))

    def _units(self, text: str) -> int:
        if text.isascii():
            return len(text)
        codec, size = _UNITS[self.encoding]
        return len(text.encode(codec, "surrogatepass")) // size


@dataclass(frozen=True, slots=True)
class TextChange:
    """The part in which two versions of a text differ, as the lengths of what they share."""

    before: int
    after: int
    old: int
    new: int

    @classmethod
    def between(cls, old: str, new: str) -> TextChange:
        """The smallest part outside of which the texts are equal."""
        shorter = min(len(old), len(new))
        before = _shared(lambda n: old[:n] == new[:n], shorter)
        rest = shorter - before
        after = _shared(lambda n: old[len(old) - n :] == new[len(new) - n :], rest)
        return cls(before, after, len(old), len(new))

    def to_old(self, offset: int) -> int:
        """Where an offset of the new text stood in the old one."""
        return _moved(offset, self, self.new, self.old)

    def to_new(self, offset: int) -> int:
        """Where an offset of the old text stands in the new one."""
        return _moved(offset, self, self.old, self.new)


def _moved(offset: int, change: TextChange, origin: int, target: int) -> int:
    if offset <= change.before:
        return offset
    return max(change.before, target - max(origin - offset, 0))


def _shared(equal: Callable[[int], bool], most: int) -> int:
    """The largest number up to `most` for which texts are equal, by bisection."""
    return bisect_left(range(1, most + 1), True, key=lambda n: not equal(n))
