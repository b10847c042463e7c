"""Weights in `.safetensors` files, with the specification that they belong to."""

from __future__ import annotations

from os import PathLike, fspath

import numpy as np
from safetensors.numpy import save

from ..diagnostics.diagnostic import fail
from ..documents.spellings import loads
from ..language.spec import Spec
from ..program.weights import FLOAT32, Weights, WeightSource
from ..system.files import open_file, reason
from ..system.tensors import read_tensor, read_tensors
from .keys import SPEC_KEY


def read_weights(weights: WeightSource) -> Weights:
    """Arrays as they are, or those of a file; raises DiagnosticError where it cannot be read."""
    if not isinstance(weights, (str, PathLike)):
        return weights
    with open_file(weights) as stream:
        try:
            tensors = read_tensors(stream).by_name
            return {name: read_tensor(stream, tensor) for name, tensor in tensors.items()}
        except KeyError as error:  # of a type that numpy does not have
            message = f"`{weights}` holds weights of the type {error.args[0]}"
            raise fail("E504", message, help=FLOAT32) from None
        except (OSError, ValueError, MemoryError) as error:
            message = f"`{weights}` is not a safetensors file: {reason(error)}"
            raise fail("E504", message, help="weights are kept as `.safetensors`") from None


def safetensors_of(spec: Spec, weights: Weights) -> bytes:
    """Weights and the specification that they belong to, as one `.safetensors` file."""
    arrays = {name: np.ascontiguousarray(array) for name, array in weights.items()}
    return save(arrays, {SPEC_KEY: str(spec)})


def read_spec(path: str | PathLike[str]) -> Spec:
    """The specification in a file that `safetensors_of` made; raises DiagnosticError without."""
    with open_file(path) as stream:
        try:
            metadata = read_tensors(stream).metadata
        except (OSError, ValueError) as error:
            message = f"`{path}` is not a safetensors file: {reason(error)}"
            raise fail("E504", message) from None
    if SPEC_KEY not in metadata:
        message = f"`{path}` holds weights alone, and no specification"
        raise fail("E504", message, help="give the specification and `--weights`")
    return loads(metadata[SPEC_KEY], f"{fspath(path)}:{SPEC_KEY}", "fuse")
