"""Dropout in inference, where it does nothing."""

from __future__ import annotations

from ..program import Program
from ..rewrite import Rewrite

ORDER = 5
STAGES = ("inference",)


def run(program: Program) -> Program:
    """The program without `dropout`, equal in evaluation mode."""
    rewrite = Rewrite(program)
    for index, value in enumerate(program.values):
        if value.primitive == "dropout":
            rewrite.alias(index, rewrite[value.arguments[0]])
        else:
            rewrite.keep(index, rewrite.moved(value))
    return rewrite.program()
