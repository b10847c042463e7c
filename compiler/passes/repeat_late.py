"""A linear map of a vector that was repeated L times is computed once, and then repeated."""

from __future__ import annotations

from ...ops.types import LENGTH
from ..program.program import Program, Value
from ..program.rewrite import Rewrite, rewritten

STAGES = ("training", "member", "compiled", "inference")


def run(program: Program) -> Program:
    """The program whose vectors are repeated after their linear maps."""
    return rewritten(program, _later)


def _later(rewrite: Rewrite, index: int, value: Value) -> int | None:
    if value.primitive != "linear":
        return None
    source = rewrite.values[value.arguments[0]]
    if source.primitive != "resample":
        return None
    vector, *lengths = source.arguments
    if lengths or rewrite.values[vector].type.names != ("c",):
        return None
    flat = rewrite.add("flatten", [vector], {"first": LENGTH}, source.scope)
    mapped = rewrite.add("linear", [flat, value.arguments[1]], {}, value.scope)
    length = dict(source.attributes)["length"]
    return rewrite.add("repeat", [mapped], {"length": length}, value.scope)
