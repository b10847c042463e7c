"""Removes values that the output does not depend on."""

from __future__ import annotations

from ..program import Program
from ..rewrite import Rewrite

ORDER = 30
INFERENCE = False


def run(program: Program) -> Program:
    """The program with the values that its output reads, directly or not."""
    wanted = [False] * len(program.values)
    wanted[program.output] = True
    for index in range(len(program.values) - 1, -1, -1):
        if wanted[index]:
            for argument in program.values[index].arguments:
                wanted[argument] = True
    rewrite = Rewrite(program)
    for index, value in enumerate(program.values):
        if wanted[index]:
            rewrite.keep(index, rewrite.moved(value))
    return rewrite.program()
