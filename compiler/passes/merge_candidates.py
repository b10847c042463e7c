"""A mixture in which a candidate stands several times takes it once, with its weights summed.

So `f(m, m)` and Σ w_i m cost what they are: under the published relaxation a Step's x and y are
one mixture.
"""

from __future__ import annotations

from ..program.program import Program, Value
from ..program.rewrite import Rewrite, rewritten

STAGES = ("training", "member", "compiled", "inference")


def run(program: Program) -> Program:
    """The program whose mixtures have no candidate twice."""
    return rewritten(program, _merged)


def _merged(rewrite: Rewrite, index: int, value: Value) -> int | None:
    if value.primitive != "mix":
        return None
    weights, *candidates = value.arguments
    places: dict[int, list[int]] = {}
    for place, candidate in enumerate(candidates):
        places.setdefault(candidate, []).append(place)
    if len(places) == len(candidates):
        return None
    groups = tuple(tuple(group) for group in places.values())
    summed = rewrite.add("sum_weights", [weights], {"groups": groups}, value.scope)
    return rewrite.add("mix", [summed, *places], {}, value.scope)
