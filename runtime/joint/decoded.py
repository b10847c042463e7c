"""Raw data as arrays by the names of raw inputs: decoded once, and held in memory."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.check.check import checked
from ...compiler.diagnostics.diagnostic import fail
from ...compiler.language.spec import Spec
from ...compiler.network.names import CLASS_NAMES, lengths_name, presence_name
from ...compiler.system.memory import available_memory, memory_text
from ..backbones.options import BackboneOptions
from ..backbones.specification import with_shapes
from ..extract.batches import batches, is_masked, tensors
from ..extract.known import Known, known_of
from ..extract.settings import ExtractSettings
from ..extract.sources import ModalitySource, sources_of
from ..extract.survey import survey
from ..raw.open import Raw, open_raw

_BATCH = 64
_SHARE = 0.5
"""How much of the memory that there is decoded values may take."""


def decoded(
    spec: Spec,
    raw: Raw,
    *,
    settings: ExtractSettings | None = None,
    backbones: BackboneOptions | None = None,
    root: Path | None = None,
) -> dict[str, NDArray[Any]]:
    """What the backbones of a specification take of raw data, and what is known of samples.

    An array (samples, …) by each modality's name, with `MODALITY.lengths` and `MODALITY.present`
    where these differ; a modality without a backbone by its feature's name. Raises DiagnosticError
    where a sample cannot be used, and where all of it would not fit in memory.
    """
    settings = settings or ExtractSettings()
    given = backbones or BackboneOptions()
    network = checked(with_shapes(spec, given))
    data = open_raw(raw, root)
    ways = {feature.name: None for feature in network.features}
    sources = sources_of(spec, network, data, ways, settings, given)
    known = known_of(data, network.head, settings)
    found: dict[str, NDArray[Any]] = dict(known.arrays)
    if known.classes is not None:
        found[CLASS_NAMES] = np.array(known.classes, np.str_)
    with ThreadPoolExecutor(settings.workers) as executor:
        for source in sources:
            present = survey(source, data.samples, executor).present[known.samples]
            found |= _arrays(source, known, present, executor, settings.seed)
    return found


def _arrays(
    source: ModalitySource,
    known: Known,
    present: NDArray[np.bool_],
    executor: ThreadPoolExecutor,
    seed: int,
) -> dict[str, NDArray[Any]]:
    """The values of a modality for all samples; what a sample lacks is 0."""
    name = source.name if source.backbone is not None else source.features[0].name
    rows = np.flatnonzero(present)
    parts: list[NDArray[Any]] = []
    lengths = np.ones(len(present), np.int64)
    places: list[NDArray[np.int64]] = []
    for batch in batches(source, known, rows, _BATCH, seed, executor):
        values, counts = tensors(source, batch)
        parts.append(values.numpy())
        places.append(batch.places)
        if len(parts) == 1:
            _require_room(name, parts[0], len(present))
        if counts is not None:
            lengths[batch.places] = counts
    if source.backbone is not None and not is_masked(source):
        _require_alike(source, lengths[rows])
    found = {name: _whole(parts, places, len(present))}
    if source.time is not None:
        found[lengths_name(name)] = lengths
    if source.optional:
        found[presence_name(source.name)] = present.astype(np.int64)
    return found


def _require_alike(source: ModalitySource, lengths: NDArray[np.int64]) -> None:
    """Raises DiagnosticError where a backbone would take what samples are padded with for theirs.

    Extraction runs it once for each length; here samples of all lengths share a batch.
    """
    if len(lengths) and lengths.min() < lengths.max():
        assert source.backbone is not None
        message = f"`{source.name}` has samples of {lengths.min():,} to {lengths.max():,} in time, "
        message += f"and `{source.backbone.name}` takes no mask that says how much counts"
        remedy = "give it one, or make samples alike; stored features keep lengths: `extract`"
        raise fail("E502", message, help=remedy)


def _require_room(name: str, first: NDArray[Any], samples: int) -> None:
    """Raises DiagnosticError where so many samples as those first ones would not fit."""
    needed, there = first.nbytes * samples // len(first), available_memory()
    if there is not None and needed > _SHARE * there:
        message = f"`{name}` takes {memory_text(needed)} decoded, and there is {memory_text(there)}"
        remedy = "train on stored features: `fusewright extract`; or on fewer samples"
        raise fail("E512", message, help=remedy)


def _whole(
    parts: Sequence[NDArray[Any]], places: Sequence[NDArray[np.int64]], samples: int
) -> NDArray[Any]:
    """Batches as one array (samples, …), as long in each axis as the longest of them."""
    shape = [max(sizes) for sizes in zip(*(part.shape[1:] for part in parts), strict=True)]
    whole = np.zeros((samples, *shape), parts[0].dtype)
    for part, rows in zip(parts, places, strict=True):
        inner: Any = tuple(slice(size) for size in part.shape[1:])
        whole[(rows, *inner)] = part
    return whole
