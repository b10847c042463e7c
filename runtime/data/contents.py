"""What data hold, for whoever wants to know before a search: sizes, classes, gaps, doubts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.network.names import presence_name
from ...compiler.system.memory import memory_text
from ..store.manifest import StoredArray
from ..store.read import Store, StoredRows
from .identity import features_digest
from .split import SPLIT_NAMES
from .stores import StoreArrays

BLOCK = 1 << 22
"""Numbers that are looked at at a time."""
MOST_SHOWN = 20
"""Classes that are named in a line."""
MOST_CLASSES = 1000
"""Different labels beyond which they are not counted one by one."""


def store_contents(folder: Path) -> dict[str, Any]:
    """What a store holds; every number is read, few megabytes at a time.

    Raises DiagnosticError where it is damaged.
    """
    store = Store.open(folder)
    manifest = store.manifest
    groups = len(np.unique(store.array("groups")[:])) if "groups" in store else None
    return {
        "store": str(folder),
        "samples": manifest.samples,
        "bytes": manifest.bytes,
        "shards": len(manifest.shards),
        "digest": features_digest(StoreArrays(store)),
        "splits": _splits(store),
        "groups": groups,
        "labels": _labels(store),
        "modalities": {
            modality: _modality(store, modality)
            for modality in manifest.modalities
            if modality is not None
        },
    }


def _splits(store: Store) -> dict[str, int] | None:
    """How many samples each split has."""
    if "split" not in store:
        return None
    split = store.array("split")[:]
    return {name: int((split == number).sum()) for number, name in enumerate(SPLIT_NAMES)}


def _labels(store: Store) -> dict[str, Any] | None:
    """The shape of labels, and how many samples each class has, or each label."""
    if "labels" not in store:
        return None
    labels = store.array("labels")[:]
    facts: dict[str, Any] = {"shape": list(labels.shape[1:])}
    names = store.manifest.classes
    if labels.dtype.kind == "i" and labels.ndim == 1:
        values, counts = np.unique(labels, return_counts=True)
        if len(values) <= MOST_CLASSES:
            shown = [_class(int(value), names) for value in values]
            facts["classes"] = dict(zip(shown, counts.tolist(), strict=True))
    return facts


def _class(number: int, names: tuple[str, ...] | None) -> str:
    return names[number] if names and 0 <= number < len(names) else str(number)


def _modality(store: Store, modality: str) -> dict[str, Any]:
    manifest, name = store.manifest, presence_name(modality)
    present = store.array(name)[:] != 0 if name in store else np.ones(manifest.samples, bool)
    arrays = [array for array in manifest.arrays_of(modality) if array.axes is not None]
    origin = manifest.origins.get(modality)
    return {
        "missing": int((~present).sum()),
        "origin": {k: v for k, v in asdict(origin).items() if v} if origin else {},
        "features": {array.name: _feature(store.array(array.name), present) for array in arrays},
    }


def _feature(rows: StoredRows, present: NDArray[np.bool_]) -> dict[str, Any]:
    """A feature's axes and type, and which of its numbers say nothing in samples that have it."""
    array = rows.array
    shape = rows.shape[1:]
    lowest, highest = np.full(shape, np.inf, np.float32), np.full(shape, -np.inf, np.float32)
    strange = 0
    count = max(1, BLOCK // max(1, prod(shape)))
    for start in range(0, len(rows), count):
        block = rows[start : start + count][present[start : start + count]]
        strange += int(block.size - np.isfinite(block).sum())
        lowest = np.fmin(lowest, np.fmin.reduce(block, 0, initial=np.inf))
        highest = np.fmax(highest, np.fmax.reduce(block, 0, initial=-np.inf))
    return {
        "axes": _axes(array),
        "dtype": array.dtype,
        "longest": list(shape),
        "numbers": prod(shape),
        "constant": int((lowest >= highest).sum()) if present.sum() > 1 else 0,
        "not_finite": strange,
    }


def _axes(array: StoredArray) -> list[str]:
    """As the language writes them."""
    return [f"{name} {size}" for name, size in array.axes or ()]


def contents_lines(contents: Mapping[str, Any]) -> Iterator[str]:
    """The contents as lines of text."""
    size = memory_text(contents["bytes"])
    samples, shards = contents["samples"], contents["shards"]
    yield f"{contents['store']}: {samples:,} samples, {size} in {shards:,} shards"
    yield f"digest of features: {contents['digest']}"
    if contents["splits"] is None:
        yield "split: none, so one is drawn from the seed"
    else:
        yield f"split: {_counted(contents['splits'])}"
    if contents["groups"] is None:
        yield "groups: none, so nothing says that splits share no person, place or time"
    else:
        yield f"groups: {contents['groups']:,}"
    if (labels := contents["labels"]) is not None:
        classes = labels.get("classes")
        shape = ", ".join(["samples", *map(str, labels["shape"])])
        yield f"labels: {_counted(classes) if classes else f'({shape})'}"
    for name, modality in contents["modalities"].items():
        missing = modality["missing"]
        yield f"{name}: {_lacking(missing)}"
        for feature, facts in modality["features"].items():
            yield f"  {feature}[{', '.join(facts['axes'])}] {facts['dtype']}{_doubts(facts)}"


def _lacking(samples: int) -> str:
    """How many samples lack a modality."""
    if not samples:
        return "every sample has it"
    return "1 sample lacks it" if samples == 1 else f"{samples:,} samples lack it"


def _counted(counts: Mapping[str, int]) -> str:
    shown = [f"{name} {count:,}" for name, count in counts.items()]
    more = [f"and {len(shown) - MOST_SHOWN} more"] if len(shown) > MOST_SHOWN else []
    return ", ".join([*shown[:MOST_SHOWN], *more])


def _doubts(facts: Mapping[str, Any]) -> str:
    doubts: list[str] = []
    if facts["constant"]:
        doubts.append(f"{facts['constant']:,} of {facts['numbers']:,} numbers do not vary")
    if facts["not_finite"]:
        doubts.append(f"{facts['not_finite']:,} are not finite")
    return f": {', '.join(doubts)}" if doubts else ""
