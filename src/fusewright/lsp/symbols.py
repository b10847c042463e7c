"""Where the names of a `.fuse` text are declared and where they are used.

An `Occurrence` is one place where a name stands, bound to the `Symbol` that it means. A family
`Cell[2]` is one symbol with the stem `Cell`; `Cell_1` and `Cell_2` are occurrences of it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

from ..compiler.diagnostics.source import Span
from ..compiler.language.nodes import (
    Cell,
    CellInput,
    Definition,
    Feature,
    Modality,
    NetworkHeader,
    Operation,
    Predict,
    Reference,
    Step,
    Use,
)
from ..compiler.network.vocabulary import Vocabulary, library

Kind = Literal[
    "network",
    "number",
    "library",
    "modality",
    "feature",
    "cell",
    "input",
    "step",
    "head",
    "operation",
    "role",
    "parameter",
    "variable",
]
"""`parameter`: a number that an operation takes by name; `variable`: any other name in an equation,
its inputs, parts and weights."""
Node: TypeAlias = (
    NetworkHeader
    | Use
    | Modality
    | Feature
    | Cell
    | CellInput
    | Step
    | Operation
    | Definition
    | Predict
    | Reference
    | None
)


@dataclass(frozen=True, slots=True)
class Symbol:
    """What a name means.

    `scope` is the index of the Cell or definition outside of which the name means nothing, or the
    name of the operation whose parameter it is; `library` is where an operation comes from that is
    not the specification's own; `family` marks the stem of `NAME[n]`.
    """

    name: str
    kind: Kind
    scope: int | str | None = None
    library: str | None = None
    family: bool = False


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A place where a symbol is named; `written` is the name there, without backticks.

    `node` is the declaration or the use that the name belongs to.
    """

    symbol: Symbol
    span: Span
    written: str
    declares: bool
    node: Node = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Symbols:
    """The occurrences of a text in its order, and the slots that unnamed inputs of Cells are."""

    occurrences: tuple[Occurrence, ...]
    unnamed: Mapping[Symbol, Span]
    vocabulary: Vocabulary

    @cached_property
    def _starts(self) -> list[int]:
        return [o.span.start for o in self.occurrences]

    @cached_property
    def _by_symbol(self) -> Mapping[Symbol, tuple[Occurrence, ...]]:
        by_symbol: dict[Symbol, list[Occurrence]] = {}
        for occurrence in self.occurrences:
            by_symbol.setdefault(occurrence.symbol, []).append(occurrence)
        return {symbol: tuple(places) for symbol, places in by_symbol.items()}

    def at(self, offset: int) -> Occurrence | None:
        """The occurrence that an offset stands in or directly behind."""
        index = bisect_right(self._starts, offset) - 1
        if index < 0 or self.occurrences[index].span.end < offset:
            return None
        return self.occurrences[index]

    def of(self, symbol: Symbol) -> tuple[Occurrence, ...]:
        """Every occurrence of a symbol, in the order of the text."""
        return self._by_symbol.get(symbol, ())

    def declarations(self, symbol: Symbol) -> list[Span]:
        """Where a symbol is declared: in the text, or in the file of its library."""
        if symbol.library is not None:
            definitions = library(symbol.library).operations.get(symbol.name, ())
            return [d.span for d in definitions if d.span is not None]
        if symbol in self.unnamed:
            return [self.unnamed[symbol]]
        return [o.span for o in self.of(symbol) if o.declares]

    def definitions(self, symbol: Symbol) -> tuple[Definition, ...]:
        """The definitions of an operation, one for each number of inputs."""
        return definitions_of(symbol, self.vocabulary)


def definitions_of(operation: Symbol, vocabulary: Vocabulary) -> tuple[Definition, ...]:
    """The definitions that a symbol stands for, one for each number of inputs."""
    home = vocabulary if operation.library is None else library(operation.library)
    return home.operations.get(operation.name, ())
