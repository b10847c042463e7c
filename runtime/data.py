"""Feature stores: arrays by name, checked against what a specification declares."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from ..compiler.diagnostics import Report, did_you_mean, fail, one_of
from ..compiler.lower import lengths_name, presence_name
from ..compiler.network import Head, Network, NetworkFeature

Array: TypeAlias = NDArray[Any]
Source: TypeAlias = "str | PathLike[str] | Mapping[str, Array]"
TRAIN, VALIDATION, TEST = 0, 1, 2
SPLIT_NAMES = ("train", "validation", "test")
_SHARES = (0.6, 0.2, 0.2)


@dataclass(frozen=True)
class Dataset:
    """Samples: `features` are (samples, axes…) by name, with lengths and presence among them.

    `labels` are (samples,) integers for classes, (samples, K) 0 or 1 for labels and floats for
    values. `split` is 0 for training, 1 for validation, 2 for test.
    """

    features: Mapping[str, Array]
    labels: Array
    split: Array

    def indices(self, *parts: int) -> NDArray[np.int64]:
        """The samples of these parts; raises DiagnosticError if there are none."""
        found = np.flatnonzero(np.isin(self.split, parts))
        if not len(found):
            names = " and ".join(SPLIT_NAMES[p] for p in parts)
            remedy = "give `split` 0 for training, 1 for validation, 2 for test"
            raise fail("E503", f"no sample belongs to the {names} split", help=remedy)
        return found


def load_data(source: Source, network: Network, seed: int = 0) -> Dataset:
    """The data that a network needs, from a file, a folder of files, or arrays by name.

    Raises DiagnosticError with everything that does not fit the specification.
    """
    arrays = source if isinstance(source, Mapping) else read_arrays(source)
    report = Report()
    features = _checked_features(arrays, network, report)
    samples = len(next(iter(features.values())))
    labels = _labels(arrays, network.head, samples, report)
    report.raise_errors()
    split = _split(arrays, samples, labels, network.head, seed)
    return Dataset(features, labels, split)


def load_features(source: Source, network: Network) -> Dataset:
    """Data to predict from: as `load_data`, but labels and split are not asked for."""
    arrays = source if isinstance(source, Mapping) else read_arrays(source)
    report = Report()
    features = _checked_features(arrays, network, report)
    samples = len(next(iter(features.values())))
    return Dataset(features, np.zeros(samples, np.int64), np.zeros(samples, np.int64))


def read_arrays(path: str | PathLike[str]) -> dict[str, Array]:
    """The arrays of a `.npz` or `.safetensors` file, or of all such files in a folder."""
    place = Path(path)
    if not place.is_dir():
        return _read_file(place)
    arrays: dict[str, Array] = {}
    files = sorted(f for f in place.iterdir() if f.suffix in _READERS)
    if not files:
        remedy = "put `.npz` or `.safetensors` files there, an array for each feature"
        raise fail("E504", f"the folder `{place}` has no data", help=remedy)
    for file in files:
        for name, array in _read_file(file).items():
            if name in arrays:
                raise fail("E502", f"the array `{name}` stands in two files of `{place}`")
            arrays[name] = array
    return arrays


def _read_npz(path: Path) -> dict[str, Array]:
    with np.load(path, allow_pickle=False) as archive:
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ValueError("a single array, not an archive of named arrays")
        return {name: archive[name] for name in archive.files}


_READERS: Mapping[str, Callable[[Path], dict[str, Array]]] = {
    ".npz": _read_npz,
    ".safetensors": load_file,
}
_UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    MemoryError,
    SafetensorError,
    zipfile.BadZipFile,
)


def _read_file(path: Path) -> dict[str, Array]:
    reader = _READERS.get(path.suffix)
    if reader is None:
        remedy = "data is a `.npz` or `.safetensors` file, or a folder of them"
        raise fail("E504", f"`{path}` is not a data file", help=remedy)
    try:
        return reader(path)
    except FileNotFoundError:
        raise fail("E504", f"there is no file `{path}`") from None
    except _UNREADABLE as error:
        raise fail("E504", f"cannot read `{path}`: {error}") from None


# Features


def _checked_features(
    arrays: Mapping[str, Array], network: Network, report: Report
) -> dict[str, Array]:
    features = _features(arrays, network, report)
    counts = {len(a) for a in features.values()}
    if len(counts) > 1:
        shown = ", ".join(f"`{n}` {len(a)}" for n, a in features.items())
        report.add("E502", f"arrays differ in their number of samples: {shown}")
    report.raise_errors()
    if counts == {0}:
        raise fail("E502", "the data has no sample")
    return features


def _features(arrays: Mapping[str, Array], network: Network, report: Report) -> dict[str, Array]:
    features: dict[str, Array] = {}
    for feature in network.features:
        array = arrays.get(feature.name)
        if array is None:
            remedy = did_you_mean(feature.name, arrays) or f"the data has {one_of(list(arrays))}"
            message = f"the data has no array `{feature.name}`"
            report.add("E501", message, feature.span, help=remedy)
        elif _fits(np.asarray(array), feature, report):
            features[feature.name] = np.asarray(array, np.float32)
    for name, array in _companions(arrays, network):
        features[name] = _companion(name, np.asarray(array), report)
    return features


def _companions(arrays: Mapping[str, Array], network: Network) -> Iterator[tuple[str, Array]]:
    """The lengths and presence masks that the data has."""
    names = [lengths_name(f.name) for f in network.features if f.has_lengths]
    names += [presence_name(m.name) for m in network.spec.modalities if m.optional]
    return ((name, arrays[name]) for name in names if name in arrays)


def _companion(name: str, array: Array, report: Report) -> Array:
    if array.ndim != 1 or array.dtype.kind not in "iub":
        message = f"`{name}` is {array.dtype} {array.shape}, not (samples,) whole numbers"
        report.add("E502", message)
    elif name.endswith(lengths_name("")) and len(array) and array.min() < 1:
        report.add("E502", f"`{name}` has lengths below 1")
    return array.astype(np.int64) if array.dtype.kind in "iub" else array


def _fits(array: Array, feature: NetworkFeature, report: Report) -> bool:
    axes = feature.axes or ()
    declared = f"[{', '.join(str(a) for a in axes)}]"
    if array.dtype.kind not in "fiub":
        message = f"`{feature.name}` holds {array.dtype}, not numbers"
        report.add("E502", message, feature.span)
        return False
    given = array.shape[1:]
    fits = array.ndim == len(axes) + 1 and all(
        a.size in (None, n) for a, n in zip(axes, given, strict=True)
    )
    if not fits:
        shape = f"(samples, {', '.join(map(str, given))})".replace(", )", ",)")
        message = f"`{feature.name}` is {shape} in the data, but declared {declared}"
        report.add("E502", message, feature.span, help=_axes_remedy(given, feature))
        return False
    if not np.isfinite(array).all():
        message = f"`{feature.name}` has values that are not finite"
        report.add("E502", message, feature.span, help="replace NaN and infinity in the data")
        return False
    return True


def _axes_remedy(given: tuple[int, ...], feature: NetworkFeature) -> str:
    axes = feature.axes or ()
    if len(given) == len(axes) and sorted(given) == sorted(a.size or 0 for a in axes):
        left = list(axes)
        ordered = [left.pop(next(i for i, a in enumerate(left) if a.size == n)) for n in given]
        return f"write its axes in the data's order: {', '.join(str(a) for a in ordered)}"
    return "correct the declared axes, or extract the feature again"


# Labels and splits


def _labels(arrays: Mapping[str, Array], head: Head, samples: int, report: Report) -> Array:
    if "labels" not in arrays:
        report.add("E501", "the data has no array `labels`", help="add it, one row for each sample")
        return np.zeros(0)
    labels = np.asarray(arrays["labels"])
    if head.kind == "classes":
        expected: tuple[int, ...] = (samples,)
    else:
        labels = labels[:, None] if labels.ndim == 1 and head.count == 1 else labels
        expected = (samples, head.count)
    if labels.shape != expected:
        message = f"`labels` is {labels.shape}, not {expected} for {head.count} {head.kind}"
        report.add("E503", message, help="`predict` says what labels look like")
        return labels
    return _typed_labels(labels, head, report)


def _typed_labels(labels: Array, head: Head, report: Report) -> Array:
    whole = labels.dtype.kind in "iub" or (
        labels.dtype.kind == "f" and bool(np.all(labels == np.floor(labels)))
    )
    if head.kind == "classes":
        if not whole or labels.min(initial=0) < 0 or labels.max(initial=0) >= head.count:
            message = f"`labels` are not whole numbers from 0 to {head.count - 1}"
            report.add("E503", message, help=f"`predict {head.count} classes` counts from 0")
        return labels.astype(np.int64)
    if head.kind == "labels" and not np.isin(labels, (0, 1)).all():
        report.add("E503", "`labels` are not all 0 or 1", help="use `values` for numbers")
    if labels.dtype.kind not in "fiub" or not np.isfinite(labels.astype(np.float64)).all():
        report.add("E503", "`labels` are not finite numbers")
        return labels
    return labels.astype(np.float32)


def _split(
    arrays: Mapping[str, Array], samples: int, labels: Array, head: Head, seed: int
) -> Array:
    """The data's own split, or a seeded one of 60, 20 and 20 percent."""
    if "split" in arrays:
        split = np.asarray(arrays["split"])
        if split.shape != (samples,) or not np.isin(split, (TRAIN, VALIDATION, TEST)).all():
            message = f"`split` is not {samples} values of 0, 1 or 2"
            raise fail("E503", message, help="0 is training, 1 validation, 2 test")
        return split.astype(np.int64)
    generator = np.random.default_rng(seed)
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
