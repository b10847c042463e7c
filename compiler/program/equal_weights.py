"""Weights that are equal, once: what members of an ensemble have in common is computed once."""

from __future__ import annotations

from .program import PARAMETER, Program, Value
from .rewrite import Rewrite, rewritten
from .weights import Weights


def with_equal_weights(program: Program, weights: Weights) -> Program:
    """The program in which parameters of equal values are one value: the first of them is read."""
    known: dict[object, int] = {}

    def first(rewrite: Rewrite, index: int, value: Value) -> int | None:
        if value.primitive != PARAMETER:
            return None
        array = weights[value.name]
        return known.setdefault((array.shape, array.tobytes()), rewrite.keep(index, value))

    return rewritten(program, first)
