"""The notation of the published code of BM-NAS: text ⇄ `Genotype`.

    Genotype(edges=[('skip', 2), ('skip', 7)],
             steps=[StepGenotype(inner_edges=[('skip', 0), ('skip', 1)],
                                 inner_steps=['ScaleDotAttn'], inner_concat=[2])],
             concat=[8])

NOTE: what the published code calls a step, as in `StepGenotype`, is a Cell here and in the paper.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput

from ...grammars import read
from ..diagnostics.diagnostic import DiagnosticError, Note, Report, fail
from ..diagnostics.source import Name, Source, Span
from ..diagnostics.text import shortened
from ..language.nodes import Operation

EDGE_KIND = "skip"
LONGEST_GENOTYPE = 1_000_000
LONGEST_INDEX = 9
MOST_ERRORS = 20
CLOSING = "best fusion_net genotype"
"""What a log of the published code has before the genotype that its search ends with."""
_WHICH = "keep the one that is meant: a log has it last where its search came to an end"
_FRIENDLY = {"INDEX": "an index", "STRING": "a string"}


@dataclass(frozen=True, slots=True)
class Index:
    """A predecessor, or something merged, by its position in a sequence."""

    position: int
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CellGenotype:
    """`StepGenotype(inner_edges, inner_steps, inner_concat)`: the inside of a Cell.

    `operations` have the published code's names.
    """

    edges: tuple[Index, ...]
    operations: tuple[Operation, ...]
    concat: tuple[Index, ...]
    span: Span | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        names = [o.name for o in self.operations]
        return (
            f"StepGenotype(inner_edges={_pairs(self.edges)}, inner_steps={names}, "
            f"inner_concat={[i.position for i in self.concat]})"
        )


@dataclass(frozen=True, slots=True)
class Genotype:
    """`Genotype(edges, steps, concat)`; its text is the published code's, to the character."""

    edges: tuple[Index, ...]
    cells: tuple[CellGenotype, ...]
    concat: tuple[Index, ...]
    span: Span | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return (
            f"Genotype(edges={_pairs(self.edges)}, steps=[{', '.join(map(str, self.cells))}], "
            f"concat={[i.position for i in self.concat]})"
        )


def _pairs(edges: Iterable[Index]) -> list[tuple[str, int]]:
    return [(EDGE_KIND, edge.position) for edge in edges]


def read_genotype(text: str, name: str = "<genotype>") -> Genotype:
    """The genotype that stands in a text; raises DiagnosticError."""
    if len(text) > LONGEST_GENOTYPE:
        raise fail("E004", f"the text is longer than {LONGEST_GENOTYPE:,} characters")
    source = Source(name, text)
    start, end = _extent(source)
    report = Report()
    try:
        tree = _parser().parse(text[start:end])
        genotype: Genotype = _GenotypeBuilder(source, start, report).transform(tree)
    except UnexpectedInput as error:
        raise _syntax_error(source, start, end, error) from None
    raise_first(report)
    return genotype


@cache
def _parser() -> Lark:
    return Lark(read("genotype.lark"), start="genotype", parser="lalr")


def _extent(source: Source) -> tuple[int, int]:
    """Where the genotype of a text begins, and where its brackets are closed."""
    starts = [m.start() for m in re.finditer(r"(?<!\w)Genotype\s*\(", source.text)]
    if not starts:
        first = len(source.text) - len(source.text.lstrip())
        message = "there is no `Genotype(…)` in the text"
        remedy = "give a line of the published code's log: `Genotype(edges=[…], …)`"
        raise fail("E601", message, Span(source, first, first + 1), help=remedy)
    if len(starts) > 1:
        closing = source.text.rfind(CLOSING)
        starts = [s for s in starts if s > closing >= 0][:1] or starts
    if len(starts) > 1:
        spans = [Span(source, s, s + len("Genotype")) for s in starts[:2]]
        message = f"there are {len(starts)} genotypes in the text"
        notes = [Note("the first stands here", spans[0])]
        raise fail("E601", message, spans[1], help=_WHICH, notes=notes)
    depth = 0
    for match in re.finditer(r"'[^'\n]*'|\"[^\"\n]*\"|[()\[\]]", source.text[starts[0] :]):
        depth += 1 if match[0] in "([" else -1 if match[0] in ")]" else 0
        if depth == 0:
            return starts[0], starts[0] + match.end()
    return starts[0], len(source.text)


