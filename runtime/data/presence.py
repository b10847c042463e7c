"""Optional modalities: which samples have them, and what stands for the features of the others.

What arrays hold of samples without a modality does not count, be it no number at all: features are
zeros there, and lengths whole.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import Diagnostic, Report, did_you_mean
from ...compiler.network.names import lengths_name, presence_name
from ...compiler.network.network import Network, NetworkFeature
from .gaps import presence_of
from .rows import Array, Rows


class Zeros:
    """Rows of zeros in single precision, which are made when they are asked for."""

    dtype: np.dtype[Any] = np.dtype(np.float32)

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, samples: slice | NDArray[np.int64]) -> NDArray[np.float32]:
        given = np.empty(len(self), np.bool_)[samples]
        return np.zeros((*given.shape, *self.shape[1:]), np.float32)


def presence_in(arrays: Mapping[str, Rows], network: Network, report: Report) -> dict[str, Array]:
    """Which samples have an optional modality, (samples,) of 0 and 1, where the data say it.

    Without a word of theirs, samples lack it whose features hold nothing but NaN.
    """
    by_name: dict[str, Array] = {}
    for modality in network.spec.modalities:
        name = presence_name(modality.name)
        if not modality.optional:
            continue
        if name not in arrays:
            features = [f.name for f in network.features if f.modality == modality.name]
            by_name |= presence_of(arrays, modality.name, features)
            continue
        present = np.asarray(arrays[name])
        if present.ndim != 1 or not np.isin(present, (0, 1)).all():
            message = f"`{name}` is not (samples,) values of 0 or 1"
            report.add("E502", message, help="1 where a sample has the modality")
        else:
            by_name[name] = present.astype(np.int64)
    return by_name


def absent_of(
    presence: Mapping[str, Array], feature: NetworkFeature, samples: int
) -> NDArray[np.bool_] | None:
    """Which of so many samples lack the modality of a feature; None where that is not said."""
    present = presence.get(presence_name(feature.modality))
    if present is None or len(present) != samples:
        return None
    absent: NDArray[np.bool_] = present == 0
    return absent


def lacking_whole(arrays: Mapping[str, Rows], network: Network) -> tuple[str, ...]:
    """The optional modalities of which arrays have no feature, where they have one of another.

    Not those that arrays say samples to have.
    """
    features: dict[str, list[bool]] = {}
    for feature in network.features:
        features.setdefault(feature.modality, []).append(feature.name in arrays)
    lacking = {name for name, there in features.items() if not any(there)}
    optional = {m.name for m in network.spec.modalities if m.optional}
    if not lacking <= optional or lacking == features.keys():
        return ()
    said = {name for name in lacking if np.any(np.asarray(arrays.get(presence_name(name), 0)))}
    return tuple(name for name in features if name in lacking - said)


def without(
    arrays: Mapping[str, Rows], network: Network, lacking: Sequence[str]
) -> Mapping[str, Rows]:
    """The arrays, with those of samples that all lack some modalities; open axes have length 1."""
    if not lacking:
        return arrays
    samples = len(arrays[next(f.name for f in network.features if f.name in arrays)])
    nothing: dict[str, Rows] = {
        feature.name: Zeros((samples, *(axis.size or 1 for axis in feature.axes)))
        for feature in network.features
        if feature.modality in lacking and feature.axes is not None
    }
    nothing |= {presence_name(name): np.zeros(samples, np.int64) for name in lacking}
    return ChainMap(nothing, cast(dict[str, Rows], arrays))


def all_lacking(
    features: Mapping[str, Rows], network: Network, lacking: Collection[str]
) -> dict[str, Rows]:
    """The features of samples as they would be if all lacked some optional modalities."""
    found = dict(features)
    for feature in network.features:
        if feature.modality in lacking:
            rows = features[feature.name]
            found[feature.name] = Zeros(rows.shape)
            found[presence_name(feature.modality)] = np.zeros(len(rows), np.int64)
            found.pop(lengths_name(feature.name), None)
    return found


def lacking_warnings(
    arrays: Mapping[str, Rows], network: Network, lacking: Sequence[str]
) -> tuple[Diagnostic, ...]:
    """That the whole of some modalities is taken to be missing."""
    report = Report()
    for modality in lacking:
        names = [f.name for f in network.features if f.modality == modality]
        meant = next(filter(None, (did_you_mean(name, arrays) for name in names)), "")
        remedy = meant or f"if samples have it, give {' and '.join(f'`{n}`' for n in names)}"
        report.add("W505", f"the data have nothing of the modality `{modality}`", help=remedy)
    return tuple(report.diagnostics)
