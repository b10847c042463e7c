"""Feature stores: arrays by name, checked against what a specification declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import Report, did_you_mean, fail, one_of
from ...compiler.network.names import lengths_name, presence_name
from ...compiler.network.network import Network, NetworkFeature
from ...ops.types import NUMBERS
from .absence import Absence
from .files import Array, Source, arrays_of
from .identity import arrays_identity
from .labels import labels_of
from .presence import blank, presence_in
from .split import SPLIT_NAMES, groups_of, split_of


@dataclass(frozen=True)
class Dataset:
    """Samples: `features` are (samples, axes…) by name, with lengths and presence among them.

    `labels` are (samples,) integers for classes, (samples, K) 0 or 1 for labels and floats for
    values. `split` is 0 for training, 1 for validation, 2 for test. Samples of one of the `groups`,
    (samples,), such as one person's, stay together where samples are divided. `times` are how often
    each sample is learned, (samples,), where that differs; `seen` says that what made the features
    has seen the training samples (`seen.py`). `absence` says how samples are learned without some
    of their modalities.
    """

    features: Mapping[str, Array]
    labels: Array
    split: Array
    groups: Array | None = None
    times: NDArray[np.int64] | None = None
    seen: bool = False
    absence: Absence | None = None

    def indices(self, *parts: int) -> NDArray[np.int64]:
        """The samples of these parts; raises DiagnosticError if there are none."""
        samples = np.flatnonzero(np.isin(self.split, parts))
        if not len(samples):
            names = " and ".join(SPLIT_NAMES[p] for p in parts)
            remedy = "give `split` 0 for training, 1 for validation, 2 for test"
            raise fail("E503", f"no sample belongs to the {names} split", help=remedy)
        return samples

    def digest(self) -> str:
        """A digest of every array, as it is used."""
        arrays = {**self.features, "labels": self.labels, "split": self.split}
        if self.groups is not None:
            arrays["groups"] = self.groups
        return arrays_identity(arrays).digest


def names_read(network: Network) -> tuple[str, ...]:
    """The arrays of data that a network reads, where the data have them."""
    features = [feature.name for feature in network.features]
    lengths = [lengths_name(f.name) for f in network.features if f.has_lengths]
    presence = [presence_name(m.name) for m in network.spec.modalities if m.optional]
    return (*features, *lengths, *presence, "labels", "split", "groups")


def load_data(source: Source, network: Network, seed: int = 0) -> Dataset:
    """The data that a network needs, from a file, a folder of files, or arrays by name.

    Raises DiagnosticError with everything that does not fit the specification.
    """
    arrays = arrays_of(source)
    report = Report()
    features = _features(arrays, network, report)
    counts = {len(a) for a in features.values()}
    samples = counts.pop() if len(counts) == 1 and not report.errors else None
    labels = labels_of(arrays, network.head, samples, report)
    report.raise_errors()
    groups = groups_of(arrays, len(labels))
    split = split_of(arrays, labels, groups, network.head, seed)
    return Dataset(features, labels, split, groups)


def load_features(source: Source, network: Network) -> Dataset:
    """Data to predict from: as `load_data`, but labels and split are not asked for."""
    arrays = arrays_of(source)
    report = Report()
    features = _features(arrays, network, report)
    report.raise_errors()
    samples = len(next(iter(features.values())))
    return Dataset(features, np.zeros(samples, np.int64), np.zeros(samples, np.int64))


# Features


def _features(arrays: Mapping[str, Array], network: Network, report: Report) -> dict[str, Array]:
    features: dict[str, Array] = {}
    presence = presence_in(arrays, network, report)
    for feature in network.features:
        array = arrays.get(feature.name)
        if array is None:
            remedy = did_you_mean(feature.name, arrays) or f"the data has {one_of(list(arrays))}"
            message = f"the data has no array `{feature.name}`"
            report.add("E501", message, feature.span, help=remedy)
        else:
            converted = _feature(np.asarray(array), feature, presence, report)
            if converted is not None:
                features[feature.name] = converted
    features |= _lengths(arrays, network, features, presence, report)
    features |= presence
    counts = {len(a) for a in features.values()}
    if len(counts) > 1:
        shown = ", ".join(f"`{n}` {len(a)}" for n, a in features.items())
        message = f"arrays differ in their number of samples: {shown}"
        report.add("E502", message, help="every array has the same samples, in the same order")
    if counts == {0}:
        report.add("E502", "the data has no sample")
    return features


def _feature(
    array: Array, feature: NetworkFeature, presence: Mapping[str, Array], report: Report
) -> Array | None:
    """The array as float32 if it fits the declared axes, zeros where the modality is absent."""
    if feature.axes is None:
        message = f"the shape of the feature `{feature.name}` is not known"
        remedy = f"the data has {array.shape[1:]}: name these axes in the specification"
        report.add("E307", message, feature.span, help=remedy)
        return None
    axes = feature.axes
    if array.dtype.kind not in NUMBERS:
        message = f"`{feature.name}` holds {array.dtype}, not numbers"
        report.add("E502", message, feature.span, help="store it as float32")
        return None
    sizes = array.shape[1:]
    fits = array.ndim == len(axes) + 1 and all(
        n >= 1 and a.size in (None, n) for a, n in zip(axes, sizes, strict=True)
    )
    if not fits:
        shape = f"(samples, {', '.join(map(str, sizes))})".replace(", )", ",)")
        declared = f"[{', '.join(str(a) for a in axes)}]"
        message = f"`{feature.name}` is {shape} in the data, but declared {declared}"
        report.add("E502", message, feature.span, help=_axes_remedy(sizes, feature))
        return None
    with np.errstate(all="ignore"):
        converted = array.astype(np.float32)
    blank(converted, presence, feature, 0)
    if not np.isfinite(converted).all():
        message = f"`{feature.name}` has values that are not finite in float32"
        report.add("E502", message, feature.span, help="replace NaN and infinity in the data")
        return None
    return converted


def _axes_remedy(given: tuple[int, ...], feature: NetworkFeature) -> str:
    axes = feature.axes or ()
    sizes = [a.size for a in axes if a.size is not None]
    if len(sizes) == len(axes) and sorted(given) == sorted(sizes):
        left = list(axes)
        ordered = [left.pop(next(i for i, a in enumerate(left) if a.size == n)) for n in given]
        return f"write its axes in the data's order: {', '.join(str(a) for a in ordered)}"
    return "correct the declared axes, or extract the feature again"


def _lengths(
    arrays: Mapping[str, Array],
    network: Network,
    features: Mapping[str, Array],
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
            blank(lengths, presence, feature, longest)
        if not fits or not ((lengths >= 1) & (lengths <= longest)).all():
            message = f"`{name}` is not (samples,) whole numbers from 1 to {longest}"
            report.add("E502", message, help=f"they count the steps of `{feature.name}` in time")
        else:
            by_name[name] = lengths
    return by_name
