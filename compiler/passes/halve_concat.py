"""`concat(x, x) @ W` is x times the sum of the halves of W, which is half as wide."""

from __future__ import annotations

from ..program import Program
from ..rewrite import Rewrite

ORDER = 24
STAGES = ("training", "compiled", "inference")


def run(program: Program) -> Program:
    """The program without linear maps of a value joined with itself."""
    rewrite = Rewrite(program)
    for index, value in enumerate(program.values):
        moved = rewrite.moved(value)
        if value.primitive == "linear":
            joined = rewrite.values[moved.arguments[0]]
            parts = joined.arguments
            if joined.primitive == "concat" and len(parts) > 1 and len(set(parts)) == 1:
                count = {"count": len(parts)}
                weight = rewrite.add("sum_blocks", [moved.arguments[1]], count, value.scope)
                rewrite.alias(index, rewrite.add("linear", [parts[0], weight], {}, value.scope))
                continue
        rewrite.keep(index, moved)
    return rewrite.program()
