"""Arrays written as a feature store."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusewright.runtime.store.manifest import Manifest, StoredArray
from fusewright.runtime.store.write import StoreWriter

PLAIN = ("labels", "split", "groups")
AXES = {1: "c", 2: "tc", 3: "chw"}


def stored(arrays: Mapping[str, NDArray[Any]], folder: Path, in_shard: int = 16) -> Path:
    """A store of arrays (samples, …), so many samples in a shard; features as float32."""
    samples = len(arrays["labels"])
    plan = tuple(_array(name, array) for name, array in arrays.items())
    writer = StoreWriter(folder, Manifest(samples, in_shard, plan))
    for number in range(-(-samples // in_shard)):
        part = slice(number * in_shard, (number + 1) * in_shard)
        writer.write(number, {name: array[part] for name, array in arrays.items()})
    writer.finish()
    return folder


def _array(name: str, array: NDArray[Any]) -> StoredArray:
    if name in PLAIN or "." in name:
        dtype = "int64" if np.issubdtype(array.dtype, np.integer) else "float32"
        return StoredArray(name, None, array.shape[1:], dtype)
    axes = zip(AXES[array.ndim - 1], array.shape[1:], strict=True)
    return StoredArray.of_feature(name, axes, "features")
