"""numpy's archives of named arrays.

NOTE: numpy's reader believes what an archive says of itself. Here a member has no more bytes than
its compressed ones can give, and an array those that its shape takes, before any memory is taken.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from io import BufferedIOBase, BufferedReader
from math import prod
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ....compiler.system.archives import BROKEN_ARCHIVE
from ....compiler.system.tensors import fill
from . import ArrayHeader, require_few
from .npy import read_header, require_plain

ENDINGS = (".npz",)
UNREADABLE = BROKEN_ARCHIVE
MOST_INFLATED = 1032
"""Bytes that a byte of deflate gives at most."""
_ENDING, _ENCRYPTED = ".npy", 1


def headers(stream: BufferedReader, file: Path) -> Mapping[str, ArrayHeader]:
    """The headers of the members that are arrays."""
    by_name: dict[str, ArrayHeader] = {}
    with _archive(stream) as archive:
        for name, member in _members(archive).items():
            with _opened(archive, member) as content:
                header = read_header(content, member.file_size, member.filename)
            by_name[name] = ArrayHeader(name, header.shape, header.dtype.kind, file)
    return by_name


def array(stream: BufferedReader, name: str) -> NDArray[Any]:
    """The array of this name."""
    with _archive(stream) as archive:
        member = _members(archive)[name]
        with _opened(archive, member) as content:
            header = read_header(content, member.file_size, member.filename)
            require_plain(header, name)
            values = np.empty(prod(header.shape), header.dtype)
            fill(values, content)
    return header.array_of(values)


def blocks(stream: BufferedReader, name: str, count: int) -> Iterator[NDArray[Any]]:
    """The array of this name as consecutive rows, so many at a time."""
    with _archive(stream) as archive:
        member = _members(archive)[name]
        with _opened(archive, member) as content:
            header = read_header(content, member.file_size, member.filename)
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
