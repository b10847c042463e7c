"""The canonical text of a `.fuse` file with its comments where they belong.

A comment behind something stays behind it; one on a line of its own stays above what follows it,
or at the end of the block that it closes. No comment is ever lost.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from .parse import parse
from .printer import spec_lines

_TOKENS = re.compile(r'"(?:\\.|[^"\\\n])*"|`[^`\n]*`|#[^\n]*')


@dataclass(frozen=True, slots=True)
class _Comment:
    text: str
    start: int
    own_line: bool
    indented: bool


def format_text(text: str, name: str = "<text>") -> str:
    """The canonical text of a specification; raises DiagnosticError where it does not parse."""
    text = text.removeprefix("\ufeff")
    lines = spec_lines(parse(text, name))
    spans = [(getattr(node, "span", None), number) for number, (_, node) in enumerate(lines)]
    anchors = sorted((span.start, number) for span, number in spans if span is not None)
    above: dict[int, list[str]] = {}
    below: dict[int, list[str]] = {}
    behind: dict[int, list[str]] = {}
    head, tail = [], []
    first = _first_code(text)
    for comment in _comments(text):
        position = bisect_right(anchors, (comment.start, 0))
        previous = anchors[position - 1][1] if position else None
        following = anchors[position][1] if position < len(anchors) else None
        if comment.own_line and comment.start < first:
            head.append(comment.text)
        elif not comment.own_line and previous is not None:
            behind.setdefault(previous, []).append(comment.text)
        elif previous is not None and _closes(comment, previous, following, lines):
            below.setdefault(previous, []).append(comment.text)
        elif following is not None:
            above.setdefault(following, []).append(comment.text)
        else:
            tail.append(comment.text)
    out = [*head, *([""] if head and _gap_after_head(text, first) else [])]
    for number, (line, _) in enumerate(lines):
        indent = line[: len(line) - len(line.lstrip())]
        out += [indent + comment for comment in above.get(number, [])]
        out.append("  ".join([line, *_joined(behind.get(number, []))]))
        out += [indent + comment for comment in below.get(number, [])]
    return "\n".join([*out, *tail]).strip("\n") + "\n"


def _comments(text: str) -> Iterator[_Comment]:
    for match in _TOKENS.finditer(text):
        if match.group().startswith("#"):
            before = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
            own_line = not before.strip()
            yield _Comment(
                match.group().rstrip(), match.start(), own_line, own_line and bool(before)
            )


def _joined(comments: list[str]) -> list[str]:
    """Comments behind one line as a single one: the rest of a line is a comment anyway."""
    return [" ".join(comments)] if comments else []


def _closes(
    comment: _Comment, previous: int, following: int | None, lines: list[tuple[str, object]]
) -> bool:
    """Whether an indented comment stands last in the block that `previous` stands in."""
    inside = lines[previous][0].startswith(" ")
    leaves = following is None or not lines[following][0].startswith(" ")
    return comment.indented and inside and leaves


def _first_code(text: str) -> int:
    """Where the first thing stands that is neither blank nor a comment."""
    match = re.match(r"(?:\s+|#[^\n]*)*", text)
    return match.end() if match else 0


def _gap_after_head(text: str, first: int) -> bool:
    return bool(re.search(r"\n[ \t\r]*\n\s*$", text[:first]))
