"""A dropout that alone reads a ReLU becomes one operation with it: one mask, fewer passes."""

from __future__ import annotations

from ..program import Program
from ..rewrite import Rewrite

ORDER = 40
STAGES = ("training",)


def run(program: Program) -> Program:
    """The program whose dropouts behind a ReLU take its input."""
    rewrite, readers = Rewrite(program), program.readers()
    for index, value in enumerate(program.values):
        moved = rewrite.moved(value)
        before = rewrite.values[moved.arguments[0]] if moved.arguments else value
        alone = value.primitive == "dropout" and readers[value.arguments[0]] == [index]
        if alone and before.primitive == "relu":
            rate = dict(value.attributes)
            rewrite.alias(index, rewrite.add("relu_dropout", before.arguments, rate, value.scope))
        else:
            rewrite.keep(index, moved)
    return rewrite.program()
