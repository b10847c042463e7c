"""Removes what is known to be zero: `Zero` candidates, sums with them, products by them."""

from __future__ import annotations

from ..program.program import Program, Value
from ..program.rewrite import Rewrite

STAGES = ("training", "member", "compiled", "inference")


def run(program: Program) -> Program:
    """The program without terms that are zero; a value known to be zero becomes `zeros`."""
    rewrite = Rewrite(program)
    zero: list[bool] = []
    for index, value in enumerate(program.values):
        arguments = [zero[a] for a in value.arguments]
        record = value.record
        zero.append(record is not None and record.zero(arguments))
        _rewrite(rewrite, index, value, arguments, zero[-1])
    return rewrite.program()


def _rewrite(rewrite: Rewrite, index: int, value: Value, zero: list[bool], is_zero: bool) -> None:
    moved = rewrite.moved(value)
    like = next((a for a in moved.arguments if rewrite.values[a].type == value.type), None)
    if is_zero and value.primitive != "zeros" and like is not None:
        rewrite.alias(index, rewrite.add("zeros", [like], {}, value.scope))
        return
    terms = [a for a, z in zip(moved.arguments, zero, strict=True) if not z]
    match value.primitive:
        case "mix" if 0 < len(terms) - 1 < len(zero) - 1:
            rows = tuple(i for i, z in enumerate(zero[1:]) if not z)
            weights = rewrite.add("take", [terms[0]], {"rows": rows}, value.scope)
            mixed = rewrite.add("mix", [weights, *terms[1:]], {}, value.scope)
            rewrite.alias(index, mixed)
        case "add" if len(terms) == 1 and rewrite.values[terms[0]].type == value.type:
            rewrite.alias(index, terms[0])
        case "subtract" if zero == [False, True] and rewrite.values[terms[0]].type == value.type:
            rewrite.alias(index, terms[0])
        case _:
            rewrite.keep(index, moved)
