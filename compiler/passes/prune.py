"""Removes values that the output does not depend on.

NOTE: every pass does so with what it leaves unread; this one does it to what lowering gives.
"""

from __future__ import annotations

from ..program.program import Program
from ..program.rewrite import rewritten

STAGES = ("training", "member", "compiled", "inference")


def run(program: Program) -> Program:
    """The program with the values that its output reads, directly or not."""
    return rewritten(program, lambda rewrite, index, value: None)
