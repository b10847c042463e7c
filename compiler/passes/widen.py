"""Linear maps of one value become one wide map, and the batch norms behind them one batch norm.

Each takes its part of the result. Weights are joined where the map is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..program.program import Program, Value
from ..program.rewrite import Rewrite

STAGES = ("training", "compiled")
"""In inference the parts would cross the Cells and Steps that a file keeps apart."""


@dataclass(frozen=True)
class _Branch:
    """A linear map, and the batch norm that alone reads it, if there is one."""

    linear: int
    norm: int | None


def run(program: Program) -> Program:
    """The program with one linear map for each value that several weights are applied to."""
    groups = _groups(program)
    first = {group[0].linear: group for group in groups}
    joined = {b.linear for g in groups for b in g} | {b.norm for g in groups for b in g}
    rewrite = Rewrite(program)
    for index, value in enumerate(program.values):
        if index in first:
            _widen(program, rewrite, first[index])
        elif index not in joined and not rewrite.is_moved(index):
            rewrite.keep(index, rewrite.moved(value))
    return rewrite.program()


def _groups(program: Program) -> list[list[_Branch]]:
    """Branches to join: of the same value, all with a batch norm alike, or all without."""
    values, readers = program.values, program.readers()
    found: dict[object, list[_Branch]] = {}
    for index, value in enumerate(values):
        if value.primitive != "linear" or values[value.arguments[1]].type.batched:
            continue
        after = [r for r in readers[index] if values[r].primitive == "normalised"]
        norm = after[0] if len(after) == 1 == len(readers[index]) else None
        kind = None if norm is None else _settings(values[norm])
        found.setdefault((value.arguments[0], kind), []).append(_Branch(index, norm))
    return [group for group in found.values() if len(group) > 1]


def _settings(norm: Value) -> tuple[object, ...]:
    return tuple(item for item in norm.attributes if item[0] != "sizes")


def _widen(program: Program, rewrite: Rewrite, group: Sequence[_Branch]) -> None:
    values, scope = program.values, program.values[group[0].linear].scope
    weights = [rewrite.needed(values[b.linear].arguments[1]) for b in group]
    x = rewrite[values[group[0].linear].arguments[0]]
    weight = rewrite.add("concat", weights, {}, scope)
    result = rewrite.add("linear", [x, weight], {}, scope)
    sizes = tuple(values[b.linear].type.channels() for b in group)
    norms = [values[b.norm] for b in group if b.norm is not None]
    if norms:
        owned = [[rewrite.needed(a) for a in n.arguments[1:]] for n in norms]
        by_kind = [one[kind] for kind in range(5) for one in owned]
        attributes = dict(norms[0].attributes) | {"sizes": sizes}
        result = rewrite.add("normalised", [result, *by_kind], attributes, scope)
    for index, branch in enumerate(group):
        part = {"sizes": sizes, "index": index}
        place = branch.linear if branch.norm is None else branch.norm
        taken = rewrite.add("part", [result], part, values[place].scope)
        for old in (branch.linear, branch.norm):
            if old is not None:
                rewrite.alias(old, taken)
