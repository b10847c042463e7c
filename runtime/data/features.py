"""Features of data: what fits the declared axes, in single precision, with lengths and presence."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np

from ...compiler.diagnostics.diagnostic import Report, did_you_mean, one_of
from ...compiler.network.names import lengths_name
from ...compiler.network.network import Network, NetworkFeature
from ...ops.types import NUMBERS
from .columns import spelt_otherwise
from .gaps import report_gaps
from .kinds import instead
from .memory import extent_of, left_apart
from .presence import absent_of, presence_in
from .rows import Array, Rows, SingleRows, in_memory, rows_of, single_bytes


def features_of(
    arrays: Mapping[str, Rows], network: Network, room: float, report: Report
) -> dict[str, Rows]:
    """The features of a network with their lengths and presence, in memory as far as there is room.

    What does not fit is reported. Where a sample lacks a modality, its features are zeros.
    """
    features: dict[str, Rows] = {}
    presence = presence_in(arrays, network, report)
    for feature in network.features:
        array = arrays.get(feature.name)
        if array is None:
            shapes = {name: rows.shape for name, rows in arrays.items()}
            remedy = spelt_otherwise(feature.name, shapes) or did_you_mean(feature.name, arrays)
            remedy = remedy or f"the data has {one_of(list(arrays))}"
            message = f"the data has no array `{feature.name}`"
            report.add("E501", message, feature.span, help=remedy)
        elif _fits(rows := _with_channel(rows_of(array), feature), feature, report):
            single = SingleRows(rows, absent_of(presence, feature, len(rows)))
            features[feature.name] = single[:] if in_memory(rows) else single
    apart = left_apart({name: extent_of(rows) for name, rows in features.items()}, room)
    features = {name: rows if name in apart else rows[:] for name, rows in features.items()}
    _require_finite(features, network, report)
    features |= _lengths(arrays, network, features, presence, report)
    features |= presence
    _require_alike(features, report)
    return features


def _require_alike(features: Mapping[str, Rows], report: Report) -> None:
    """Reports features that differ in their samples, or have none."""
    counts = {len(a) for a in features.values()}
    if len(counts) > 1:
        shown = ", ".join(f"`{n}` {len(a)}" for n, a in features.items())
        message = f"arrays differ in their number of samples: {shown}"
        report.add("E502", message, help="every array has the same samples, in the same order")
    if counts == {0}:
        report.add("E502", "the data has no sample")


def room_beside(features: Mapping[str, Rows], room: float) -> float:
    """What is left of room beside the features that are in memory."""
    return room - sum(single_bytes(rows.shape) for rows in features.values() if in_memory(rows))


def _with_channel(rows: Rows, feature: NetworkFeature) -> Rows:
    """Rows; where they are one number for each sample, and so is the feature, as its channel."""
    is_number = len(rows.shape) == 1 and [axis.size for axis in feature.axes or ()] == [1]
    return rows_of(rows[:][:, None]) if is_number else rows


def _fits(rows: Rows, feature: NetworkFeature, report: Report) -> bool:
    """Whether rows are numbers along the declared axes."""
    sizes = rows.shape[1:]
    if feature.axes is None:
        message = f"the shape of the feature `{feature.name}` is not known"
        remedy = f"the data has {sizes}: name these axes in the specification"
        report.add("E307", message, feature.span, help=remedy)
        return False
    if rows.dtype.kind not in NUMBERS:
        message = f"`{feature.name}` holds {rows.dtype}, not numbers"
        report.add("E502", message, feature.span, help=instead(rows.dtype.kind)[1])
        return False
    axes = feature.axes
    fits = len(rows.shape) == len(axes) + 1 and all(
        n >= 1 and a.size in (None, n) for a, n in zip(axes, sizes, strict=True)
    )
    if not fits:
        shape = f"(samples, {', '.join(map(str, sizes))})".replace(", )", ",)")
        declared = f"[{', '.join(str(a) for a in axes)}]"
        message = f"`{feature.name}` is {shape} in the data, but declared {declared}"
        report.add("E502", message, feature.span, help=_axes_remedy(sizes, feature))
    return fits


def _require_finite(features: dict[str, Rows], network: Network, report: Report) -> None:
    """Takes out features with a number that is none in float32, and reports them."""
    optional = {m.name for m in network.spec.modalities if m.optional}
    for feature in network.features:
        rows = features.get(feature.name)
        if rows is not None and report_gaps(
            feature, rows, report, optional=feature.modality in optional
        ):
            del features[feature.name]


def _axes_remedy(given: tuple[int, ...], feature: NetworkFeature) -> str:
    axes = feature.axes or ()
    sizes = [a.size for a in axes if a.size is not None]
    if len(sizes) == len(axes) and sorted(given) == sorted(sizes):
        left = list(axes)
        ordered = [left.pop(next(i for i, a in enumerate(left) if a.size == n)) for n in given]
        return f"write its axes in the data's order: {', '.join(str(a) for a in ordered)}"
    if not given:
        return "one number for each sample is one channel: `[c 1]`"
    if len(given) == len(axes):
        as_given = ", ".join(f"{a.name} {n}" for a, n in zip(axes, given, strict=True))
        return f"declare what the data have, `[{as_given}]`, or extract the feature again"
    if len(sizes) == len(axes) and prod(given) == prod(sizes):
        shape = ", ".join(map(str, sizes)) + "," * (len(sizes) == 0)
        return f"declare an axis for each of the data's, or make the data (samples, {shape})"
    return "declare an axis for each of the data's, in their order, or extract the feature again"


def _lengths(
    arrays: Mapping[str, Rows],
    network: Network,
    features: Mapping[str, Rows],
    presence: Mapping[str, Array],
    report: Report,
) -> dict[str, Array]:
    """How many samples along `t` count, for features whose time is known only at run time."""
    by_name: dict[str, Array] = {}
    for feature in network.features:
        name = lengths_name(feature.name)
        if not feature.has_lengths or name not in arrays or feature.name not in features:
            continue
        lengths = np.array(arrays[name])
        place = 1 + [a.name for a in feature.axes or ()].index("t")
        longest = features[feature.name].shape[place]
        fits = lengths.ndim == 1 and lengths.dtype.kind in "iu"
        if fits:
            lengths = lengths.astype(np.int64)
            absent = absent_of(presence, feature, len(lengths))
            if absent is not None:
                lengths[absent] = longest
        if not fits or not ((lengths >= 1) & (lengths <= longest)).all():
            message = f"`{name}` is not (samples,) whole numbers from 1 to {longest}"
            report.add("E502", message, help=f"they count the steps of `{feature.name}` in time")
        else:
            by_name[name] = lengths
    return by_name
