"""A bias before batch norm: training subtracts it again with the mean, so it only moves that."""

from __future__ import annotations

from ..program.program import Program, Value
from ..program.rewrite import Rewrite, rewritten

STAGES = ("training", "member", "compiled")


def run(program: Program) -> Program:
    """The program whose batch norms take the bias before them as an argument."""
    readers = program.readers()

    def absorbed(rewrite: Rewrite, index: int, value: Value) -> int | None:
        if value.primitive != "batchnorm":
            return None
        x, *owned = value.arguments
        before = rewrite.values[x]
        alone = readers[program.values[index].arguments[0]] == [index]
        if before.primitive != "add" or not alone:
            return None
        pairs = (before.arguments, before.arguments[::-1])
        pair = next((p for p in pairs if _is_bias(rewrite, *p)), None)
        if pair is None:
            return None
        attributes = dict(value.attributes) | {"sizes": (value.type.channels(),)}
        return rewrite.add("normalised", [*pair, *owned], attributes, value.scope)

    return rewritten(program, absorbed)


def _is_bias(rewrite: Rewrite, x: int, bias: int) -> bool:
    taken, given = rewrite.values[x].type, rewrite.values[bias].type
    return taken.batched and not given.batched and given.sizes == taken.sizes[-1:]
