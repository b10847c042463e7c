"""Weights in `.safetensors` files, with the specification that they belong to."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load, save

from ..diagnostics.diagnostic import fail
from ..documents.spellings import loads
from ..language.spec import Spec
from ..program.weights import FLOAT32, Weights, WeightSource
from .keys import SPEC_KEY


def read_weights(weights: WeightSource) -> Weights:
    """Arrays as they are, or those of a file; raises DiagnosticError where it cannot be read."""
    if not isinstance(weights, (str, PathLike)):
        return weights
    try:
        return load(Path(weights).read_bytes())
    except OSError as error:
        raise fail("E504", f"cannot read `{weights}`: {error.strerror}") from None
    except KeyError as error:  # of a type that numpy does not have
        message = f"`{weights}` holds weights of the type {error.args[0]}"
        raise fail("E504", message, help=FLOAT32) from None
    except (SafetensorError, ValueError) as error:
        message = f"`{weights}` is not a safetensors file: {error}"
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
