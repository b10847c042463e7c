"""Computes once what several places compute alike; random values stay apart."""

from __future__ import annotations

from ..program.program import INPUT, PARAMETER, Attributes, Program
from ..program.rewrite import Rewrite

STAGES = ("training", "member", "population", "compiled", "inference")


def run(program: Program) -> Program:
    """The program in which no two values are the same primitive over the same values."""
    rewrite = Rewrite(program)
    known: dict[tuple[str, tuple[int, ...], Attributes], int] = {}
    for index, value in enumerate(program.values):
        moved = rewrite.moved(value)
        key = (moved.primitive, moved.arguments, moved.attributes)
        record = value.record
        mergeable = value.primitive in (INPUT, PARAMETER) or (record and not record.random)
        if mergeable and key in known:
            rewrite.alias(index, known[key])
        else:
            known[key] = rewrite.keep(index, moved)
    return rewrite.program()
