"""YAML texts, reduced to the types of JSON, as trees of located values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..diagnostics.diagnostic import DiagnosticError, Note, fail
from ..diagnostics.source import Source, Span

if TYPE_CHECKING:
    import yaml
from .tree import Located, TreeBuilder, is_literal

_NO_YAML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LONE = re.compile(r"(?<![^\s\[{,:])[?*](?![^\s\]},])")
_QUOTES = 'a lone `?` or `*` stands in quotes in YAML: `"?"`'
_ADVICE = "quote strings, write `key: value`, and indent what belongs together alike"
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
        self._tree = TreeBuilder(source)
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
                    case _:
                        pass
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
        remedy = "YAML is indented with spaces" if place.text == "\t" else _ADVICE
        return fail("E101", message, place, notes=notes, help=_QUOTES if lone else remedy)

    def _character(self, mark: Any) -> Span:
        last = len(self._text.rstrip())
        start = self._shift + (last if mark is None else min(mark.index, last))
        return self._tree.span(start, start + 1)
