"""Sizes of a Program: parameters, multiply-adds, and what it moves through memory."""

from __future__ import annotations

from collections.abc import Sequence

from ...ops.types import TensorType
from ..network.choices import Choices, reached_by
from ..network.names import place_of
from ..network.network import Network
from ..program.program import PARAMETER, ParameterKind, Program


def count_parameters(program: Program, kind: ParameterKind = "weight") -> int:
    """Numbers in the parameters of a kind; running statistics are not weights."""
    return sum(p.elements for p in program.parameters if p.kind == kind)


def count_chosen(program: Program, network: Network, choices: Choices) -> int:
    """Numbers in the weights of a hypernet's Program that what a choice makes of it has.

    What an output of fewer places than all would save in the head is not taken off.
    """
    reached = set(reached_by(network, choices))
    owners = {cell.name for cell in network.cells} | {f.name for f in network.features}
    scopes = {
        (cell.name, step.name): step.operations[choice.operation].scope
        for cell, taken in zip(network.cells, choices.cells, strict=True)
        for step, choice in zip(cell.steps, taken.steps, strict=True)
    }

    def has(place: Sequence[str]) -> bool:
        if place[0] in owners - reached:
            return False
        scope = scopes.get((place[0], place[1]))
        return scope is None or place[2] == scope

    weights = (p for p in program.parameters if p.kind == "weight")
    return sum(p.elements for p in weights if has(place_of(p.name)))


def count_macs(program: Program) -> int:
    """Multiply-adds of one sample; an axis known only at run time counts as 1."""
    total = 0
    for value in program.values:
        if value.record is not None:
            types = [program.values[a].type for a in value.arguments]
            total += value.record.macs(value.type, *types, **dict(value.attributes))
    return total


def count_read(program: Program) -> int:
    """Numbers in the parameters that some value reads, of any kind."""
    read = {v.name for v in program.values if v.primitive == PARAMETER}
    return sum(p.elements for p in program.parameters if p.name in read)


def count_bytes(program: Program, batch: int) -> int:
    """Bytes of float32 that the values read and write for a batch, each value by itself.

    An axis known only at run time counts as 1.
    """

    def elements(type: TensorType) -> int:
        return type.elements() * (batch if type.batched else 1)

    total = 0
    for value in program.values:
        if value.record is not None:
            types = (program.values[a].type for a in value.arguments)
            total += elements(value.type) + sum(elements(type) for type in types)
    return 4 * total
