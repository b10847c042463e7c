"""Reading a store: rows of its arrays from memory maps, as float32 or whole numbers."""

from __future__ import annotations

import mmap
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import DiagnosticError, did_you_mean, fail
from ...compiler.system.files import open_file, reason
from ...compiler.system.tensors import Tensor
from .manifest import Manifest, Shard, StoredArray, read_manifest
from .numbers import decoded
from .shard import damaged, tensors_of
from .types import NUMBER_TYPES
from .whole import require_whole

MOST_MAPS = 512
"""Files of a store that are mapped at once, each of which stays open."""


class Store:
    """A store that is open to be read; `Store.open` checks it.

    A shard is checked against its digest before the first of its numbers is read, and again where
    its file has changed since.
    """

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        tensors: Mapping[tuple[str | None, int], Mapping[str, Tensor]],
    ) -> None:
        self.folder, self.manifest = folder, manifest
        self._tensors = tensors
        self._shards = {(s.modality, s.number): s for s in manifest.shards}
        self._mapped = lru_cache(MOST_MAPS)(self._map)

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Store:
        """The store in a folder, whose manifest and headers of shards agree.

        Raises DiagnosticError where anything is wrong; `require_whole` reads every byte.
        """
        place = Path(folder)
        manifest = read_manifest(place)
        tensors = {
            (s.modality, s.number): tensors_of(place, manifest, s.modality, s.number)
            for s in manifest.shards
        }
        _require_longest(place, manifest, tensors)
        return cls(place, manifest, tensors)

    def __contains__(self, name: object) -> bool:
        return any(array.name == name for array in self.manifest.arrays)

    def array(self, name: str) -> StoredRows:
        """An array by its name; raises DiagnosticError where there is none."""
        try:
            return StoredRows(self, self.manifest.array(name))
        except KeyError:
            remedy = did_you_mean(name, [array.name for array in self.manifest.arrays])
            raise fail("E501", f"`{self.folder}` has no array `{name}`", help=remedy) from None

    def require_whole(self, *names: str) -> None:
        """Raises DiagnosticError where a shard that holds any of the arrays, or any, is damaged."""
        for shard in self.shards_of(*names):
            require_whole(self.folder / shard.file, shard)

    def shards_of(self, *names: str) -> tuple[Shard, ...]:
        """The shards that hold any of the arrays, or all of them."""
        modalities = {a.modality for a in self.manifest.arrays if not names or a.name in names}
        return tuple(s for s in self.manifest.shards if s.modality in modalities)

    def block(self, array: StoredArray, number: int) -> NDArray[Any]:
        """The bits of an array in a shard, (samples, …), which stay in the file."""
        shard = self._shards[array.modality, number]
        content = self._mapped(shard)
        tensor = self._tensors[array.modality, number][array.name]
        dtype = np.dtype(NUMBER_TYPES[array.dtype].bits)
        count = (tensor.end - tensor.start) // dtype.itemsize
        return np.frombuffer(content, dtype, count, tensor.start).reshape(tensor.shape)

    def _map(self, shard: Shard) -> mmap.mmap:
        path = self.folder / shard.file
        require_whole(path, shard)
        with open_file(path) as stream:
            try:
                if os.fstat(stream.fileno()).st_size != shard.bytes:
                    raise damaged(path, "its size has changed")
                return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
            except (OSError, ValueError) as error:
                if isinstance(error, DiagnosticError):
                    raise
                raise fail("E504", f"`{path}` cannot be read: {reason(error)}") from None


class StoredRows:
    """An array of a store, (samples, …): rows are read when they are asked for, and not kept.

    Numbers are float32, or int64 for whole ones; 0 beyond what a shard has of an open axis.
    """

    def __init__(self, store: Store, array: StoredArray) -> None:
        self._store, self.array = store, array
        self.dtype: np.dtype[Any] = np.dtype(NUMBER_TYPES[array.dtype].read)
        sizes = [size for size in array.shape if size is not None]
        self.shape: tuple[int, ...] = (store.manifest.samples, *sizes)

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def rows(self, indices: NDArray[np.int64]) -> NDArray[Any]:
        """The rows of samples, (indices, …); raises IndexError for a sample that is not there."""
        if len(indices) and (indices.min() < 0 or indices.max() >= len(self)):
            raise IndexError(f"`{self.array.name}` has {len(self)} samples")
        gathered = np.zeros((len(indices), *self.shape[1:]), self.dtype)
        numbers = indices // self._store.manifest.in_shard
        for number in np.unique(numbers):
            places = np.flatnonzero(numbers == number)
            first, _ = self._store.manifest.bounds(int(number))
            block = self._store.block(self.array, int(number))
            self._place(gathered, places, block[indices[places] - first])
        return gathered

    def __getitem__(self, samples: slice | NDArray[np.int64]) -> NDArray[Any]:
        """The rows of consecutive samples, or of those with these numbers."""
        if not isinstance(samples, slice):
            return self.rows(samples)
        start, stop, step = samples.indices(len(self))
        if step != 1:
            return self.rows(np.arange(start, stop, step))
        gathered = np.zeros((max(0, stop - start), *self.shape[1:]), self.dtype)
        in_shard = self._store.manifest.in_shard
        for number in range(start // in_shard, -(-stop // in_shard) if stop > start else 0):
            first, last = self._store.manifest.bounds(number)
            lower, upper = max(start, first), min(stop, last)
            block = self._store.block(self.array, number)[lower - first : upper - first]
            self._place(gathered, slice(lower - start, upper - start), block)
        return gathered

    def _place(self, gathered: NDArray[Any], places: Any, bits: NDArray[Any]) -> None:
        """Puts rows of a shard where they belong among those that are gathered."""
        inner = tuple(slice(size) for size in bits.shape[1:])
        gathered[(places, *inner)] = decoded(bits, self.array.dtype)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """All of it, in memory."""
        if copy is False:
            raise ValueError("an array of a store is read when it is asked for")
        whole = self[:]
        return whole if dtype is None else whole.astype(dtype, copy=False)


def _require_longest(
    folder: Path,
    manifest: Manifest,
    tensors: Mapping[tuple[str | None, int], Mapping[str, Tensor]],
) -> None:
    """Raises DiagnosticError where the manifest's longest samples are not those of any shard."""
    for array in manifest.arrays:
        shapes = [tensors[array.modality, n][array.name].shape[1:] for n in manifest.numbers]
        if tuple(map(max, *shapes, shapes[0])) != array.shape:
            message = f"no shard of `{folder}` has samples of `{array.name}` as long as it says"
            raise fail("E513", message, help="extract or import it again")
