"""Weights in files and against a Program: safetensors in, diagnostics for what does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load, save

from .diagnostics import fail
from .load import loads
from .program import Program
from .spec import Spec

SPEC_KEY = "fusewright.spec"
"""Where artifacts hold the specification that they were compiled from."""
_REMEDY = "save the weights in float32"
Weights: TypeAlias = Mapping[str, NDArray[Any]]


def read_weights(path: str | PathLike[str]) -> dict[str, NDArray[Any]]:
    """The tensors of a `.safetensors` file; raises DiagnosticError where it cannot be read."""
    try:
        return load(Path(path).read_bytes())
    except OSError as error:
        raise fail("E504", f"cannot read `{path}`: {error.strerror}") from None
    except KeyError as error:  # of a type that numpy does not have
        message = f"`{path}` holds weights of the type {error.args[0]}"
        raise fail("E504", message, help=_REMEDY) from None
    except (SafetensorError, ValueError) as error:
        message = f"`{path}` is not a safetensors file: {error}"
        raise fail("E504", message, help="weights are kept as `.safetensors`") from None


def safetensors_of(spec: Spec, weights: Weights) -> bytes:
    """Weights and the specification that they belong to, as one `.safetensors` file."""
    arrays = {name: np.ascontiguousarray(array) for name, array in weights.items()}
    return save(arrays, {SPEC_KEY: str(spec)})


def read_spec(path: str | PathLike[str]) -> Spec:
    """The specification in a file that `safetensors_of` made; raises DiagnosticError without."""
    try:
        with safe_open(path, "numpy") as file:
            metadata = file.metadata() or {}
    except OSError as error:
        raise fail("E504", f"cannot read `{path}`: {error.strerror or error}") from None
    except SafetensorError as error:
        raise fail("E504", f"`{path}` is not a safetensors file: {error}") from None
    if SPEC_KEY not in metadata:
        message = f"`{path}` holds weights alone, and no specification"
        raise fail("E504", message, help="give the specification and `--weights`")
    return loads(metadata[SPEC_KEY], f"{fspath(path)}:{SPEC_KEY}", "fuse")


def fitting(program: Program, weights: Weights) -> dict[str, NDArray[Any]]:
    """The weights that a program reads, as they are given, by name.

    Weights that it does not have are left over, as a genotype leaves those of a hypernet: `unread`
    names them. Raises DiagnosticError where one is missing, has another shape, is no number, or is
    not finite in float32.
    """
    found: dict[str, NDArray[Any]] = {}
    for parameter in program.parameters:
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
        raise fail("E505", f"the weight `{name}` is of the type {array.dtype}", help=_REMEDY)
    if not np.isfinite(array).all():
        message = f"the weight `{name}` has values that are not finite numbers"
        raise fail("E505", message, help="train again with a lower learning rate")
    with np.errstate(over="ignore"):
        fits = np.isfinite(array.astype(np.float32)).all()
    if not fits:
        largest = float(np.abs(array).max())
        message = f"the weight `{name}` reaches {largest:.3g}, which float32 cannot hold"
        raise fail("E505", message, help="train again with a lower learning rate")
