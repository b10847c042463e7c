"""`.safetensors` files: the header is judged whole, then tensors are read one by one.

NOTE: the library's reader opens a file by its name, and maps all of it. What it would refuse is
refused here: tensors that overlap, leave gaps, or lie outside of the file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from io import BufferedIOBase, BufferedReader
from math import prod
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

LONGEST_HEADER = 16_000_000
"""Bytes of a header that is read."""
DTYPES: Mapping[str, str] = {
    **{f"F{8 * size}": f"<f{size}" for size in (2, 4, 8)},
    **{f"I{8 * size}": f"<i{size}" for size in (1, 2, 4, 8)},
    **{f"U{8 * size}": f"<u{size}" for size in (1, 2, 4, 8)},
    "BOOL": "?",
    "C64": "<c8",
}
"""numpy's name of each type that it has too."""
_LENGTH = 8
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of a file: its type as the file says it, its shape, and where its bytes lie."""

    name: str
    type: str
    shape: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Tensors:
    """What the header of a file says."""

    by_name: Mapping[str, Tensor]
    metadata: Mapping[str, str]


def read_tensors(stream: BufferedReader) -> Tensors:
    """The header of a file; raises ValueError where it is none, and OSError."""
    size = os.fstat(stream.fileno()).st_size
    length = int.from_bytes(stream.read(_LENGTH), "little")
    data = _LENGTH + length
    if size < _LENGTH or data > size:
        raise ValueError("it is cut short")
    if length > LONGEST_HEADER:
        raise ValueError(f"its header is longer than {LONGEST_HEADER:,} bytes")
    try:
        header = json.loads(stream.read(length).decode(), object_pairs_hook=_distinct)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"its header cannot be read: {error}") from None
    if not isinstance(header, dict):
        raise ValueError("its header is no object")
    entries = cast("dict[str, Any]", header)
    metadata = entries.pop("__metadata__", {})
    if not _are_texts(metadata):
        raise ValueError("its metadata are not texts by name")
    tensors = [_tensor(name, entry, data) for name, entry in entries.items()]
    _require_filled(tensors, data, size)
    return Tensors({tensor.name: tensor for tensor in tensors}, metadata)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        raise ValueError("a name stands in it twice")
    return entries


def _are_texts(metadata: Any) -> bool:
    return isinstance(metadata, dict) and all(
        isinstance(text, str) for text in cast("dict[str, Any]", metadata).values()
    )


def _tensor(name: str, entry: Any, data: int) -> Tensor:
    """A tensor of the header; its bytes are counted from where `data` begin."""
    match entry:
        case {"dtype": str(kind), "shape": [*sizes], "data_offsets": [start, end]}:
            pass
        case _:
            raise ValueError(f"its header does not say what `{name}` is")
    if not all(type(number) is int and number >= 0 for number in (*sizes, start, end)):
        raise ValueError(f"the shape or the place of `{name}` is not whole numbers")
    tensor = Tensor(name, kind, tuple(sizes), data + start, data + end)
    if kind in DTYPES and end - start != prod(sizes) * np.dtype(DTYPES[kind]).itemsize:
        raise ValueError(f"`{name}` has {end - start:,} bytes, which is not what its shape takes")
    return tensor


def _require_filled(tensors: list[Tensor], start: int, size: int) -> None:
    """Raises ValueError where tensors are not one after the other up to the end of the file."""
    for tensor in sorted(tensors, key=lambda tensor: (tensor.start, tensor.end)):
        if tensor.start != start or tensor.end < start:
            raise ValueError(f"`{tensor.name}` does not begin where what is before it ends")
        start = tensor.end
    if start != size:
        raise ValueError("its tensors are not all that it holds, or it is cut short")


def read_tensor(stream: BufferedReader, tensor: Tensor) -> NDArray[Any]:
    """The array of a tensor; raises KeyError for a type that numpy lacks, ValueError, OSError."""
    array = np.empty(tensor.shape, DTYPES[tensor.type])
    stream.seek(tensor.start)
    fill(array, stream)
    return array


def fill(array: NDArray[Any], stream: BufferedIOBase) -> None:
    """Reads what a contiguous array holds; raises ValueError where the stream ends before."""
    content = array.reshape(-1).view(np.uint8).data
    for start in range(0, len(content), _CHUNK):
        part = content[start : start + _CHUNK]
        done = 0
        while done < len(part):
            count = stream.readinto(part[done:])
            if not count:
                raise ValueError("it is cut short")
            done += count


def widened(halves: NDArray[Any]) -> NDArray[np.float32]:
    """The float32 whose upper halves these are: bfloat16, which numpy has not, as its bits."""
    return (halves.astype(np.uint32) << 16).view(np.float32)
