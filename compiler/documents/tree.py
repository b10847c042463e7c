"""JSON and YAML texts as one tree of located values, from which documents are read.

NOTE: both readers feed one builder, which holds the bounds: no key twice, at most `DEEPEST`
levels and `MOST_VALUES` values. Neither recurses. YAML is reduced to the types of JSON: plain
scalars are null, booleans and numbers where JSON would read them so and strings otherwise, and
what JSON has no counterpart for (anchors, aliases, tags, merge keys, directives, several
documents) is refused, so that nothing in a text can stand for more than its own characters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ..diagnostics.diagnostic import Note, Report, fail, one_of
from ..diagnostics.source import Source, Span
from ..diagnostics.text import shortened
from ..language.limits import DEEPEST, LONGEST_NUMBER

MOST_VALUES = 1_000_000
MOST_PROBLEMS = 100
_UNREADABLE = 10**LONGEST_NUMBER
Scalar: TypeAlias = bool | int | float | str | None

_LITERALS: Mapping[str, Scalar] = {"null": None, "true": True, "false": False}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Path:
    """The way from the root of a document to a value; the root's own is None."""

    parent: Path | None
    key: str | int


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """A value of a document, and where it stands: characters `start` to `end` of `source`.

    The content of an object is a mapping, that of an array a tuple. `key` is the range of the
    key that a member of an object stands under.
    """

    content: Scalar | tuple[Located, ...] | Mapping[str, Located]
    source: Source = field(repr=False)
    start: int
    end: int
    path: Path | None = None
    key: tuple[int, int] | None = None

    @property
    def pointer(self) -> str:
        """The JSON pointer (RFC 6901) of the value."""
        parts = []
        path = self.path
        while path is not None:
            parts.append("/" + str(path.key).replace("~", "~0").replace("/", "~1"))
            path = path.parent
        return "".join(reversed(parts))

    @property
    def span(self) -> Span:
        return Span(self.source, self.start, self.end, self.pointer)

    @property
    def key_span(self) -> Span:
        """Where the key stands; the value itself where it is no member of an object."""
        start, end = self.key or (self.start, self.end)
        return Span(self.source, start, end, self.pointer)

    @property
    def members(self) -> Mapping[str, Located]:
        """The members of an object; of any other value, none."""
        return self.content if isinstance(self.content, Mapping) else {}

    @property
    def items(self) -> tuple[Located, ...]:
        """The items of an array; of any other value, none."""
        return self.content if isinstance(self.content, tuple) else ()

    def at(self, path: Iterable[str | int]) -> Located:
        """The value at the end of a path of keys and indices; raises KeyError or IndexError."""
        node = self
        for key in path:
            node = node.items[key] if isinstance(key, int) else node.members[key]
        return node

    def plain(self) -> Any:
        """The value as Python's lists, dictionaries and scalars."""
        if isinstance(self.content, Mapping):
            return {key: member.plain() for key, member in self.content.items()}
        if isinstance(self.content, tuple):
            return [item.plain() for item in self.content]
        return self.content

    def offsets(self) -> Sequence[int] | None:
        """Where in the source each character of a string stands, and its end; None if unknown.

        Exact for JSON, and for YAML where the value stands in the source as it is, indented
        as a literal block (`|`), or with the escapes that JSON has.
        """
        value, raw = str(self.content), self.source.text[self.start : self.end]
        if raw == value:
            return range(self.start, self.end + 1)
        if raw[:1] in ("'", '"') and raw[1:-1] == value:
            return range(self.start + 1, self.end)
        within = _literal_block(raw, value) if raw[:1] == "|" else _escaped(raw, value)
        return None if within is None else [self.start + offset for offset in within]


def _escaped(raw: str, value: str) -> list[int] | None:
    """Offsets in a string literal of JSON, escapes and surrogate pairs included."""
    pair = r"\\u[dD][89abAB]..\\u[dD][c-fC-F].."
    units = re.finditer(pair + r"|\\u....|\\.|.", raw[1:-1], re.DOTALL)
    offsets = [1 + unit.start() for unit in units] + [len(raw) - 1]
    try:
        same = json.loads(raw) == value and len(offsets) == len(value) + 1
    except ValueError:
        return None
    return offsets if same else None


def _literal_block(raw: str, value: str) -> list[int] | None:
    """Offsets in a block scalar of YAML, whose lines are those of the value, indented."""
    offsets: list[int] = []
    at = raw.find("\n") + 1
    for line in value.split("\n"):
        end = raw.find("\n", at)
        raw_line = raw[at : len(raw) if end < 0 else end].rstrip("\r")
        if not raw_line.endswith(line):
            return None
        start = at + len(raw_line) - len(line)
        offsets += range(start, start + len(line) + 1)
        at = len(raw) if end < 0 else end + 1
    return offsets


def is_literal(text: str) -> bool:
    """Whether a plain scalar of YAML is null, a boolean or a number here, and not a string."""
    return not text or text in _LITERALS or _NUMBER.fullmatch(text) is not None


