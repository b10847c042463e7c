"""Raw samples by the names of their inputs, checked against what backbones take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ...compiler.diagnostics.diagnostic import Report, did_you_mean, one_of
from ...compiler.network.names import lengths_name
from ...compiler.network.network import Network
from ..backbones.inputs import Input
from ..data.dataset import Dataset, names_read
from ..data.features import features_of
from ..data.files import Source, arrays_of
from ..data.labels import labels_of
from ..data.memory import room
from ..data.rows import Array, Rows
from ..data.split import groups_of, split_of
from .modalities import RawModality


def load_raw(
    source: Source,
    network: Network,
    modalities: Sequence[RawModality],
    seed: int = 0,
    *,
    labelled: bool = True,
    memory: str = "",
) -> Dataset:
    """The raw data of a network: an array (samples, …) for each input of its own.

    Without being `labelled`, labels and split are not asked for. Raises DiagnosticError with
    everything that does not fit.
    """
    arrays = arrays_of(source)
    report = Report()
    given = {name for raw in modalities for name in raw.paths}
    plain = tuple(feature for feature in network.features if feature.name not in given)
    features: dict[str, Rows] = {}
    for raw in modalities:
        features |= _inputs(arrays, raw, report)
    features |= features_of(arrays, replace(network, features=plain), room(memory), report)
    counts = {len(array) for array in features.values()}
    if len(counts) > 1:
        shown = ", ".join(f"`{name}` {len(array)}" for name, array in features.items())
        message = f"arrays differ in their number of samples: {shown}"
        report.add("E502", message, help="every array has the same samples, in the same order")
    report.raise_errors()
    samples = counts.pop()
    if not labelled:
        nothing = np.zeros(samples, np.int64)
        return Dataset(features, nothing, nothing)
    labels = labels_of(arrays, network.head, samples, report)
    report.raise_errors()
    groups = groups_of(arrays, samples)
    return Dataset(features, labels, split_of(arrays, labels, groups, network.head, seed), groups)


def names_of_raw(network: Network, modalities: Sequence[RawModality]) -> tuple[str, ...]:
    """The arrays of raw data that a network with its backbones reads, where the data have them."""
    given = {
        name for raw in modalities for path in raw.paths for name in (path, lengths_name(path))
    }
    raw = [name for s in modalities for name in (s.name, s.lengths) if name is not None]
    return (*raw, *(name for name in names_read(network) if name not in given))


def _inputs(arrays: Mapping[str, Rows], raw: RawModality, report: Report) -> dict[str, Rows]:
    """The arrays that the backbone of a modality takes."""
    if raw.name not in arrays:
        remedy = did_you_mean(raw.name, arrays) or f"the data has {one_of(list(arrays))}"
        message = f"the data has no array `{raw.name}` for `{raw.backbone.name}`"
        report.add("E501", message, help=remedy)
        return {}
    values = _fitting(np.asarray(arrays[raw.name]), raw, report)
    if values is None:
        return {}
    found: dict[str, Rows] = {raw.name: values}
    if raw.lengths is not None and raw.lengths in arrays:
        lengths = np.asarray(arrays[raw.lengths])
        fits = lengths.shape == (len(values),) and lengths.dtype.kind in "iu"
        if not fits or not ((lengths >= 1) & (lengths <= values.shape[1])).all():
            message = f"`{raw.lengths}` is not (samples,) whole numbers from 1 to {values.shape[1]}"
            report.add("E502", message, help=f"they count what of `{raw.name}` is there")
        else:
            found[raw.lengths] = lengths.astype(np.int64)
    return found


def _fitting(values: Array, raw: RawModality, report: Report) -> Array | None:
    """An array as its backbone takes it; None where it does not fit, which is reported."""
    item, name = raw.input, raw.name
    shape = ", ".join("*" if size is None else str(size) for size in item.shape)
    if values.ndim != len(item.shape) + 1 or any(
        size not in (None, n) for n, size in zip(values.shape[1:], item.shape, strict=True)
    ):
        message = f"`{name}` is {values.shape} in the data, and `{raw.backbone.name}` takes"
        report.add("E502", f"{message} (samples, {shape})", help="prepare it as its transform says")
        return None
    if item.below:
        return _whole(values, item, raw, report)
    if (
        values.dtype.kind not in "fiub"
        or not np.isfinite(single := values.astype(np.float32)).all()
    ):
        message = f"`{name}` is not of finite numbers"
        report.add("E502", message, help="store it as float32")
        return None
    return single


def _whole(values: Array, item: Input, raw: RawModality, report: Report) -> Array | None:
    fits = values.dtype.kind in "iu" and values.size > 0
    if not fits or values.min() < 0 or values.max() >= item.below:
        message = f"`{raw.name}` is not of whole numbers below {item.below:,}"
        remedy = f"`{raw.backbone.name}` knows so many: give its own tokenizer"
        report.add("E502", message, help=remedy)
        return None
    return values.astype(np.int64)
