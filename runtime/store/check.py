"""Everything that can be said against a store, with every byte of it read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import Diagnostic, DiagnosticError, Report
from ...compiler.network.names import lengths_name, presence_name
from ...compiler.system.files import entries
from .manifest import Manifest, Shard, is_of_store, is_shard_file, read_manifest
from .read import Store
from .shard import tensors_of
from .whole import require_whole

PARTS_OF_A_SPLIT = 3


def check_store(folder: Path) -> tuple[Diagnostic, ...]:
    """What is wrong with the shards of a store, what else is there, and numbers that cannot be.

    Raises DiagnosticError where there is no manifest that can be read.
    """
    manifest = read_manifest(folder)
    report = Report()
    for shard in manifest.shards:
        _shard(folder, manifest, shard, report)
    for name in _strangers(folder, manifest):
        message = f"`{folder / name}` is not of the store"
        report.add("E513", message, help="remove it, or extract or import the store again")
    if not report.errors:
        _numbers(Store.open(folder), report)
    return tuple(report.diagnostics)


def _shard(folder: Path, manifest: Manifest, shard: Shard, report: Report) -> None:
    try:
        tensors_of(folder, manifest, shard.modality, shard.number)
        require_whole(folder / shard.file, shard)
    except DiagnosticError as error:
        report.diagnostics += error.diagnostics


def _strangers(folder: Path, manifest: Manifest) -> Iterator[str]:
    """The files in a store's folder that do not belong there."""
    own = {shard.file for shard in manifest.shards}
    for name in (file.name for file in entries(folder)):
        if not is_of_store(name) or (is_shard_file(name) and name not in own):
            yield name


def _numbers(store: Store, report: Report) -> None:
    """Lengths, presence, splits and labels that are out of their range."""
    manifest = store.manifest
    for array in manifest.arrays:
        if array.axes is None:
            continue
        name = lengths_name(array.name)
        times = [n for (axis, _), n in zip(array.axes, array.shape, strict=True) if axis == "t"]
        if name in store and times:
            _within(store, name, 1, times[0] or 0, "E502", report)
    for modality in manifest.modalities:
        if modality is not None and presence_name(modality) in store:
            _within(store, presence_name(modality), 0, 1, "E502", report)
    if "split" in store:
        _within(store, "split", 0, PARTS_OF_A_SPLIT - 1, "E503", report)
    if manifest.classes and "labels" in store and not manifest.array("labels").shape:
        _within(store, "labels", 0, len(manifest.classes) - 1, "E503", report)


def _within(store: Store, name: str, least: int, most: int, code: str, report: Report) -> None:
    numbers: NDArray[Any] = np.asarray(store.array(name))
    wrong = np.flatnonzero((numbers < least) | (numbers > most))
    if len(wrong):
        first = int(wrong[0])
        message = f"`{name}` of sample {first} is {numbers.flat[first]}, not from {least} to {most}"
        report.add(code, message)