def _syntax_error(source: Source, start: int, end: int, error: UnexpectedInput) -> DiagnosticError:
    token = getattr(error, "token", None)
    if isinstance(error, UnexpectedCharacters):
        expected: set[str] = set(error.allowed or ())
        at: int = start + (getattr(error, "pos_in_stream", None) or 0)
        word = re.compile(r"\w*").match(source.text, at)
        lexeme = (word[0] if word else "") or source.text[at]
        span = Span(source, at, at + len(lexeme))
        is_quote = lexeme in "'\""
        message = "a string is not closed" if is_quote else f"unexpected `{shortened(lexeme)}`"
    else:
        expected = set(getattr(error, "accepts", None) or getattr(error, "expected", None) or ())
        if token is None or token.type == "$END":
            at = start + len(source.text[start:end].rstrip())
            span, message = Span(source, at, at + 1), "unexpected end of the genotype"
        else:
            span = Span(source, start + token.start_pos, start + token.end_pos)
            message = f"unexpected `{shortened(token)}`"
    return fail("E601", message, span, help=_remedy(expected))


def _remedy(expected: set[str]) -> str | None:
    words = {t.name: f"`{t.pattern.value}`" for t in _parser().terminals} | _FRIENDLY
    shown = sorted(words[terminal] for terminal in expected if terminal in words)
    return f"expected {' or '.join(shown)}" if shown else None


_Field = tuple[Token, tuple[Any, ...]]
"""An argument: its name, and what stands in its list."""


class _GenotypeBuilder(Transformer[Token, Any]):
    """Turns the parse tree into a Genotype, bottom up; `offset` is where the tree's text begins."""

    def __init__(self, source: Source, offset: int, report: Report) -> None:
        super().__init__()
        self._source, self._offset, self._report = source, offset, report

    def _span(self, token: Token) -> Span:
        start, end = token.start_pos or 0, token.end_pos or 0
        return Span(self._source, self._offset + start, self._offset + end)

    def genotype(self, parts: list[Any]) -> Genotype:
        head, *fields = parts
        edges, cells, concat = self._fields(head, ("edges", "steps", "concat"), fields)
        return Genotype(edges, cells, concat, self._span(head))

    def step(self, parts: list[Any]) -> CellGenotype:
        head, *fields = parts
        names = ("inner_edges", "inner_steps", "inner_concat")
        edges, operations, concat = self._fields(head, names, fields)
        return CellGenotype(edges, operations, concat, self._span(head))

    def _fields(
        self, head: Token, names: Sequence[str], parts: Sequence[_Field]
    ) -> list[tuple[Any, ...]]:
        """The arguments in the order of `names`, each of which has to stand exactly once."""
        fields: dict[str, tuple[Any, ...]] = {}
        for token, items in parts:
            if token in fields:
                self._report.add("E601", f"`{token}` is given twice", self._span(token))
            fields[str(token)] = items
        for name in (n for n in names if n not in fields):
            remedy = f"add `{name}=[…]`"
            self._report.add("E601", f"`{name}` is missing", self._span(head), help=remedy)
        return [fields.get(name, ()) for name in names]

    def field(self, parts: list[Any]) -> _Field:
        return parts[0], tuple(parts[1:])

    def edge(self, parts: list[Token]) -> Index:
        kind, position = parts
        if kind[1:-1] != EDGE_KIND:
            message = f"an edge of kind `{shortened(kind[1:-1])}`"
            remedy = f"edges of the published code are `{EDGE_KIND}`"
            self._report.add("E602", message, self._span(kind), help=remedy)
        return self._index(position)

    def index(self, parts: list[Token]) -> Index:
        return self._index(parts[0])

    def _index(self, token: Token) -> Index:
        if len(token) > LONGEST_INDEX:
            message = f"an index has {len(token)} digits"
            self._report.add("E602", message, self._span(token))
            return Index(0, self._span(token))
        return Index(int(token), self._span(token))

    def operation(self, parts: list[Token]) -> Operation:
        return Operation(Name(parts[0][1:-1], self._span(parts[0])))


def raise_first(report: Report) -> None:
    """Raises the first errors of a report, if there are any."""
    if report.errors:
        raise DiagnosticError(report.sorted()[:MOST_ERRORS])
