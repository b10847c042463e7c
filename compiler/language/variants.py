"""Choices that decide a specification as a whole: numbers, counts of families, and roles.

A specification with such holes stands for its variants, one for each way to fill them; what else it
leaves open is filled within one of these.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count, product
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
    """A hole that is filled for the whole specification: a number, a family's count, or a role.

    `names` are those of the number, of the Cell and the Step, or the signature of the role.
    """

    kind: Literal["number", "count", "role"]
    names: tuple[str, ...]
    hole: NumberHole | x.Hole

    @property
    def place(self) -> str:
        """What it decides."""
        if self.kind == "role":
            return self.names[0]
        place = ".".join(map(name, self.names))
        return f"count of {place}" if self.kind == "count" else place

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


MOST_LISTED = 64
"""Of how many variants every one is looked at."""
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


def some_picks(holes: Sequence[GlobalHole]) -> Iterator[Picks]:
    """Every way to fill global holes, where they are few; else each candidate with the first of all
    other holes. The first are always those of all holes.
    """
    sizes = [len(hole.candidates) for hole in holes]
    if prod(sizes) <= MOST_LISTED:
        yield from product(*map(range, sizes))
        return
    yield (0,) * len(holes)
    for place, size in enumerate(sizes):
        for pick in range(1, size):
            yield tuple(pick * (place == other) for other in range(len(holes)))


def picks_of(spec: Spec, filled: Spec) -> tuple[int | None, ...]:
    """What a specification without global holes picks in each of another's, None in a foreign one.

    Its families may be expanded, and its other holes filled.
    """
    return tuple(_pick_of(hole, filled) for hole in global_holes(spec))


def _pick_of(hole: GlobalHole, filled: Spec) -> int | None:
    if isinstance(hole.hole, x.Hole):
        roles = (d for d in filled.definitions if d.role)
        result = next((d.body.result for d in roles if _role(d) == hole.names[0]), None)
        calls = [hole.hole.filled(place) for place in range(len(hole.candidates))]
        return calls.index(result) if result in calls else None
    value = _stated(hole, filled)
    return hole.hole.candidates.index(value) if value in hole.hole.candidates else None


def _stated(hole: GlobalHole, filled: Spec) -> object:
    """The number that a specification states, or has as the count of a family."""
    cell, *step = hole.names
    if hole.kind == "number":
        return dict(filled.network.numbers).get(cell) if filled.network else None
    cells = {one.name: one for one in filled.cells}
    if not step:
        return _members(cell, cells)
    own = cells.get(cell) or cells.get(f"{cell}_1")
    return _members(step[0], [one.name for one in own.steps] if own else [])


def _members(family: str, names: Collection[str]) -> int:
    """How many members of a family there are among names."""
    return next(n for n in count() if f"{family}_{n + 1}" not in names)


def _filled(spec: Spec, pick: Pick) -> Spec:
    return replace(
        spec,
        network=spec.network and _header(spec.network, pick),
        definitions=tuple(_definition(d, pick) for d in spec.definitions),
        cells=tuple(_cell(c, pick) for c in spec.cells),
    )


def _header(header: NetworkHeader, pick: Pick) -> NetworkHeader:
    numbers = ((k, _number("number", (k,), value, pick)) for k, value in header.numbers)
    return replace(header, numbers=tuple(numbers))


def _definition(definition: Definition, pick: Pick) -> Definition:
    hole = definition.body.result
    if not definition.role or not isinstance(hole, x.Hole):
        return definition
    result = hole.filled(pick(GlobalHole("role", (_role(definition),), hole)))
    return replace(definition, body=replace(definition.body, result=result))


def _role(definition: Definition) -> str:
    return signature(definition).removeprefix("role ")


def _cell(cell: Cell, pick: Pick) -> Cell:
    counts = (cell.count, *(step.count for step in cell.steps))
    if not any(isinstance(count, NumberHole) for count in counts):
        return cell
    members = _number("count", (cell.name,), cell.count, pick)
    steps = (
        replace(step, count=_number("count", (cell.name, step.name), step.count, pick))
        for step in cell.steps
    )
    return replace(cell, count=members, steps=tuple(steps))


def _number(
    kind: Literal["number", "count"], names: tuple[str, ...], value: T | NumberHole, pick: Pick
) -> T | int | float:
    if not isinstance(value, NumberHole):
        return value
    return value.candidates[pick(GlobalHole(kind, names, value))]
