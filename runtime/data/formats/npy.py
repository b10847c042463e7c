"""numpy's files of one array, called as they are: `Image.npy` is memory-mapped.

NOTE: numpy's reader believes what a file says of itself. Here an array has the bytes that its shape
takes before any memory is taken.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from io import BufferedIOBase, BufferedReader, BytesIO
from math import prod
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ..mapped import mapped
from . import ArrayHeader

ENDINGS = (".npy",)
UNREADABLE: tuple[type[Exception], ...] = (OverflowError,)
LONGEST_HEADER = 10_000
"""Bytes of an array's header that is read, as in numpy."""
_VERSION = 2
_WIDTHS = {b"\1\0": 2, b"\2\0": 4}
"""By a header's version, how many bytes say its length."""


@dataclass(frozen=True, slots=True)
class NpyHeader:
    """What an array is, and how many bytes of what holds it are before its elements."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    is_fortran: bool
    length: int

    def array_of(self, values: NDArray[Any]) -> NDArray[Any]:
        """The elements, one after the other, as the array."""
        if self.is_fortran:
            return values.reshape(self.shape[::-1]).transpose()
        return values.reshape(self.shape)


def headers(stream: BufferedReader, file: Path) -> Mapping[str, ArrayHeader]:
    """The header of the array, whose name is that of the file."""
    header = _header(stream, file.stem)
    kind, is_apart = header.dtype.kind, bool(prod(header.shape))
    return {file.stem: ArrayHeader(file.stem, header.shape, kind, file, is_apart)}


def array(stream: BufferedReader, name: str) -> NDArray[Any]:
    """The array, whose elements stay in the file until they are used."""
    header = _header(stream, name)
    require_plain(header, name)
    if not prod(header.shape):
        return np.empty(header.shape, header.dtype)
    order: Literal["C", "F"] = "F" if header.is_fortran else "C"
    return mapped(stream, header.dtype, header.length, header.shape, order)


def _header(stream: BufferedReader, name: str) -> NpyHeader:
    return read_header(stream, os.fstat(stream.fileno()).st_size, name)


def require_plain(header: NpyHeader, name: str) -> None:
    """Raises ValueError where elements are objects, which only pickle could read."""
    if header.dtype.hasobject:
        raise ValueError(f"`{name}` holds objects of Python, which are not read")


def read_header(content: BufferedIOBase, size: int, name: str) -> NpyHeader:
    """The header of an array that takes exactly the bytes of its file, which are `size`.

    Raises ValueError where it is none, and what the content does.
    """
    width, text = _header_text(content, name)
    read = npy.read_array_header_1_0 if width == _WIDTHS[b"\1\0"] else npy.read_array_header_2_0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sizes, is_fortran, dtype = read(BytesIO(text))
    except Exception as error:  # noqa: BLE001  (it parses Python, and raises what that does)
        raise ValueError(f"the header of `{name}` cannot be read: {error}") from None
    if not all(type(size) is int and size >= 0 for size in sizes):
        raise ValueError(f"the shape of `{name}` is not whole numbers")
    length = len(npy.MAGIC_PREFIX) + _VERSION + len(text)
    taken = prod(sizes) * dtype.itemsize
    if not dtype.hasobject and (not dtype.itemsize or taken != size - length):
        raise ValueError(f"`{name}` does not have the bytes that its shape takes")
    return NpyHeader(tuple(sizes), dtype, is_fortran, length)


def array_of_bytes(content: bytes, name: str) -> NDArray[Any]:
    """The array of a whole file, which takes no memory but that of the content.

    Raises ValueError or OverflowError where it is none.
    """
    header = read_header(BytesIO(content), len(content), name)
    require_plain(header, name)
    return header.array_of(np.frombuffer(content, header.dtype, offset=header.length))


def _header_text(content: BufferedIOBase, name: str) -> tuple[int, bytes]:
    """How many bytes say the length of a header, and the header with these."""
    magic, version = content.read(len(npy.MAGIC_PREFIX)), content.read(_VERSION)
    if magic != npy.MAGIC_PREFIX or version not in _WIDTHS:
        raise ValueError(f"`{name}` is no array of version 1 or 2 of the format")
    length = content.read(_WIDTHS[version])
    count = int.from_bytes(length, "little")
    if count > LONGEST_HEADER:
        raise ValueError(f"the header of `{name}` is longer than {LONGEST_HEADER:,} bytes")
    return len(length), length + content.read(count)
