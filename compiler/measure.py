"""Sizes of a Program: parameters and multiply-adds."""

from __future__ import annotations

from .program import ParameterKind, Program


def count_parameters(program: Program, kind: ParameterKind = "weight") -> int:
    """Numbers in the parameters of a kind; running statistics are not weights."""
    return sum(p.elements for p in program.parameters if p.kind == kind)


def count_macs(program: Program) -> int:
    """Multiply-adds of one sample; an axis known only at run time counts as 1."""
    total = 0
    for value in program.values:
        if value.record is not None:
            types = [program.values[a].type for a in value.arguments]
            total += value.record.macs(value.type, *types, **dict(value.attributes))
    return total
