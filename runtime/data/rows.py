"""Rows: arrays whose first axis is samples, in memory or where they are read from.

An array of numpy is one of them; so is what stands in a store or in a file that is mapped. What
needs all of a feature asks for chunks of it, what needs some samples gathers them, and neither asks
where the numbers are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import prod
from mmap import mmap
from typing import Any, Protocol, TypeAlias, TypeGuard

import numpy as np
from numpy.typing import NDArray

from .reading import read_ahead

Array: TypeAlias = NDArray[Any]
CHUNK = 1024
"""Samples that are read at a time, at most."""
CHUNK_BYTES = 1 << 22
"""Bytes of samples that are read at a time, where one sample has no more."""


class Rows(Protocol):
    """An array (samples, axes…), which gives the samples of a slice, or of their numbers."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, samples: slice | NDArray[np.int64], /) -> Array: ...


class SingleRows:
    """Rows in single precision, converted when they are asked for; what they give is a copy.

    Samples that are `absent` are zeros.
    """

    dtype: np.dtype[Any] = np.dtype(np.float32)

    def __init__(self, rows: Rows, absent: NDArray[np.bool_] | None = None) -> None:
        self._rows, self._absent, self.shape = rows, absent, rows.shape

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, samples: slice | NDArray[np.int64]) -> NDArray[np.float32]:
        given = self._rows[samples]
        with np.errstate(all="ignore"):
            single = given.astype(np.float32, copy=given.base is not None)
        if self._absent is not None:
            single[self._absent[samples]] = 0
        return single


def is_rows(array: Any) -> TypeGuard[Rows]:
    """Whether an array has a number type of numpy, and gives its samples as arrays of numpy."""
    if isinstance(array, (np.ndarray, np.generic)):
        return isinstance(array, np.ndarray)
    return isinstance(getattr(array, "dtype", None), np.dtype) and isinstance(array[:0], np.ndarray)


def rows_of(array: Any) -> Rows:
    """What is given as it is, where it is rows; else as an array of numpy."""
    return array if is_rows(array) else np.asarray(array)


def in_memory(rows: Any) -> TypeGuard[Array]:
    """Whether rows are an array that memory is taken for already, and none of a mapped file."""
    base: Any = rows
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, memoryview):
        base = base.obj
    return isinstance(rows, np.ndarray) and not isinstance(base, mmap)


def single_bytes(shape: tuple[int, ...]) -> int:
    """What numbers of a shape take in single precision."""
    return SingleRows.dtype.itemsize * prod(shape)


def gathered(rows: Rows, samples: NDArray[np.int64]) -> Array:
    """The rows of samples (…), which may repeat: each is read once, in the order of the file."""
    if in_memory(rows):
        return rows[samples]
    needed, places = np.unique(samples, return_inverse=True)
    found = rows[needed]
    places = places.reshape(samples.shape)
    is_in_order = places.shape == needed.shape and np.array_equal(places, np.arange(len(needed)))
    return found if is_in_order else found[places]


def spans(rows: Rows, count: int, most: int = CHUNK) -> list[slice]:
    """Slices of so many samples that are read at a time, which takes little memory."""
    each = max(1, min(most, CHUNK_BYTES // max(1, single_bytes(rows.shape[1:]))))
    return [slice(start, min(start + each, count)) for start in range(0, count, each)]


def of_length(blocks: Iterable[Array], count: int) -> Iterator[Array]:
    """Consecutive rows in blocks of any length as blocks of so many; the last may have fewer."""
    held: list[Array] = []
    for block in blocks:
        held.append(block)
        while sum(map(len, held)) >= count:
            whole = np.concatenate(held) if len(held) > 1 else held[0]
            yield whole[:count]
            held = [whole[count:]]
    if held and sum(map(len, held)):
        yield np.concatenate(held)


def chunks(
    rows: Rows, samples: NDArray[np.int64] | None = None, most: int = CHUNK
) -> Iterator[Array]:
    """All rows, or those of some samples, a few at a time; read ahead where they are not held."""

    def read(span: slice) -> Array:
        return rows[span] if samples is None else gathered(rows, samples[span])

    parts = spans(rows, len(rows) if samples is None else len(samples), most)
    return map(read, parts) if in_memory(rows) else read_ahead(read, parts)
