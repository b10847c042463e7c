"""Hugging Face's files of named tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....compiler.diagnostics.diagnostic import fail
from ....compiler.system.tensors import DTYPES, Tensor, read_tensor, read_tensors
from . import ArrayHeader, require_few

ENDINGS = (".safetensors",)
UNREADABLE: tuple[type[Exception], ...] = ()


def headers(stream: BufferedReader, file: Path) -> Mapping[str, ArrayHeader]:
    """The headers of the tensors, in the order of their names."""
    tensors = read_tensors(stream).by_name
    require_few(len(tensors))
    return {
        name: ArrayHeader(name, tensor.shape, _kind(tensor.type), file)
        for name, tensor in sorted(tensors.items())
    }


def blocks(stream: BufferedReader, name: str, count: int) -> Iterator[NDArray[Any]]:
    """The tensor of this name as consecutive rows, so many at a time."""
    tensor = _tensor(stream, name)
    samples, *inner = tensor.shape
    row = (tensor.end - tensor.start) // max(1, samples)
    for start in range(0, samples, count):
        stop = min(start + count, samples)
        first = tensor.start + start * row
        shape = (stop - start, *inner)
        yield read_tensor(stream, Tensor(name, tensor.type, shape, first, first + row * shape[0]))


def array(stream: BufferedReader, name: str) -> NDArray[Any]:
    """The tensor of this name; raises DiagnosticError for a type that numpy has not."""
    return read_tensor(stream, _tensor(stream, name))


def _tensor(stream: BufferedReader, name: str) -> Tensor:
    tensor = read_tensors(stream).by_name[name]
    if tensor.type not in DTYPES:
        shown = "bfloat16" if tensor.type == "BF16" else tensor.type
        message = f"`{name}` holds {shown}, which numpy cannot compute with"
        raise fail("E504", message, help="store it as float32")
    return tensor


def _kind(dtype: str) -> str:
    """numpy's letter for a type of safetensors: `F32` is `f`; numpy has no `BF16` and `F8`."""
    return np.dtype(DTYPES[dtype]).kind if dtype in DTYPES else "V"