def _literal(text: str) -> Scalar:
    if not text or text in _LITERALS:
        return _LITERALS.get(text)
    return int(text) if text.lstrip("-").isdecimal() else float(text)


@dataclass(slots=True)
class OpenValue:
    """An object or array whose end has not been read yet."""

    start: int
    path: Path | None
    key: tuple[int, int] | None
    is_object: bool
    members: dict[str, Located] = field(default_factory=dict)
    items: list[Located] = field(default_factory=list)
    awaited: tuple[str, tuple[int, int]] | None = None

    @property
    def is_empty(self) -> bool:
        return not self.members and not self.items


class TreeBuilder:
    """Builds the located tree of one text from its keys, scalars, beginnings and ends."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.stack: list[OpenValue] = []
        self.root: Located | None = None
        self._report = Report()
        self._values = 0

    @property
    def expects_key(self) -> bool:
        return bool(self.stack) and self.stack[-1].is_object and self.stack[-1].awaited is None

    def span(self, start: int, end: int) -> Span:
        return Span(self.source, start, end)

    def problem(
        self, message: str, span: Span, help: str | None = None, notes: Iterable[Note] = ()
    ) -> None:
        """Keeps a diagnostic; what follows can still be read."""
        self._report.add("E101", message, span, help=help, notes=notes)
        if len(self._report.diagnostics) >= MOST_PROBLEMS:
            self._report.raise_errors()

    def key(self, text: str, start: int, end: int) -> None:
        container = self.stack[-1]
        if text in container.members:
            first = container.members[text].key_span
            notes = [Note("the first stands here", first)]
            message = f"the key `{shortened(text)}` stands twice"
            self.problem(message, self.span(start, end), "keep one of them", notes)
        self._check_characters(text, start, end)
        container.awaited = text, (start, end)

    def string(self, value: str, start: int, end: int) -> None:
        self._check_characters(value, start, end)
        self._add(value, start, end)

    def literal(self, text: str, start: int, end: int) -> None:
        """A scalar whose text `is_literal`."""
        if len(text) > LONGEST_NUMBER:
            self.problem("a number has too many digits", self.span(start, end))
            text = "1"
        value = _literal(text)
        if value in (float("inf"), float("-inf")):
            self.problem(f"the number `{text}` is too large", self.span(start, end))
        self._add(value, start, end)

    def open(self, start: int, end: int, is_object: bool) -> None:
        if len(self.stack) >= DEEPEST:
            message = f"the document is nested more than {DEEPEST} deep"
            raise fail("E101", message, self.span(start, end))
        self.stack.append(OpenValue(start, *self._place(start), is_object))

    def close(self, end: int | None) -> None:
        """Ends the innermost object or array: at `end`, or else with its last value."""
        container = self.stack.pop()
        content: Any = container.members if container.is_object else tuple(container.items)
        if end is None:
            values = container.members.values() if container.is_object else container.items
            end = max((value.end for value in values), default=container.start)
        place = container.path, container.key
        self._attach(Located(content, self.source, container.start, end, *place))

    def finish(self) -> Located:
        """The root; raises DiagnosticError with the problems kept."""
        self._report.raise_errors()
        if self.root is None:
            raise fail("E101", "the document is empty", self.span(0, len(self.source.text)))
        return self.root

    def _check_characters(self, text: str, start: int, end: int) -> None:
        if _SURROGATE.search(text):
            self.problem("half of a surrogate pair is no character", self.span(start, end))

    def _add(self, value: Scalar, start: int, end: int) -> None:
        self._attach(Located(value, self.source, start, end, *self._place(start)))

    def _place(self, start: int) -> tuple[Path | None, tuple[int, int] | None]:
        """The path of the value that comes next, and the range of its key."""
        self._values += 1
        if self._values > MOST_VALUES:
            message = f"the document has more than {MOST_VALUES:,} values"
            raise fail("E004", message, self.span(start, start + 1))
        if not self.stack:
            return None, None
        container = self.stack[-1]
        if container.awaited is None:
            return Path(container.path, len(container.items)), None
        key, place = container.awaited
        return Path(container.path, key), place

    def _attach(self, node: Located) -> None:
        if not self.stack:
            self.root = node
        elif (container := self.stack[-1]).awaited is None:
            container.items.append(node)
        else:
            container.members[container.awaited[0]] = node
            container.awaited = None


def described(value: object) -> str:
    """A plain value as a message names it."""
    match value:
        case None | bool():
            return f"`{json.dumps(value)}`"
        case int() if abs(value) >= _UNREADABLE:
            return "a number of too many digits"
        case int() | float():
            return f"the number `{value}`"
        case str():
            return f"the string `{shortened(value)}`" if value else "an empty string"
        case list():
            return f"a list of {len(value)}" if value else "an empty list"
        case dict():
            keys = one_of([shortened(str(key)) for key in value], 3)
            return f"an object with {keys}" if value else "an empty object"
        case _:
            return f"of the type {type(value).__name__}"
