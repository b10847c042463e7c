"""Extraction: raw data through backbones into a feature store, shard by shard.

A shard holds one modality, so that what is changed of one leaves the others as they are; it carries
a digest of all that it follows from, so that a rerun makes what is missing and nothing else.
Processes that torchrun started take turns with the shards, and the first of them writes the one
manifest.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from hashlib import sha256
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from ...compiler.check.check import checked
from ...compiler.language.nodes import FeatureAxis, Modality
from ...compiler.language.spec import Spec
from ...compiler.load import Given, spec_of
from ...compiler.network.names import lengths_name, presence_name
from ...compiler.system.lock import owned
from ..backbones.options import BackboneOptions
from ..backbones.specification import with_shapes
from ..data.identity import arrays_identity
from ..parallel.processes import count, gathered, join, rank
from ..progress import Progress, no_progress
from ..raw.open import Raw, open_raw
from ..store.manifest import LOCK, Manifest, Origin, StoredArray, read_manifest
from ..store.write import StoreWriter
from .features import FeatureMaker
from .known import Known, known_of
from .pooling import poolings
from .settings import ExtractSettings
from .sources import ModalitySource, sources_of
from .survey import Survey, survey


@dataclass(frozen=True)
class Extracted:
    """A store that was written: its manifest, and the specification with the axes of its features.

    `made` are the shards that this call made, by modality, of those that there are. Of data that
    are `undivided`, nothing says which samples a split has to keep together.
    """

    manifest: Manifest
    spec: Spec
    made: Mapping[str | None, int]
    undivided: bool = False


def extract(
    spec: Given,
    raw: Raw,
    out: str | PathLike[str],
    *,
    settings: ExtractSettings | None = None,
    backbones: BackboneOptions | None = None,
    root: Path | None = None,
    progress: Progress = no_progress,
    **options: Any,
) -> Extracted:
    """Takes the features of a specification from raw data, and writes them to a store.

    `spec` is a Spec, a file, a text or a Graph; `backbones` are `fw.BackboneOptions`. `raw` is a
    path, or a torch `Dataset` of dicts. What an earlier call left in `out` stays where it follows
    from the same backbones, transforms and data. Files that a table names lie below its folder, or
    below `root`. Raises DiagnosticError where a sample cannot be used, or anything does not fit:
    there is no store then, and what was made is there for the next call.
    """
    settings = (settings or ExtractSettings()).with_options(**options)
    backbones = backbones or BackboneOptions()
    device = join(settings.device)
    spec = spec_of(spec)
    shaped = with_shapes(spec, backbones)
    network = checked(shaped)
    data = open_raw(raw, root)
    ways = {} if settings.unpooled else poolings(network)
    ways = {feature.name: ways.get(feature.name) for feature in network.features}
    sources = sources_of(spec, network, data, ways, settings, backbones)
    known = known_of(data, network.head, settings)
    with _decoders(settings.workers) as executor:
        surveys = {source.name: survey(source, data.samples, executor) for source in sources}
        plan = _plan(sources, known, surveys, settings)
        makers = [
            FeatureMaker(
                s, known, surveys[s.name].present[known.samples], settings, device, executor
            )
            for s in sources
        ]
        with _owner(Path(out)):
            manifest, made = _written(Path(out), plan, makers, known, progress)
    return Extracted(manifest, _stored_spec(shaped, sources), made, known.undivided)


@contextmanager
def _decoders(workers: int) -> Generator[ThreadPoolExecutor]:
    """Threads that decode; what they have not begun is dropped where the block raises."""
    executor = ThreadPoolExecutor(workers)
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)


def _owner(folder: Path) -> Any:
    """The lock of a store, which the first of several processes holds for all."""
    return nullcontext() if rank() else owned(folder, LOCK, "extract", "E513")


# The plan


def _plan(
    sources: Sequence[ModalitySource],
    known: Known,
    surveys: Mapping[str, Survey],
    settings: ExtractSettings,
) -> Manifest:
    arrays: list[StoredArray] = []
    origins: dict[str | None, Origin] = {}
    for source in sources:
        for feature in source.features:
            arrays.append(
                StoredArray.of_feature(feature.name, feature.axes, source.name, settings.dtype)
            )
            if feature.has_lengths:
                arrays.append(_whole_numbers(lengths_name(feature.name), source.name))
        if source.optional:
            arrays.append(_whole_numbers(presence_name(source.name), source.name))
        origins[source.name] = Origin(
            specification=source.specification,
            weights=source.weights,
            transform=source.transformed(settings.views, settings.seed),
            data=_rows_digest(surveys[source.name], known),
        )
    for name, array in known.arrays.items():
        dtype = "int64" if array.dtype.kind in "iub" else "float32"
        arrays.append(StoredArray(name, None, array.shape[1:], dtype))
    if known.arrays:
        origins[None] = Origin(data=arrays_identity(known.arrays).digest)
    samples = len(known.samples)
    in_shard = min(settings.shard_samples, samples)
    return Manifest(samples, in_shard, tuple(arrays), known.classes, origins)


def _whole_numbers(name: str, modality: str) -> StoredArray:
    return StoredArray(name, None, (), "int64", modality)


def _rows_digest(found: Survey, known: Known) -> str:
    """The digest of the values of a modality, and of which row is which of their views."""
    rows = np.stack([known.samples, known.views]).astype("<i8")
    return sha256(found.digest.encode() + rows.tobytes()).hexdigest()


# Writing


def _written(
    folder: Path,
    plan: Manifest,
    makers: Sequence[FeatureMaker],
    known: Known,
    progress: Progress,
) -> tuple[Manifest, dict[str | None, int]]:
    """Writes this process's shards that are missing; returns the manifest and how many were."""
    writer = StoreWriter(folder, plan)
    missing = {
        modality: [n for n in plan.numbers if n not in writer.done[modality]]
        for modality in plan.modalities
    }
    gathered(None)  # no shard is written before every process has seen which ones there are
    work = [(maker, number) for maker in makers for number in missing[maker.source.name]]
    advance = _Advance(progress, sum(plan.count(number) for _, number in work))
    for maker, number in work[rank() :: count()]:
        writer.write(number, maker.arrays(*plan.bounds(number), advance))
    for number in missing.get(None, ()) if rank() == 0 else ():
        first, last = plan.bounds(number)
        writer.write(number, {name: array[first:last] for name, array in known.arrays.items()})
    gathered(None)  # all of them are there
    if rank() == 0:
        writer.finish()
    gathered(None)
    return read_manifest(folder), {modality: len(numbers) for modality, numbers in missing.items()}


class _Advance:
    """Counts rows that are done."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def __call__(self, rows: int) -> None:
        self._done += rows
        self._progress(self._done * count(), self._total)


# The specification with the axes that are stored


def _stored_spec(spec: Spec, sources: Sequence[ModalitySource]) -> Spec:
    """The specification whose features have axes: those of the store, open where it has pooled.

    So it reads what is stored and what a backbone gives alike.
    """
    by_name = {source.name: source for source in sources}
    modalities = tuple(_stored_modality(m, by_name[m.name]) for m in spec.modalities)
    return replace(spec, modalities=modalities)


def _stored_modality(modality: Modality, source: ModalitySource) -> Modality:
    pooled = {f.name: f.pooling.sizes(f.declared) for f in source.features if f.pooling}
    features = tuple(
        replace(
            feature,
            axes=tuple(
                FeatureAxis(axis.name, "*") if axis.name in pooled.get(feature.name, ()) else axis
                for axis in feature.axes or ()
            ),
        )
        for feature in modality.features
    )
    return replace(modality, features=features)
