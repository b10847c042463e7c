"""Feature stores as data: their arrays by name, and their headers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..store.folders import mark_used
from ..store.manifest import Manifest, read_manifest
from ..store.numbers import NUMBER_TYPES
from ..store.read import Store, StoredRows
from .formats import ArrayHeader


class StoreArrays(Mapping[str, NDArray[Any]]):
    """The arrays of a store, each of which is read when it is asked for, and not kept.

    `rows` gives one that is read by rows. Raises DiagnosticError where what is read is damaged.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        mark_used(store)

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The names of the classes that labels count, if they are known."""
        return self.store.manifest.classes

    @property
    def headers(self) -> Mapping[str, ArrayHeader]:
        """The headers of its arrays."""
        return _headers(self.store.folder, self.store.manifest)

    def rows(self, name: str) -> StoredRows:
        """An array whose rows are read when they are asked for."""
        return self.store.array(name)

    def blocks(self, name: str, count: int) -> Iterator[NDArray[Any]]:
        """An array as consecutive rows, so many at a time."""
        rows = self.rows(name)
        return (rows[start : start + count] for start in range(0, len(rows), count))

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self:
            raise KeyError(name)
        return np.asarray(self.rows(name))

    def __iter__(self) -> Iterator[str]:
        return (array.name for array in self.store.manifest.arrays)

    def __len__(self) -> int:
        return len(self.store.manifest.arrays)

    def __contains__(self, name: object) -> bool:
        """Whether there is an array of this name, which is not read."""
        return name in self.store


def store_headers(folder: Path) -> dict[str, ArrayHeader]:
    """The headers of the arrays of a store; raises DiagnosticError where its manifest is wrong."""
    return _headers(folder, read_manifest(folder))


def _headers(folder: Path, manifest: Manifest) -> dict[str, ArrayHeader]:
    return {
        array.name: ArrayHeader(
            array.name,
            (manifest.samples, *(size for size in array.shape if size is not None)),
            np.dtype(NUMBER_TYPES[array.dtype].read).kind,
            folder,
        )
        for array in manifest.arrays
    }
