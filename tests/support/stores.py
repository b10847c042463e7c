"""Small stores for tests: a plan, its arrays, and how they are written."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusewright.runtime.store.manifest import Manifest, Origin, StoredArray
from fusewright.runtime.store.write import StoreWriter

Arrays = dict[str, NDArray[Any]]


def small_plan(samples: int = 10, in_shard: int = 4, weights: str | None = None) -> Manifest:
    """Pictures in bfloat16, sounds of several lengths in float16 that samples may lack, labels."""
    arrays = (
        StoredArray.of_feature("A", [("c", 3), ("h", 2)], "image", "bfloat16"),
        StoredArray.of_feature("B", [("t", "*"), ("c", 2)], "sound", "float16"),
        StoredArray("B.lengths", None, (), "int64", "sound"),
        StoredArray("sound.present", None, (), "int64", "sound"),
        StoredArray("labels", None, (), "int64"),
        StoredArray("split", None, (), "int64"),
    )
    origins: dict[str | None, Origin] = {"image": Origin(weights=weights)} if weights else {}
    return Manifest(samples, in_shard, arrays, ("cat", "dog", "owl"), origins)


def small_arrays(samples: int = 10, seed: int = 0) -> Arrays:
    """The arrays of `small_plan`, whose numbers every type holds."""
    generator = np.random.default_rng(seed)
    lengths = generator.integers(1, 6, samples)
    lengths[0] = 5
    sounds = generator.integers(-99, 100, (samples, 5, 2)) / 4
    sounds[np.arange(5) >= lengths[:, None]] = 0
    return {
        "A": (generator.integers(-99, 100, (samples, 3, 2)) / 2).astype(np.float32),
        "B": sounds.astype(np.float32),
        "B.lengths": lengths,
        "sound.present": generator.integers(0, 2, samples),
        "labels": np.arange(samples) % 3,
        "split": np.arange(samples) % 3,
    }


def shard_of(plan: Manifest, arrays: Arrays, number: int) -> Arrays:
    """The arrays of a shard, no longer in time than its samples are."""
    first, last = plan.bounds(number)
    shard = {name: array[first:last] for name, array in arrays.items()}
    if "B.lengths" in shard:
        shard["B"] = shard["B"][:, : shard["B.lengths"].max()]
    return shard


def write_store(
    folder: Path,
    plan: Manifest | None = None,
    arrays: Arrays | None = None,
    numbers: Iterable[int] | None = None,
) -> Manifest:
    """Writes a store, in the order of the numbers; what is there already is not written again."""
    plan, arrays = plan or small_plan(), arrays or small_arrays()
    writer = StoreWriter(folder, plan)
    for number in plan.numbers if numbers is None else numbers:
        shard = shard_of(plan, arrays, number)
        for modality in plan.modalities:
            if number not in writer.done[modality]:
                names = [array.name for array in plan.arrays_of(modality)]
                writer.write(number, {name: shard[name] for name in names})
    return writer.finish()


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of every file below a folder."""
    files = (file for file in sorted(folder.rglob("*")) if file.is_file())
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}
