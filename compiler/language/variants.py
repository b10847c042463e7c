"""Choices that decide a specification as a whole: numbers, counts of families, and roles.

A specification with such holes stands for its variants, one for each way to fill them; what else it
leaves open is filled within one of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import Literal, TypeAlias, TypeVar

from ..diagnostics.source import Span
from . import expression as x
from .nodes import Cell, Definition, NetworkHeader, NumberHole
from .printer import candidate, name, number, signature
from .spec import Spec

Picks: TypeAlias = tuple[int, ...]
"""The place of what is picked among the candidates of each global hole."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class GlobalHole:
    """A hole that is filled for the whole specification: a number, a family's count, or a role."""

    kind: Literal["number", "count", "role"]
    name: str
    hole: NumberHole | x.Hole

    @property
    def place(self) -> str:
        """What it decides."""
        return f"count of {self.name}" if self.kind == "count" else self.name

    @property
    def span(self) -> Span | None:
        return self.hole.span

    @property
    def candidates(self) -> tuple[str, ...]:
        """The candidates as they are written."""
        if isinstance(self.hole, NumberHole):
            return tuple(map(number, self.hole.candidates))
        return tuple(map(candidate, self.hole.candidates))

    def __str__(self) -> str:
        return f"{self.place} = {{{' | '.join(self.candidates)}}}"


Pick: TypeAlias = Callable[[GlobalHole], int]


def global_holes(spec: Spec) -> tuple[GlobalHole, ...]:
    """The global holes of a specification, in the order of its canonical text."""
    found: list[GlobalHole] = []

    def pick(hole: GlobalHole) -> int:
        found.append(hole)
        return 0

    _filled(spec, pick)
    return tuple(found)


def variant(spec: Spec, picks: Sequence[int]) -> Spec:
    """The specification with its global holes filled."""
    left = iter(picks)
    return _filled(spec, lambda hole: next(left))


def number_of_variants(holes: Sequence[GlobalHole]) -> int:
    return prod(len(hole.candidates) for hole in holes)


def every_picks(holes: Sequence[GlobalHole]) -> Iterator[Picks]:
    """Every way to fill global holes."""
    return product(*(range(len(hole.candidates)) for hole in holes))


def picks_one_by_one(holes: Sequence[GlobalHole]) -> Iterator[Picks]:
    """The first candidates, and every other one with the first of all other holes."""
    yield (0,) * len(holes)
    for place, hole in enumerate(holes):
        for pick in range(1, len(hole.candidates)):
            yield tuple(pick * (place == other) for other in range(len(holes)))


def _filled(spec: Spec, pick: Pick) -> Spec:
    return replace(
        spec,
        network=spec.network and _header(spec.network, pick),
        definitions=tuple(_definition(d, pick) for d in spec.definitions),
        cells=tuple(_cell(c, pick) for c in spec.cells),
    )


def _header(header: NetworkHeader, pick: Pick) -> NetworkHeader:
    numbers = tuple(
        (key, _number("number", name(key), value, pick)) for key, value in header.numbers
    )
    return replace(header, numbers=numbers)


def _definition(definition: Definition, pick: Pick) -> Definition:
    hole = definition.body.result
    if not definition.role or not isinstance(hole, x.Hole):
        return definition
    role = signature(definition).removeprefix("role ")
    result = hole.filled(pick(GlobalHole("role", role, hole)))
    return replace(definition, body=replace(definition.body, result=result))


def _cell(cell: Cell, pick: Pick) -> Cell:
    counts = (cell.count, *(step.count for step in cell.steps))
    if not any(isinstance(count, NumberHole) for count in counts):
        return cell
    own = name(cell.name)
    count = _number("count", own, cell.count, pick)
    steps = (
        replace(step, count=_number("count", f"{own}.{name(step.name)}", step.count, pick))
        for step in cell.steps
    )
    return replace(cell, count=count, steps=tuple(steps))


def _number(
    kind: Literal["number", "count"], name: str, value: T | NumberHole, pick: Pick
) -> T | int | float:
    if not isinstance(value, NumberHole):
        return value
    return value.candidates[pick(GlobalHole(kind, name, value))]
