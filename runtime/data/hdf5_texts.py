"""Texts of any length in HDF5 files.

NOTE: the library follows what a file says of its heap, in rings if it is told so. Here the heap is
read by its format (version 1): https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Mapping
from io import BufferedReader
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

_REFERENCE = np.dtype([("length", "<u4"), ("address", "<u8"), ("index", "<u4")])
_HEADER, _MAGIC = 16, b"GCOL\1"
_GZIP = 1


def read_texts(stream: BufferedReader, dataset: Any) -> list[str]:
    """The texts of a dataset (samples,); raises ValueError where they cannot be read."""
    references = read_references(stream, dataset)
    heap = _Heap(stream, int(dataset.file.userblock_size))
    return [heap.text(*map(int, reference)) for reference in references.tolist()]


def read_references(stream: BufferedReader, dataset: Any) -> NDArray[Any]:
    """Where the texts of a dataset (samples,), or lists of bytes, stand; raises ValueError."""
    if len(dataset.shape) != 1:
        raise ValueError("texts in it are not one for each sample")
    return np.frombuffer(_references(stream, dataset), _REFERENCE)


def read_piece(stream: BufferedReader, base: int, reference: Any) -> bytes:
    """The bytes at a reference, in a file whose content begins at `base`; raises ValueError."""
    return _Heap(stream, base).piece(*map(int, reference.tolist()))


class _Heap:
    """Pieces of text by the address of their collection and their number there."""

    def __init__(self, stream: BufferedReader, base: int) -> None:
        self._stream, self._base = stream, base
        self._size = os.fstat(stream.fileno()).st_size
        self._left = 2 * self._size
        self._known: dict[int, Mapping[int, bytes]] = {}
        self._texts: dict[tuple[int, int, int], str] = {}
        self._text_left = 2 * self._size

    def text(self, length: int, address: int, index: int) -> str:
        """A text, which is the same one wherever it is referred to."""
        key = (length, address, index)
        if key not in self._texts:
            self._text_left -= length
            if self._text_left < 0:
                raise ValueError("texts in it are longer than it is")
            self._texts[key] = self.piece(*key).decode("utf-8")
        return self._texts[key]

    def piece(self, length: int, address: int, index: int) -> bytes:
        if not length or not address:
            return b""
        if address not in self._known:
            self._known[address] = self._collection(address)
        piece = self._known[address].get(index, b"")
        if len(piece) < length:
            raise ValueError("a text in it does not stand where it says")
        return piece[:length]

    def _collection(self, address: int) -> Mapping[int, bytes]:
        start = self._base + address
        if start + _HEADER > self._size:
            raise ValueError("texts in it stand beyond its end")
        self._stream.seek(start)
        header = self._stream.read(_HEADER)
        size = int.from_bytes(header[8:], "little")
        if not header.startswith(_MAGIC) or not _HEADER <= size <= self._left:
            raise ValueError("texts in it do not stand where it says")
        self._left -= size
        return _pieces(self._stream.read(min(size, self._size - start) - _HEADER))


def _pieces(content: bytes) -> dict[int, bytes]:
    """The pieces of a collection by their numbers; the last one, of number 0, is free space."""
    pieces: dict[int, bytes] = {}
    place = 0
    while place + _HEADER <= len(content):
        index = int.from_bytes(content[place : place + 2], "little")
        size = int.from_bytes(content[place + 8 : place + _HEADER], "little")
        if not index:
            break
        place += _HEADER
        pieces[index] = content[place : place + size]
        place += -(-size // 8) * 8
    return pieces


# References


def _references(stream: BufferedReader, dataset: Any) -> bytes:
    """Where the texts stand, one after the other."""
    size = prod(dataset.shape) * _REFERENCE.itemsize
    if dataset.chunks is None:
        offset = dataset.id.get_offset()
        if offset is None or dataset.id.get_storage_size() != size:
            raise ValueError("texts in it are stored in a way that is not read")
        stream.seek(offset)
        content = stream.read(size)
    else:
        content = _of_chunks(dataset)[:size]
    if len(content) != size:
        raise ValueError("it is cut short")
    return content


def _of_chunks(dataset: Any) -> bytes:
    created, (rows,) = dataset.id.get_create_plist(), dataset.chunks
    filters = [created.get_filter(place)[0] for place in range(created.get_nfilters())]
    size = rows * _REFERENCE.itemsize
    parts: list[bytes] = []
    for start in range(0, dataset.shape[0], rows):
        left_out, packed = dataset.id.read_direct_chunk((start,))
        used = [of for place, of in enumerate(filters) if not left_out >> place & 1]
        if used not in ([], [_GZIP]):
            raise ValueError("texts in it are packed in a way that is not read: use gzip")
        parts.append(zlib.decompressobj().decompress(packed, size) if used else packed)
    return b"".join(parts)
