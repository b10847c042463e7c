"""Dropout in inference, where it does nothing."""

from __future__ import annotations

from ..program.program import Program, Value
from ..program.rewrite import Rewrite, rewritten

STAGES = ("inference",)


def run(program: Program) -> Program:
    """The program without `dropout`, equal in evaluation mode."""
    return rewritten(program, _removed)


def _removed(rewrite: Rewrite, index: int, value: Value) -> int | None:
    return value.arguments[0] if value.primitive == "dropout" else None
