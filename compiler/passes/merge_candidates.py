"""A mixture in which a candidate stands several times takes it once, with its weights summed.

So `f(m, m)` and Σ w_i m cost what they are: under the published relaxation a Step's x and y are
one mixture.
"""

from __future__ import annotations

from ..program import Program
from ..rewrite import Rewrite

ORDER = 22
STAGES = ("training", "compiled", "inference")


def run(program: Program) -> Program:
    """The program whose mixtures have no candidate twice."""
    rewrite = Rewrite(program)
    for index, value in enumerate(program.values):
        moved = rewrite.moved(value)
        weights, *candidates = moved.arguments or (0,)
        places: dict[int, list[int]] = {}
        for place, candidate in enumerate(candidates):
            places.setdefault(candidate, []).append(place)
        if value.primitive != "mix" or len(places) == len(candidates):
            rewrite.keep(index, moved)
            continue
        groups = tuple(tuple(group) for group in places.values())
        summed = rewrite.add("sum_weights", [weights], {"groups": groups}, value.scope)
        rewrite.alias(index, rewrite.add("mix", [summed, *places], {}, value.scope))
    return rewrite.program()
