"""Genotypes that the published code of BM-NAS pickled: read as data, its two namedtuples alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from ..diagnostics.diagnostic import fail
from ..diagnostics.source import Name
from ..diagnostics.text import shortened
from ..language.nodes import Operation
from ..system.pickles import read_pickle
from .notation import EDGE_KIND, LONGEST_GENOTYPE, CellGenotype, Genotype, Index

T = TypeVar("T")

MODULE: Final = "models.search.darts.genotypes"
"""Where the published code keeps its namedtuples."""
MOST_ITEMS = 10_000
"""Edges, Steps and Cells of a genotype: a pickle may have a list many times at no cost."""
LARGEST_INDEX = 1_000_000
LONGEST_OPERATION = 100
_BEGINS = re.compile(rb"\x80[\x02-\x05]|c[\w.]+\n[\w.]+\n|\(")


def is_pickle(content: bytes) -> bool:
    """Whether a file begins and ends as a pickle does."""
    return _BEGINS.match(content) is not None and content.endswith(b".")


@dataclass(frozen=True, slots=True)
class _Whole:
    """What a pickle has as `Genotype`."""

    edges: Any
    steps: Any
    concat: Any


@dataclass(frozen=True, slots=True)
class _Inner:
    """What a pickle has as `StepGenotype`."""

    edges: Any
    operations: Any
    concat: Any


def unpickle_genotype(content: bytes, name: str) -> Genotype:
    """The genotype in a pickle; raises DiagnosticError, E601 where it is or has anything else."""
    if len(content) > LONGEST_GENOTYPE:
        raise fail("E004", f"`{name}` is longer than {LONGEST_GENOTYPE:,} bytes")
    try:
        value = read_pickle(
            content, {f"{MODULE}.Genotype": _Whole, f"{MODULE}.StepGenotype": _Inner}
        )
        return _Reading().genotype(value)
    except ValueError as error:
        remedy = f"a pickle has `Genotype` and `StepGenotype` of `{MODULE}`, and nothing else"
        raise fail("E601", f"`{name}` is no genotype: {error}", help=remedy) from None


class _Reading:
    """Values as they have to be, and not too many of them; raises ValueError."""

    def __init__(self) -> None:
        self.left = MOST_ITEMS

    def genotype(self, value: Any) -> Genotype:
        if not isinstance(value, _Whole):
            raise ValueError(f"it holds {_kind(value)}, not a `Genotype`")
        edges, cells = self.edges(value.edges), self.items("steps", value.steps, self.cell)
        return Genotype(edges, cells, self.indices("concat", value.concat))

    def cell(self, value: Any) -> CellGenotype:
        if not isinstance(value, _Inner):
            raise ValueError(f"its `steps` hold {_kind(value)}, not a `StepGenotype`")
        operations = self.items("inner_steps", value.operations, _operation)
        concat = self.indices("inner_concat", value.concat)
        return CellGenotype(self.edges(value.edges), operations, concat)

    def edges(self, value: Any) -> tuple[Index, ...]:
        return self.items("edges", value, _edge)

    def indices(self, what: str, value: Any) -> tuple[Index, ...]:
        return self.items(what, value, _index)

    def items(self, what: str, value: Any, read: Callable[[Any], T]) -> tuple[T, ...]:
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"its `{what}` are {_kind(value)}, not a list")
        items: Sequence[Any] = value  # pyright: ignore[reportUnknownVariableType]
        self.left -= len(items)
        if self.left < 0:
            raise ValueError(f"it has more than {MOST_ITEMS:,} edges, Steps and Cells")
        return tuple(map(read, items))


def _edge(value: Any) -> Index:
    match value:
        case (str(kind), position) if kind == EDGE_KIND:
            return _index(position)
        case _:
            raise ValueError(f"an edge of it is no pair of `{EDGE_KIND}` and an index")


def _index(value: Any) -> Index:
    if type(value) is not int or not 0 <= value < LARGEST_INDEX:
        raise ValueError(f"an index in it is no whole number from 0 to {LARGEST_INDEX - 1:,}")
    return Index(value)


def _operation(value: Any) -> Operation:
    if not isinstance(value, str) or len(value) > LONGEST_OPERATION:
        raise ValueError("the name of an operation in it is no text, or a long one")
    return Operation(Name(value))


def _kind(value: Any) -> str:
    return f"a `{shortened(type(value).__name__.removeprefix('_'))}`"
