"""Removes values that the output does not depend on.

NOTE: every pass does so with what it leaves unread; this one does it to what lowering gives.
"""

from __future__ import annotations

from ..program import Program
from ..rewrite import Rewrite

ORDER = 0
STAGES = ("training", "compiled", "inference")


def run(program: Program) -> Program:
    """The program with the values that its output reads, directly or not."""
    rewrite = Rewrite(program)
    for index, value in enumerate(program.values):
        rewrite.keep(index, rewrite.moved(value))
    return rewrite.program()
