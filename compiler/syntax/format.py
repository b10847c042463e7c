"""The canonical text of a `.fuse` file with its comments and blank lines where they belong.

A comment behind something stays behind it; one on a line of its own stays above what follows it,
or at the end of the block that it closes. No comment is ever lost. A blank line above a statement,
a line of a block or a comment stays as one; none opens or closes a block.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from ..language.printer import Line
from ..language.spec import spec_lines
from .parse import parse

_TOKENS = re.compile(r'"(?:\\.|[^"\\\n])*"|`[^`\n]*`|#[^\n]*')
_OPENING = re.compile(r"\s*(?:[a-z]+\b)?[\s(]*")
"""What may stand on a line before the name that a statement is found by: its keyword."""


@dataclass(frozen=True, slots=True)
class _Comment:
    text: str
    start: int
    own_line: bool
    indented: bool


@dataclass(frozen=True, slots=True)
class _Placed:
    """Comments by the number of the canonical line that they stand above, behind or below."""

    head: list[_Comment] = field(default_factory=list)
    above: dict[int, list[_Comment]] = field(default_factory=dict)
    behind: dict[int, list[_Comment]] = field(default_factory=dict)
    below: dict[int, list[_Comment]] = field(default_factory=dict)
    tail: list[_Comment] = field(default_factory=list)


def format_text(text: str, name: str = "<text>") -> str:
    """The canonical text of a specification; raises DiagnosticError where it does not parse."""
    text = text.removeprefix("\ufeff")
    lines = spec_lines(parse(text, name))
    first = _first_code(text)
    anchors = _anchors(text, lines, first)
    placed = _place(text, lines, anchors, first)
    gaps = _Gaps(text)
    apart = set(_apart(lines, anchors, placed, gaps, first))
    return _joined(_rows(lines, placed, apart, gaps))


def _anchors(text: str, lines: Sequence[Line], first: int) -> list[tuple[int, int]]:
    """Where what each canonical line says begins, in the order of the text."""
    spans = [getattr(node, "span", None) for _, node in lines]
    anchors = [(span.start, number) for number, span in enumerate(spans) if span is not None]
    if text.startswith("fuse", first):
        anchors.append((first, 0))
    for number, (line, _) in enumerate(lines[:-1]):
        item = spans[number + 1]
        if line in ("pool", "output") and item is not None:
            anchors.append((text.rfind(line, 0, item.start), number))
    return sorted(anchors)


def _place(
    text: str, lines: Sequence[Line], anchors: Sequence[tuple[int, int]], first: int
) -> _Placed:
    """Every comment of the text by where it stands in the canonical one."""
    placed = _Placed()
    for comment in _comments(text):
        position = bisect_right(anchors, (comment.start, 0))
        previous = anchors[position - 1][1] if position else None
        following = anchors[position][1] if position < len(anchors) else None
        if comment.own_line and comment.start < first:
            placed.head.append(comment)
        elif not comment.own_line and previous is not None:
            placed.behind.setdefault(previous, []).append(comment)
        elif previous is not None and _closes(comment, previous, following, lines):
            placed.below.setdefault(previous, []).append(comment)
        elif following is not None:
            placed.above.setdefault(following, []).append(comment)
        else:
            placed.tail.append(comment)
    return placed


def _comments(text: str) -> Iterator[_Comment]:
    for match in _TOKENS.finditer(text):
        if match.group().startswith("#"):
            before = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
            own_line = not before.strip()
            yield _Comment(
                match.group().rstrip(), match.start(), own_line, own_line and bool(before)
            )


def _closes(comment: _Comment, previous: int, following: int | None, lines: Sequence[Line]) -> bool:
    """Whether an indented comment stands last in the block that `previous` stands in."""
    inside = lines[previous][0].startswith(" ")
    leaves = following is None or not lines[following][0].startswith(" ")
    return comment.indented and inside and leaves


def _first_code(text: str) -> int:
    """Where the first thing stands that is neither blank nor a comment."""
    match = re.match(r"(?:\s+|#[^\n]*)*", text)
    return match.end() if match else 0


# Blank lines


class _Gaps:
    """Where a text has blank lines."""

    def __init__(self, text: str) -> None:
        rows = text.split("\n")
        self._text = text
        self._starts = list(accumulate((len(row) + 1 for row in rows[:-1]), initial=0))
        self._blank = [not row.strip() for row in rows]

    def line_start(self, offset: int) -> int:
        """Where the line begins that an offset stands on."""
        return self._starts[bisect_right(self._starts, offset) - 1]

    def above(self, offset: int) -> bool:
        """Whether what stands there opens its line, and the line above is blank."""
        row = bisect_right(self._starts, offset) - 1
        opens = _OPENING.fullmatch(self._text, self._starts[row], offset)
        return row > 0 and self._blank[row - 1] and opens is not None


def _apart(
    lines: Sequence[Line],
    anchors: Sequence[tuple[int, int]],
    placed: _Placed,
    gaps: _Gaps,
    first: int,
) -> Iterator[int]:
    """The canonical lines that the author set apart from what still stands above them."""
    if placed.head and gaps.above(first):
        yield 0
    canonical = dict(pairwise([-1, *sorted(number for _, number in anchors)]))
    for (before, previous), (start, number) in pairwise([(first, -1), *anchors]):
        stays = canonical.get(previous) == number or number in placed.above
        if stays and before < gaps.line_start(start) and gaps.above(start):
            yield number


def _rows(
    lines: Sequence[Line], placed: _Placed, apart: set[int], gaps: _Gaps
) -> Iterator[tuple[bool, str]]:
    """The lines of the result, each with whether it is set apart from the one above it."""

    def own(comments: Iterable[_Comment], indent: str = "") -> Iterator[tuple[bool, str]]:
        return ((gaps.above(c.start), indent + c.text) for c in comments)

    yield from own(placed.head)
    ended = False
    for number, (line, _) in enumerate(lines):
        if not line:
            ended = True
            continue
        indent = line[: len(line) - len(line.lstrip())]
        comments = list(own(placed.above.get(number, ()), indent))
        # The rest of a line is a comment anyway, so that several become one.
        behind = " ".join(c.text for c in placed.behind.get(number, ()))
        rows = [*comments, (number in apart, f"{line}  {behind}" if behind else line)]
        yield (ended or rows[0][0], rows[0][1])
        yield from rows[1:]
        yield from own(placed.below.get(number, ()), indent)
        ended = False
    yield from own(placed.tail)


def _joined(rows: Iterable[tuple[bool, str]]) -> str:
    """The rows as one text; what opens a block, or the text, is not set apart."""
    out: list[str] = []
    for is_apart, row in rows:
        opens = not out or (row.startswith(" ") and not out[-1].startswith(" "))
        out += ["", row] if is_apart and not opens else [row]
    return "\n".join(out) + "\n"
