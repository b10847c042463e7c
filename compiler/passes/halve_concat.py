"""`concat(x, x) @ W` is x times the sum of the halves of W, which is half as wide."""

from __future__ import annotations

from ..program.program import Program, Value
from ..program.rewrite import Rewrite, rewritten

STAGES = ("training", "member", "compiled", "inference")


def run(program: Program) -> Program:
    """The program without linear maps of a value joined with itself."""
    return rewritten(program, _halved)


def _halved(rewrite: Rewrite, index: int, value: Value) -> int | None:
    if value.primitive != "linear":
        return None
    joined = rewrite.values[value.arguments[0]]
    parts = joined.arguments
    if joined.primitive != "concat" or len(parts) < 2 or len(set(parts)) > 1:
        return None
    count = {"count": len(parts)}
    weight = rewrite.add("sum_blocks", [value.arguments[1]], count, value.scope)
    return rewrite.add("linear", [parts[0], weight], {}, value.scope)
