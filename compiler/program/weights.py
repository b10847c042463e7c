"""Weights against a Program: those that it reads, and diagnostics for what does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..diagnostics.diagnostic import fail
from ..network.names import TARGET_SCALE, TARGET_SHIFT
from .program import Program

Weights: TypeAlias = Mapping[str, NDArray[Any]]
WeightSource: TypeAlias = Weights | str | PathLike[str]
"""Arrays by name, or the `.safetensors` file that holds them."""
FLOAT32 = "save the weights in float32"
"""The remedy for weights of other types."""


def fitting(program: Program, weights: Weights) -> dict[str, NDArray[Any]]:
    """The weights that a program reads, as they are given, by name.

    Weights that it does not have are left over, as a genotype leaves those of a hypernet: `unread`
    names them. Those of before values were standardised lack the two that this needs, which then
    change nothing. Raises DiagnosticError where one is missing, has another shape, is no number, or
    is not finite in float32.
    """
    found: dict[str, NDArray[Any]] = {}
    for parameter in program.parameters:
        if parameter.name not in weights and parameter.name in (TARGET_SCALE, TARGET_SHIFT):
            found[parameter.name] = np.full(parameter.sizes, parameter.initial, np.float32)
            continue
        if parameter.name not in weights:
            remedy = "take the weights that were trained for this specification"
            raise fail("E505", f"the weights lack `{parameter.name}`", help=remedy)
        array = np.asarray(weights[parameter.name])
        if array.shape != parameter.sizes:
            message = f"the weight `{parameter.name}` is {array.shape}, not {parameter.sizes}"
            raise fail("E505", message, help="the weights belong to another specification")
        _require_numbers(parameter.name, array)
        found[parameter.name] = array
    return found


def unread(program: Program, weights: Weights) -> list[str]:
    """The names of weights that a program does not read, in order."""
    return sorted(weights.keys() - {p.name for p in program.parameters})


def _require_numbers(name: str, array: NDArray[Any]) -> None:
    """Raises DiagnosticError where a weight is not made of numbers that float32 can hold."""
    if array.dtype.kind not in "fiu":
        raise fail("E505", f"the weight `{name}` is of the type {array.dtype}", help=FLOAT32)
    if not np.isfinite(array).all():
        message = f"the weight `{name}` has values that are not finite numbers"
        raise fail("E505", message, help="train again with a lower learning rate")
    with np.errstate(over="ignore"):
        fits = np.isfinite(array.astype(np.float32)).all()
    if not fits:
        largest = float(np.abs(array).max())
        message = f"the weight `{name}` reaches {largest:.3g}, which float32 cannot hold"
        raise fail("E505", message, help="train again with a lower learning rate")
