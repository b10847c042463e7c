"""Feature stores: arrays by name, checked against what a specification declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import Report, did_you_mean, fail, one_of
from ...compiler.network.names import lengths_name, presence_name
from ...compiler.network.network import Head, Network, NetworkFeature
from ...ops.types import NUMBERS
from .absence import Absence
from .files import Array, Source, arrays_of
from .identity import arrays_identity

TRAIN, VALIDATION, TEST = 0, 1, 2
SPLIT_NAMES = ("train", "validation", "test")
_SHARES = (0.6, 0.2, 0.2)


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
    labels = _labels(arrays, network.head, samples, report)
    report.raise_errors()
    groups = _groups(arrays, len(labels))
    split = _split(arrays, labels, groups, network.head, seed)
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
    for feature in network.features:
        array = arrays.get(feature.name)
        if array is None:
            remedy = did_you_mean(feature.name, arrays) or f"the data has {one_of(list(arrays))}"
            message = f"the data has no array `{feature.name}`"
            report.add("E501", message, feature.span, help=remedy)
        else:
            converted = _feature(np.asarray(array), feature, report)
            if converted is not None:
                features[feature.name] = converted
    features |= _lengths(arrays, network, features, report)
    features |= _presence(arrays, network, report)
    counts = {len(a) for a in features.values()}
    if len(counts) > 1:
        shown = ", ".join(f"`{n}` {len(a)}" for n, a in features.items())
        message = f"arrays differ in their number of samples: {shown}"
        report.add("E502", message, help="every array has the same samples, in the same order")
    if counts == {0}:
        report.add("E502", "the data has no sample")
    return features


def _feature(array: Array, feature: NetworkFeature, report: Report) -> Array | None:
    """The array as float32 if it fits the declared axes."""
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
    report: Report,
) -> dict[str, Array]:
    """How many samples along `t` count, for features whose time is known only at run time."""
    by_name: dict[str, Array] = {}
    for feature in network.features:
        name = lengths_name(feature.name)
        if not feature.has_lengths or name not in arrays or feature.name not in features:
            continue
        lengths = np.asarray(arrays[name])
        place = 1 + [a.name for a in feature.axes or ()].index("t")
        longest = features[feature.name].shape[place]
        fits = lengths.ndim == 1 and lengths.dtype.kind in "iu"
        if not fits or not ((lengths >= 1) & (lengths <= longest)).all():
            message = f"`{name}` is not (samples,) whole numbers from 1 to {longest}"
            report.add("E502", message, help=f"they count the steps of `{feature.name}` in time")
        else:
            by_name[name] = lengths.astype(np.int64)
    return by_name


def _presence(arrays: Mapping[str, Array], network: Network, report: Report) -> dict[str, Array]:
    """Which samples have an optional modality."""
    by_name: dict[str, Array] = {}
    for modality in network.spec.modalities:
        name = presence_name(modality.name)
        if not modality.optional or name not in arrays:
            continue
        present = np.asarray(arrays[name])
        if present.ndim != 1 or not np.isin(present, (0, 1)).all():
            message = f"`{name}` is not (samples,) values of 0 or 1"
            report.add("E502", message, help="1 where a sample has the modality")
        else:
            by_name[name] = present.astype(np.int64)
    return by_name


# Labels and splits


def _labels(arrays: Mapping[str, Array], head: Head, samples: int | None, report: Report) -> Array:
    if "labels" not in arrays:
        report.add("E501", "the data has no array `labels`", help="add it, one row for each sample")
        return np.zeros(0)
    labels = np.asarray(arrays["labels"])
    if labels.dtype.kind not in NUMBERS or not np.isfinite(labels).all():
        report.add("E503", "`labels` are not finite numbers", help=_label_remedy(head))
        return np.zeros(0)
    if head.kind != "classes" and head.count == 1 and labels.ndim == 1:
        labels = labels[:, None]
    count = len(labels) if samples is None and labels.ndim else samples
    expected = (count,) if head.kind == "classes" else (count, head.count)
    if labels.shape != expected:
        message = f"`labels` is {labels.shape}, not {expected} for {head.count} {head.kind}"
        report.add("E503", message, help=_label_remedy(head))
    elif head.kind == "classes":
        whole = np.array_equal(labels, np.floor(labels))
        if not whole or labels.min(initial=0) < 0 or labels.max(initial=0) >= head.count:
            message = f"`labels` are not whole numbers from 0 to {head.count - 1}"
            report.add("E503", message, help=_label_remedy(head))
    elif head.kind == "labels" and not np.isin(labels, (0, 1)).all():
        report.add("E503", "`labels` are not all 0 or 1", help=_label_remedy(head))
    return labels.astype(np.int64 if head.kind == "classes" else np.float32)


def _label_remedy(head: Head) -> str:
    match head.kind:
        case "classes":
            return "classes are (samples,) whole numbers that count from 0"
        case "labels":
            return f"labels are (samples, {head.count}) of 0 and 1"
        case "values":
            return f"values are (samples, {head.count}) numbers"


def _groups(arrays: Mapping[str, Array], samples: int) -> Array | None:
    """Which samples belong together, as whole numbers; None where the data do not say."""
    if "groups" not in arrays:
        return None
    groups = np.asarray(arrays["groups"])
    if groups.shape != (samples,) or groups.dtype.kind not in "iubUS":
        message = f"`groups` is {groups.shape} of {groups.dtype}, not {samples} names or numbers"
        raise fail("E503", message, help="give samples that belong together the same one")
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)


def _split(
    arrays: Mapping[str, Array], labels: Array, groups: Array | None, head: Head, seed: int
) -> Array:
    """The data's own split, or a seeded one of 60, 20 and 20 percent; groups stay together."""
    samples = len(labels)
    if "split" in arrays:
        split = np.asarray(arrays["split"])
        if split.shape != (samples,) or not np.isin(split, (TRAIN, VALIDATION, TEST)).all():
            message = f"`split` is not {samples} values of 0, 1 or 2"
            raise fail("E503", message, help="0 is training, 1 validation, 2 test")
        return split.astype(np.int64)
    generator = np.random.default_rng(seed)
    if groups is not None:
        sizes = np.bincount(groups)
        order = generator.permutation(len(sizes))
        middles = (np.cumsum(sizes[order]) - sizes[order] / 2) / samples
        of_group = np.empty(len(sizes), np.int64)
        of_group[order] = np.searchsorted(np.cumsum(_SHARES)[:2], middles, side="right")
        return of_group[groups]
    strata = [np.arange(samples)]
    if head.kind == "classes":
        strata = [np.flatnonzero(labels == c) for c in range(head.count)]
    split = np.empty(samples, np.int64)
    for stratum in strata:
        shuffled = generator.permutation(stratum)
        offset = generator.random()
        places = (np.arange(len(shuffled)) + offset) / max(1, len(shuffled))
        split[shuffled] = np.searchsorted(np.cumsum(_SHARES)[:2], places % 1.0, side="right")
    return split
