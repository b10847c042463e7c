"""Hugging Face's files of named tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from io import BufferedReader
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....compiler.diagnostics.diagnostic import fail
from ....compiler.system.tensors import DTYPES, Tensor, read_tensor, read_tensors, widened
from . import ArrayHeader, require_few

ENDINGS = (".safetensors",)
UNREADABLE: tuple[type[Exception], ...] = ()
_BFLOAT16, _BITS = "BF16", "U16"
"""A type that numpy has not, and that of its bits."""


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
        yield _read(stream, Tensor(name, tensor.type, shape, first, first + row * shape[0]))


def array(stream: BufferedReader, name: str) -> NDArray[Any]:
    """The tensor of this name; raises DiagnosticError for a type that numpy has not."""
    return _read(stream, _tensor(stream, name))


def _read(stream: BufferedReader, tensor: Tensor) -> NDArray[Any]:
    """The array of a tensor; float32 of bfloat16."""
    if tensor.type != _BFLOAT16:
        return read_tensor(stream, tensor)
    return widened(read_tensor(stream, replace(tensor, type=_BITS)))


def _tensor(stream: BufferedReader, name: str) -> Tensor:
    tensor = read_tensors(stream).by_name[name]
    if tensor.type == _BFLOAT16:
        if tensor.end - tensor.start != prod(tensor.shape) * np.dtype(DTYPES[_BITS]).itemsize:
            raise ValueError(f"`{name}` does not have the bytes that its shape takes")
    elif tensor.type not in DTYPES:
        message = f"`{name}` holds {tensor.type}, which numpy cannot compute with"
        raise fail("E504", message, help="store it as float32")
    return tensor


def _kind(dtype: str) -> str:
    """numpy's letter for a type of safetensors: `F32` is `f`; numpy has no `F8`."""
    if dtype == _BFLOAT16:
        return "f"
    return np.dtype(DTYPES[dtype]).kind if dtype in DTYPES else "V"
