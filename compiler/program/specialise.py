"""A Program specialised to its weights: what depends on parameters alone is computed once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..network.names import identifier
from .program import INPUT, PARAMETER, ParameterSpec, Program, Value
from .rewrite import Rewrite
from .weights import Weights


def specialise(program: Program, weights: Weights) -> tuple[Program, dict[str, NDArray[Any]]]:
    """A program for inference with these weights alone, and the parameters that it reads.

    A value that is computed from parameters becomes a parameter, named by its place; those that
    nothing reads any more are gone. Computed in float64.
    """
    known = _computed(program, weights)
    taken = {i.name for i in program.inputs} | {p.name for p in program.parameters}
    read = {a for i, v in enumerate(program.values) if i not in known for a in v.arguments}
    rewrite = Rewrite(program)
    found: dict[str, NDArray[Any]] = {}
    for index, value in enumerate(program.values):
        if index not in known:
            rewrite.keep(index, rewrite.moved(value))
        elif index in read or index == program.output:
            is_parameter = value.primitive == PARAMETER
            place = f"{identifier(*value.scope)}/{index}"
            name = value.name if is_parameter else unused(place, taken)
            attributes = (("name", name),)
            rewrite.keep(index, Value(PARAMETER, (), attributes, value.type, value.scope))
            found[name] = known[index]
    result = rewrite.program()
    sizes = {v.name: v.type.sizes for v in result.values if v.primitive == PARAMETER}
    parameters = tuple(ParameterSpec(n, s, "weight", 0.0) for n, s in sizes.items())
    return Program(result.inputs, parameters, result.values, result.output), found


def unused(name: str, taken: set[str]) -> str:
    """The name, marked until nothing else has it; added to those taken."""
    while name in taken:
        name += "'"
    taken.add(name)
    return name


def _computed(program: Program, weights: Weights) -> Mapping[int, NDArray[Any]]:
    """The values that depend on no input; constants only where they meet a parameter."""
    known: dict[int, NDArray[Any]] = {}
    constants: dict[int, NDArray[Any]] = {}
    for index, value in enumerate(program.values):
        if value.primitive == PARAMETER:
            known[index] = np.asarray(weights[value.name], np.float64)
        elif value.primitive != INPUT and all(
            a in known or a in constants for a in value.arguments
        ):
            record = value.record
            assert record is not None
            attributes = dict(value.attributes) | ({"training": False} if record.modal else {})
            arguments = (known.get(a, constants.get(a)) for a in value.arguments)
            result = record.numpy(np, *arguments, **attributes)
            is_constant = all(a in constants for a in value.arguments)
            (constants if is_constant else known)[index] = np.asarray(result)
    return known
