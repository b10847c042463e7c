"""numpy's archives of named arrays.

NOTE: numpy's reader believes what an archive says of itself. Here an array has the bytes that its
shape takes, and a member no more than its compressed bytes can give, before any memory is taken.
"""

from __future__ import annotations

import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BufferedIOBase, BufferedReader, BytesIO
from math import prod
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ....compiler.system.tensors import fill
from . import ArrayHeader, require_few

UNREADABLE = (
    KeyError,
    EOFError,
    OverflowError,
    NotImplementedError,
    RuntimeError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""zipfile has NotImplementedError for a version that it does not know, and RuntimeError for an
encrypted member."""
MOST_INFLATED = 1032
"""Bytes that a byte of deflate gives at most."""
LONGEST_HEADER = 10_000
"""Bytes of an array's header that is read, as in numpy."""
_ENDING, _ENCRYPTED, _VERSION = ".npy", 1, 2
_WIDTHS = {b"\1\0": 2, b"\2\0": 4}
"""By a header's version, how many bytes say its length."""


@dataclass(frozen=True, slots=True)
class _Header:
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    is_fortran: bool


def headers(stream: BufferedReader, file: Path) -> Mapping[str, ArrayHeader]:
    """The headers of the members that are arrays."""
    by_name: dict[str, ArrayHeader] = {}
    with _archive(stream) as archive:
        for name, member in _members(archive).items():
            with _opened(archive, member) as content:
                header = _header(content, member)
            by_name[name] = ArrayHeader(name, header.shape, header.dtype.kind, file)
    return by_name


def array(stream: BufferedReader, name: str) -> NDArray[Any]:
    """The array of this name."""
    with _archive(stream) as archive:
        member = _members(archive)[name]
        with _opened(archive, member) as content:
            header = _header(content, member)
            if header.dtype.hasobject:
                raise ValueError(f"`{name}` holds objects of Python, which are not read")
            values = np.empty(prod(header.shape), header.dtype)
            fill(values, content)
    if header.is_fortran:
        return values.reshape(header.shape[::-1]).transpose()
    return values.reshape(header.shape)


def blocks(stream: BufferedReader, name: str, count: int) -> Iterator[NDArray[Any]]:
    """The array of this name as consecutive rows, so many at a time."""
    with _archive(stream) as archive:
        member = _members(archive)[name]
        with _opened(archive, member) as content:
            header = _header(content, member)
            if not (header.is_fortran or header.dtype.hasobject or not header.shape):
                samples, *inner = header.shape
                for start in range(0, samples, count):
                    values = np.empty((min(count, samples - start), *inner), header.dtype)
                    fill(values, content)
                    yield values
                return
    whole = array(stream, name)
    yield from (whole[start : start + count] for start in range(0, len(whole), count))


def _archive(stream: BufferedReader) -> zipfile.ZipFile:
    if stream.peek(len(npy.MAGIC_PREFIX)).startswith(npy.MAGIC_PREFIX):
        raise ValueError("a single array, not an archive of named arrays")
    return zipfile.ZipFile(stream)


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The members that are arrays, by their names."""
    members = [m for m in archive.infolist() if m.filename.endswith(_ENDING)]
    require_few(len(members))
    by_name = {member.filename.removesuffix(_ENDING): member for member in members}
    if len(by_name) < len(members):
        raise ValueError("an array stands in it twice")
    return by_name


def _opened(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> BufferedIOBase:
    """A member, whose sizes are possible."""
    name = member.filename
    if member.flag_bits & _ENCRYPTED:
        raise ValueError(f"`{name}` is encrypted")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"`{name}` is compressed in a way that numpy does not write")
    most = MOST_INFLATED if member.compress_type == zipfile.ZIP_DEFLATED else 1
    if member.file_size > most * member.compress_size:
        raise ValueError(f"`{name}` cannot be as large as it says")
    return cast(BufferedIOBase, archive.open(member))


def _header(content: BufferedIOBase, member: zipfile.ZipInfo) -> _Header:
    """The header of an array that takes exactly the bytes of its member."""
    name = member.filename
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
    size = member.file_size - len(npy.MAGIC_PREFIX) - _VERSION - len(text)
    if not dtype.hasobject and (not dtype.itemsize or prod(sizes) * dtype.itemsize != size):
        raise ValueError(f"`{name}` does not have the bytes that its shape takes")
    return _Header(tuple(sizes), dtype, is_fortran)


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
