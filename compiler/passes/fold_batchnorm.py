"""Batch norm in inference: a scale and a shift, taken into the linear map before it.

With s = scale / √(variance + ε), BN(x) = x s + (shift − mean s), and for x = y W + b
BN(x) = y (W s) + (b s + shift − mean s).
"""

from __future__ import annotations

from typing import Any

from ..program.program import Program
from ..program.rewrite import Rewrite

STAGES = ("inference",)


def run(program: Program) -> Program:
    """The program without `batchnorm`, equal in evaluation mode."""
    rewrite, readers = Rewrite(program), program.readers()
    for index, value in enumerate(program.values):
        if value.primitive == "batchnorm":
            _fold(program, readers, rewrite, index)
        else:
            rewrite.keep(index, rewrite.moved(value))
    return rewrite.program()


def _fold(program: Program, readers: list[list[int]], rewrite: Rewrite, index: int) -> None:
    value = program.values[index]

    def call(primitive: str, *arguments: int, **attributes: Any) -> int:
        return rewrite.add(primitive, arguments, attributes, value.scope)

    x, scale, shift, mean, variance = rewrite.moved(value).arguments
    epsilon = call("constant", value=dict(value.attributes)["epsilon"])
    factor = call("divide", scale, call("sqrt", call("add", variance, epsilon)))
    offset = call("subtract", shift, call("multiply", mean, factor))
    found = _linear_before(program, readers, index)
    if found is None:
        rewrite.alias(index, call("add", call("multiply", x, factor), offset))
        return
    linear, bias = found
    y, weight = (rewrite[a] for a in program.values[linear].arguments)
    if bias is not None:
        offset = call("add", call("multiply", rewrite[bias], factor), offset)
    mapped = call("linear", y, call("multiply", weight, factor))
    rewrite.alias(index, call("add", mapped, offset))


def _linear_before(
    program: Program, readers: list[list[int]], index: int
) -> tuple[int, int | None] | None:
    """The linear map, and the bias if it has one, whose result this batch norm alone reads."""
    values, x = program.values, program.values[index].arguments[0]
    if readers[x] != [index]:
        return None
    if values[x].primitive == "linear":
        return x, None
    if values[x].primitive != "add":
        return None
    for linear, bias in (values[x].arguments, values[x].arguments[::-1]):
        if values[linear].primitive == "linear" and readers[linear] == [x]:
            return None if values[bias].type.batched else (linear, bias)
    return None
