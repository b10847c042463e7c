"""A bias before batch norm: training subtracts it again with the mean, so it only moves that."""

from __future__ import annotations

from ..program import Program
from ..rewrite import Rewrite

ORDER = 30
STAGES = ("training", "compiled")


def run(program: Program) -> Program:
    """The program whose batch norms take the bias before them as an argument."""
    rewrite, readers = Rewrite(program), program.readers()
    for index, value in enumerate(program.values):
        moved = rewrite.moved(value)
        if value.primitive == "batchnorm":
            x, *owned = moved.arguments
            before = rewrite.values[x]
            alone = readers[value.arguments[0]] == [index]
            if before.primitive == "add" and alone:
                pairs = (before.arguments, before.arguments[::-1])
                pair = next((p for p in pairs if _is_bias(rewrite, *p)), None)
                if pair is not None:
                    arguments = [*pair, *owned]
                    attributes = dict(value.attributes) | {"sizes": (value.type.channels(),)}
                    result = rewrite.add("normalised", arguments, attributes, value.scope)
                    rewrite.alias(index, result)
                    continue
        rewrite.keep(index, moved)
    return rewrite.program()


def _is_bias(rewrite: Rewrite, x: int, bias: int) -> bool:
    taken, given = rewrite.values[x].type, rewrite.values[bias].type
    return taken.batched and not given.batched and given.names == taken.names[-1:]
