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
from typing import TYPE_CHECKING, Any, TypeAlias

from .diagnostics import DiagnosticError, Note, Report, fail
from .parse import DEEPEST
from .source import Source, Span
from .syntax import LONGEST_NUMBER

if TYPE_CHECKING:
    import yaml

MOST_VALUES = 1_000_000
MOST_PROBLEMS = 100
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
        written = raw[at : len(raw) if end < 0 else end].rstrip("\r")
        if not written.endswith(line):
            return None
        start = at + len(written) - len(line)
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
class _Open:
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


class _Tree:
    """Builds the located tree of one text from its keys, scalars, beginnings and ends."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.stack: list[_Open] = []
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
        self.stack.append(_Open(start, *self._place(start), is_object))

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


def shortened(text: str, limit: int = 60) -> str:
    """A text as a message shows it: cut where it is long."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


# JSON


def read_json(source: Source) -> Located:
    """The tree of a JSON text (RFC 8259); raises DiagnosticError where it is none."""
    return _JsonReader(source).read()


class _JsonReader:
    _SPACE = re.compile(r"[ \t\n\r]*")
    _STRING = re.compile(r'"[^"\\\x00-\x1f]*+(?:\\.[^"\\\x00-\x1f]*+)*+')
    _WORD = re.compile(r"[\w.+-]+")

    def __init__(self, source: Source) -> None:
        self._tree = _Tree(source)
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

    def _member(self, container: _Open) -> None:
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
            raise fail("E101", f"a comma stands before `{closing}`", span, help="remove it")

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
        found = word[0] if word else self._text[self._at]
        span = self._tree.span(self._at, self._at + len(found))
        message = f"unexpected `{shortened(found)}`"
        return fail("E101", message, span, help=f"expected {expected}")


# YAML

_NO_YAML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LONE = re.compile(r"(?<![^\s\[{,:])[?*](?![^\s\]},])")
_QUOTES = 'a lone `?` or `*` stands in quotes in YAML: `"?"`'
_DIRECTIVE = re.compile("(?:\\A\ufeff?|[\n\r\x85\u2028\u2029])(%[^\n\r]*)")


def read_yaml(source: Source) -> Located:
    """The tree of a YAML text, of the types of JSON; raises DiagnosticError where it is none."""
    if char := _NO_YAML.search(source.text):
        raise fail("E101", "a character that YAML does not have", Span(source, *char.span()))
    # libyaml takes time quadratic in the number of directives.
    if directive := _DIRECTIVE.search(source.text):
        span = Span(source, *directive.span(1))
        raise fail("E101", "a directive stands here", span, help="remove it")
    return _YamlReader(source).read()


class _YamlReader:
    """Turns the events of a YAML text into calls of the builder."""

    def __init__(self, source: Source) -> None:
        self._tree = _Tree(source)
        self._text = source.text.removeprefix("\ufeff")
        self._shift = len(source.text) - len(self._text)

    def read(self) -> Located:
        import yaml

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            for event in yaml.parse(self._text, Loader=loader):
                match event:
                    case yaml.DocumentStartEvent():
                        self._document(event)
                    case yaml.AliasEvent():
                        remedy = f'write the value itself; a string is `"*{event.anchor}"`'
                        self._no_counterpart(event, "an alias", remedy)
                        self._scalar("", event, plain=True)
                    case yaml.ScalarEvent():
                        self._check_node(event)
                        self._scalar(event.value, event, plain=event.implicit[0])
                    case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                        self._check_node(event)
                        self._open(event, isinstance(event, yaml.MappingStartEvent))
                    case yaml.CollectionEndEvent():
                        span = self._span(event)
                        self._tree.close(span.end if span.end > span.start else None)
        except yaml.MarkedYAMLError as error:
            raise self._malformed(error) from None
        return self._tree.finish()

    def _document(self, event: yaml.Event) -> None:
        if self._tree.root is not None:
            message = "a second document begins here"
            raise fail("E101", message, self._span(event), help="write one in a file")

    def _open(self, event: yaml.Event, is_object: bool) -> None:
        span = self._span(event)
        if self._tree.expects_key:
            raise fail("E101", "a key is not a string", span)
        self._tree.open(span.start, span.end, is_object)

    def _scalar(self, value: str, event: yaml.Event, plain: bool) -> None:
        span = self._span(event)
        start, end = span.start, span.end
        if self._tree.expects_key:
            if plain and not value:
                self._tree.problem("a key is missing", span, _QUOTES)
            elif plain and value == "<<":
                self._no_counterpart(event, "a merge key", "write the members themselves")
            self._tree.key(value, start, end)
        elif plain and is_literal(value):
            self._tree.literal(value, start, end)
        else:
            self._tree.string(value, start, end)

    def _check_node(self, event: yaml.NodeEvent) -> None:
        if event.anchor is not None:
            self._no_counterpart(event, "an anchor", "write the value where it is needed")
        if getattr(event, "tag", None) is not None:
            self._no_counterpart(event, "a tag", "quote what is a string, remove the tag")

    def _no_counterpart(self, event: yaml.Event, what: str, remedy: str) -> None:
        message = f"{what} stands here, which JSON has no counterpart for"
        self._tree.problem(message, self._span(event), remedy)

    def _span(self, event: yaml.Event) -> Span:
        marks: Any = event
        start, end = marks.start_mark.index, marks.end_mark.index
        return self._tree.span(start + self._shift, end + self._shift)

    def _malformed(self, error: yaml.MarkedYAMLError) -> DiagnosticError:
        place = self._character(error.problem_mark or error.context_mark)
        context = self._character(error.context_mark or error.problem_mark)
        lone = _LONE.search(place.source.text, context.start, place.end)
        message = error.problem or "the text is not YAML"
        notes = [Note(error.context, context)] if error.context else []
        return fail("E101", message, place, notes=notes, help=_QUOTES if lone else None)

    def _character(self, mark: Any) -> Span:
        last = len(self._text.rstrip())
        start = self._shift + (last if mark is None else min(mark.index, last))
        return self._tree.span(start, start + 1)
