"""Hugging Face's files of named tensors."""

from __future__ import annotations

from collections.abc import Mapping
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....compiler.diagnostics.diagnostic import fail
from ....compiler.system.tensors import DTYPES, read_tensor, read_tensors
from . import ArrayHeader, require_few

UNREADABLE: tuple[type[Exception], ...] = ()


def headers(stream: BufferedReader, file: Path) -> Mapping[str, ArrayHeader]:
    """The headers of the tensors, in the order of their names."""
    tensors = read_tensors(stream).by_name
    require_few(len(tensors))
    return {
        name: ArrayHeader(name, tensor.shape, _kind(tensor.type), file)
        for name, tensor in sorted(tensors.items())
    }


def array(stream: BufferedReader, name: str) -> NDArray[Any]:
    """The tensor of this name; raises DiagnosticError for a type that numpy has not."""
    tensor = read_tensors(stream).by_name[name]
    if tensor.type not in DTYPES:
        shown = "bfloat16" if tensor.type == "BF16" else tensor.type
        message = f"`{name}` holds {shown}, which numpy cannot compute with"
        raise fail("E504", message, help="store it as float32")
    return read_tensor(stream, tensor)


def _kind(dtype: str) -> str:
    """numpy's letter for a type of safetensors: `F32` is `f`; numpy has no `BF16` and `F8`."""
    return np.dtype(DTYPES[dtype]).kind if dtype in DTYPES else "V"
