"""A dropout that alone reads a ReLU becomes one operation with it: one mask, fewer passes."""

from __future__ import annotations

from ..program.program import Program, Value
from ..program.rewrite import Rewrite, rewritten

STAGES = ("training", "member")


def run(program: Program) -> Program:
    """The program whose dropouts behind a ReLU take its input."""
    readers = program.readers()

    def joined(rewrite: Rewrite, index: int, value: Value) -> int | None:
        if value.primitive != "dropout":
            return None
        before = rewrite.values[value.arguments[0]]
        alone = readers[program.values[index].arguments[0]] == [index]
        if before.primitive != "relu" or not alone:
            return None
        rate = dict(value.attributes)
        return rewrite.add("relu_dropout", before.arguments, rate, value.scope)

    return rewritten(program, joined)
