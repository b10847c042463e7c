"""Feature stores as data: their arrays by name, and their headers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from ...compiler.network.names import CLASS_NAMES
from ..store.folders import mark_used
from ..store.manifest import Manifest, read_manifest
from ..store.read import Store
from ..store.types import NUMBER_TYPES
from .formats import ArrayHeader
from .rows import Rows


class StoreArrays(Mapping[str, Rows]):
    """The arrays of a store, whose rows are read when they are asked for, and not kept.

    Beside them it has the names of the classes, which are not for each sample, by `CLASS_NAMES`.
    Raises DiagnosticError where what is read is damaged.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        mark_used(store)

    @property
    def headers(self) -> Mapping[str, ArrayHeader]:
        """The headers of its arrays."""
        return _headers(self.store.folder, self.store.manifest)

    def __getitem__(self, name: str) -> Rows:
        if name == CLASS_NAMES and self.store.manifest.classes is not None:
            return np.array(self.store.manifest.classes, np.str_)
        if name not in self.store:
            raise KeyError(name)
        return self.store.array(name)

    def __iter__(self) -> Iterator[str]:
        return (array.name for array in self.store.manifest.arrays)

    def __len__(self) -> int:
        return len(self.store.manifest.arrays)

    def __contains__(self, name: object) -> bool:
        """Whether there is an array of this name, which is not read."""
        known = self.store.manifest.classes is not None
        return (name == CLASS_NAMES and known) or name in self.store


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
            is_apart=True,
        )
        for array in manifest.arrays
    }
