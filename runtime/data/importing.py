"""Data that people hold, imported into a feature store: one pass, a shard at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.check.check import checked
from ...compiler.diagnostics.diagnostic import DiagnosticError, Report, did_you_mean, fail, one_of
from ...compiler.language.spec import Spec
from ...compiler.network.names import CLASS_NAMES, LABELS, lengths_name, presence_name
from ...compiler.network.network import Network, NetworkFeature
from ...compiler.system.files import is_folder
from ..progress import Progress, no_progress
from ..store.folders import remove_store, writing
from ..store.manifest import (
    OPEN,
    Axis,
    Manifest,
    Origin,
    StoredArray,
    is_store,
    read_manifest,
    usual_in_shard,
)
from ..store.types import FEATURE_TYPES
from ..store.write import StoreWriter
from .canonical import PER_SAMPLE, canonical, canonical_blocks, is_feature
from .classes import named, names_in
from .files import Source, arrays_of, headers_of
from .formats import ArrayHeader
from .identity import data_identity
from .labels import labels_of
from .rows import Rows
from .split import groups_of, split_of
from .suggest import AXES, declare, modalities_of


def import_features(
    source: Source,
    folder: Path,
    *,
    dtype: str = "float32",
    spec: Spec | None = None,
    overwrite: bool = False,
    progress: Progress = no_progress,
) -> Manifest:
    """Writes a store of the arrays of data, features in a type of `FEATURE_TYPES`.

    With a specification these are the arrays that it reads, with its modalities and axes, and what
    does not fit is refused; without one all that may be features, as `declare` reads them. Of a
    feature a shard's samples are held at a time where its format can be read so. What a process
    that was stopped has left whole stays. Raises DiagnosticError where data cannot be read, do not
    fit or cannot be stored, and then leaves no folder that it made; and where the folder holds
    another store, without `overwrite`.
    """
    if dtype not in FEATURE_TYPES:
        raise fail("E506", f"`{dtype}` is no type of features", help=one_of(FEATURE_TYPES))
    arrays = arrays_of(source)
    features = (
        _of_network(arrays, checked(named(spec, arrays))) if spec else _suggested(source, arrays)
    )
    plan = _plan(source, arrays, features, dtype)
    if spec is None:
        _require_all_told(plan.arrays, headers_of(arrays))
    _require_free(source, folder, plan, overwrite)
    is_new = not is_folder(folder)
    try:
        with writing(folder, "features import"):
            return _written(arrays, plan, StoreWriter(folder, plan), progress)
    except DiagnosticError:
        if is_new:
            with suppress(DiagnosticError):
                remove_store(folder)
        raise


def _written(
    arrays: Mapping[str, Rows], plan: Manifest, writer: StoreWriter, progress: Progress
) -> Manifest:
    """Writes the shards that are not whole yet, and the manifest."""
    for place, modality in enumerate(plan.modalities):
        names = [array.name for array in plan.arrays_of(modality)]
        for number, shard in _shards(arrays, names, plan):
            if number not in writer.done[modality]:
                writer.write(number, shard)
            done = place * plan.samples + plan.bounds(number)[1]
            progress(done, plan.samples * len(plan.modalities))
    return writer.finish()


@dataclass(frozen=True, slots=True)
class _Feature:
    """A feature that is imported."""

    name: str
    modality: str
    axes: tuple[Axis, ...]


def _shards(
    arrays: Mapping[str, Rows], names: list[str], plan: Manifest
) -> Iterator[tuple[int, dict[str, NDArray[Any]]]]:
    """The arrays of a modality, shard by shard."""
    blocks = {name: canonical_blocks(arrays, name, plan.in_shard) for name in names}
    for number in plan.numbers:
        shard = {name: next(block) for name, block in blocks.items()}
        yield number, {n: _with_channel(array, plan.array(n)) for n, array in shard.items()}


def _with_channel(array: NDArray[Any], stored: StoredArray) -> NDArray[Any]:
    """An array; one number for each sample, where that is a feature, as its channel."""
    return array[:, None] if array.ndim == 1 and stored.axes is not None else array


# Features and their plan


def _suggested(source: Source, arrays: Mapping[str, Rows]) -> list[_Feature]:
    """The features that data suggest by themselves."""
    if isinstance(source, Mapping):
        modalities = modalities_of(headers_of(arrays))
    else:
        modalities = declare(Path(source)).modalities
    return [
        _Feature(feature.name, modality.name, tuple((a.name, a.size) for a in feature.axes or ()))
        for modality in modalities
        for feature in modality.features
    ]


def _of_network(arrays: Mapping[str, Rows], network: Network) -> list[_Feature]:
    """The features that a network reads; raises DiagnosticError where data do not fit it."""
    headers, report = headers_of(arrays), Report()
    features = [_declared(f, headers, report) for f in network.features]
    report.raise_errors()
    samples = headers[network.features[0].name].shape[0]
    if LABELS in headers:
        labels = labels_of(arrays, network.head, samples, report)
        report.raise_errors()
        split_of(arrays, labels, groups_of(arrays, samples), network.head, 0)
    return features


def _declared(
    feature: NetworkFeature, headers: Mapping[str, ArrayHeader], report: Report
) -> _Feature:
    name, header = feature.name, headers.get(feature.name)
    if header is None:
        remedy = did_you_mean(name, headers) or f"the data has {one_of(list(headers))}"
        report.add("E501", f"the data has no array `{name}`", feature.span, help=remedy)
        return _Feature(name, feature.modality, ())
    sizes = header.shape[1:]
    if feature.axes is None:
        axes = tuple(zip(AXES.get(len(sizes), ""), sizes, strict=False))
        return _Feature(name, feature.modality, axes)
    expected = [axis.size for axis in feature.axes]
    sizes = sizes or (1,)
    if len(expected) != len(sizes) or any(
        e not in (None, n) for e, n in zip(expected, sizes, strict=True)
    ):
        shown = ", ".join("*" if size is None else str(size) for size in expected)
        message = f"`{name}` is {header.shape}, not (samples, {shown})"
        report.add("E502", message, feature.span)
    named = tuple((axis.name, OPEN if axis.size is None else axis.size) for axis in feature.axes)
    return _Feature(name, feature.modality, named)


def _plan(
    source: Source, arrays: Mapping[str, Rows], features: list[_Feature], dtype: str
) -> Manifest:
    headers = headers_of(arrays)
    stored: list[StoredArray] = []
    for modality in dict.fromkeys(feature.modality for feature in features):
        own = [feature for feature in features if feature.modality == modality]
        stored += [StoredArray.of_feature(f.name, f.axes, modality, dtype) for f in own]
        beside = (*(lengths_name(f.name) for f in own), presence_name(modality))
        stored += [StoredArray(n, None, (), "int64", modality) for n in beside if n in headers]
    stored += [_per_sample(arrays, name) for name in PER_SAMPLE if name in headers]
    samples = _samples(stored, headers)
    origin = Origin(data=data_identity(source, [array.name for array in stored]).digest)
    origins = dict.fromkeys((array.modality for array in stored), origin)
    in_shard = usual_in_shard(replace(a, shape=headers[a.name].shape[1:]) for a in stored)
    classes = names_in(arrays)
    return Manifest(samples, min(in_shard, samples), tuple(stored), classes, origins)


def _require_all_told(stored: Sequence[StoredArray], headers: Mapping[str, ArrayHeader]) -> None:
    """Raises DiagnosticError where lengths or presence in the data would belong to nothing."""
    names = {CLASS_NAMES, *(array.name for array in stored)}
    strays = (name for name in headers if not is_feature(name) and name not in names)
    if stray := next(strays, None):
        message = f"`{stray}` is of no feature or modality that is imported"
        raise fail("E502", message, help="say which there are: `--spec SPEC`; or leave it out")


def _per_sample(arrays: Mapping[str, Rows], name: str) -> StoredArray:
    array = canonical(name, np.asarray(arrays[name]))
    dtype = "int64" if array.dtype.kind == "i" else "float32"
    return StoredArray(name, None, array.shape[1:], dtype)


def _samples(stored: Sequence[StoredArray], headers: Mapping[str, ArrayHeader]) -> int:
    """How many samples all arrays have; raises DiagnosticError where they differ."""
    counts = {array.name: headers[array.name].shape[:1] for array in stored}
    shown = ", ".join(f"`{name}` {count[0] if count else 'none'}" for name, count in counts.items())
    if len(set(counts.values())) > 1 or () in counts.values():
        message = f"arrays differ in their number of samples: {shown}"
        raise fail("E502", message, help="every array has the same samples, in the same order")
    (samples,) = next(iter(counts.values()))
    if not samples:
        raise fail("E502", "the data has no sample")
    return samples


def _require_free(source: Source, folder: Path, plan: Manifest, overwrite: bool) -> None:
    """Raises DiagnosticError where a folder holds what is imported, or another store."""
    if not is_store(folder):
        return
    if not isinstance(source, Mapping) and is_folder(source) and folder.samefile(source):
        raise fail("E513", f"`{folder}` is what is to be imported", help="choose another folder")
    if overwrite:
        return
    there = read_manifest(folder)
    if any(there.key(modality) != plan.key(modality) for modality in plan.modalities):
        message = f"`{folder}` holds another store"
        raise fail("E513", message, help="choose another folder, or give `--overwrite`")
