"""A linear map of a vector that was repeated L times is computed once, and then repeated."""

from __future__ import annotations

from ..program import Program
from ..rewrite import Rewrite

ORDER = 26
STAGES = ("training", "compiled", "inference")


def run(program: Program) -> Program:
    """The program whose vectors are repeated after their linear maps."""
    rewrite = Rewrite(program)
    for index, value in enumerate(program.values):
        moved = rewrite.moved(value)
        if value.primitive == "linear":
            source = rewrite.values[moved.arguments[0]]
            length = dict(source.attributes).get("length")
            vector = source.arguments[:1]
            is_vector = source.primitive == "resample" and len(source.arguments) == 1
            if is_vector and rewrite.values[vector[0]].type.names == ("c",):
                flat = rewrite.add("flatten", vector, {"first": "length"}, source.scope)
                mapped = rewrite.add("linear", [flat, moved.arguments[1]], {}, value.scope)
                repeated = rewrite.add("repeat", [mapped], {"length": length}, value.scope)
                rewrite.alias(index, repeated)
                continue
        rewrite.keep(index, moved)
    return rewrite.program()
