"""A program evaluated in float64, primitive by primitive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....ops.primitives.reductions import numpy_softmax
from ...network.network import Head
from ...program.program import INPUT, PARAMETER, Program

Array = NDArray[Any]


def complete_inputs(program: Program, given: Mapping[str, Array]) -> dict[str, Array]:
    """The inputs that the program reads; lengths and presence that are left out are filled in.

    Raises KeyError naming the first feature that is missing.
    """
    filled: dict[str, Array] = {}
    for item in program.inputs:
        if item.name in given:
            filled[item.name] = np.asarray(given[item.name])
        elif item.kind == "feature":
            raise KeyError(f"the input `{item.name}` is missing")
        else:
            filled[item.name] = np.array([item.default])
    return filled


def probabilities_of(logits: Array, head: Head) -> Array:
    """The softmax of logits (…, K) for classes, their sigmoid for labels; values as they are."""
    if head.parts:
        return by_head(probabilities_of, logits, head)
    if head.kind == "values":
        return logits
    is_labels = head.kind == "labels"
    shares: Array
    shares = np.exp(-np.logaddexp(0, -logits)) if is_labels else numpy_softmax(np, logits)
    return shares


def logits_of(shares: Array, head: Head) -> Array:
    """Logits (…, K) that have these probabilities: what `probabilities_of` undoes."""
    if head.parts:
        return by_head(logits_of, shares, head)
    if head.kind == "values":
        return shares
    least = np.finfo(shares.dtype).tiny
    own: Array = np.log(np.clip(shares, least, None))
    return own if head.kind == "classes" else own - np.log(np.clip(1 - shares, least, None))


def by_head(function: Callable[[Array, Head], Array], outputs: Array, head: Head) -> Array:
    """What a function gives for the outputs (…, K) of each of several heads, side by side."""
    parts = [function(outputs[..., columns], part) for part, columns in head.columns]
    return np.concatenate(parts, -1)


@dataclass(frozen=True)
class NumpyNetwork:
    """A program with its weights: called with features it gives logits (batch, K), float64."""

    program: Program
    weights: Mapping[str, Array]

    def __call__(self, features: Mapping[str, Array]) -> Array:
        return evaluate(self.program, features, self.weights)


def evaluate(
    program: Program,
    inputs: Mapping[str, Array],
    parameters: Mapping[str, Array],
    training: bool = False,
) -> Array:
    """The program's output in float64, (batch, K); architecture parameters are among `parameters`.

    With `training`, batch norm uses the batch's statistics (and updates nothing).
    """
    with np.errstate(all="ignore"):  # infinities are results, to be compared like others
        return _evaluate(program, complete_inputs(program, inputs), parameters, training)


def _evaluate(
    program: Program,
    given: Mapping[str, Array],
    parameters: Mapping[str, Array],
    training: bool,
) -> Array:
    values: list[Any] = []
    for value in program.values:
        if value.primitive == INPUT:
            array = given[value.name]
            values.append(array if array.dtype.kind in "iub" else array.astype(np.float64))
        elif value.primitive == PARAMETER:
            values.append(np.asarray(parameters[value.name], np.float64))
        else:
            record = value.record
            assert record is not None
            attributes = dict(value.attributes)
            if record.modal:
                attributes["training"] = training
            arguments = (values[a] for a in value.arguments)
            values.append(record.numpy(np, *arguments, **attributes))
    result: Array = values[program.output]
    return result
