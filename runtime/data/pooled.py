"""Features as one vector for each sample: what models without structure learn from."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.network.names import lengths_name, presence_name
from ...compiler.network.network import Network, NetworkFeature
from .dataset import Dataset
from .reading import read_ahead
from .rows import gathered, single_bytes, spans

CHUNK = 256
"""Samples that are pooled at a time."""


def pooled(data: Dataset, network: Network, samples: NDArray[np.int64]) -> NDArray[np.float64]:
    """Each feature's mean and maximum over space and time, side by side, (samples, columns).

    Time beyond a sample's length does not count, and a modality that a sample lacks is 0, with a
    column that says so.
    """
    largest = max(data.features.values(), key=lambda rows: single_bytes(rows.shape[1:]))
    parts = spans(largest, len(samples), CHUNK)
    computed = read_ahead(lambda part: _columns(data, network, samples[part]), parts)
    return _joined(computed, len(samples))


def _joined(parts: Iterator[NDArray[np.float64]], samples: int) -> NDArray[np.float64]:
    """Columns of so many samples from those of a few at a time, of which there is one copy."""
    first = next(parts)
    joined = np.empty((samples, first.shape[1]))
    done = 0
    for part in chain([first], parts):
        joined[done : done + len(part)] = part
        done += len(part)
    return joined


def standardised(columns: NDArray[np.float64], known: NDArray[np.int64]) -> NDArray[np.float64]:
    """Columns as distances from the mean of `known` rows in their standard deviations, if any."""
    mean, spread = columns[known].mean(0), columns[known].std(0)
    standard: NDArray[np.float64] = (columns - mean) / np.where(spread > 0, spread, 1)
    return standard


def _columns(data: Dataset, network: Network, samples: NDArray[np.int64]) -> NDArray[np.float64]:
    def given(name: str) -> NDArray[Any] | None:
        return gathered(data.features[name], samples) if name in data.features else None

    columns: list[NDArray[np.float64]] = []
    for feature in network.features:
        array = gathered(data.features[feature.name], samples).astype(np.float64)
        found = _pooled(array, feature, given(lengths_name(feature.name)))
        presence = given(presence_name(feature.modality))
        if presence is not None:
            found = [part * presence[:, None] for part in found] + [presence[:, None]]
        columns += found
    return np.concatenate(columns, 1)


def _pooled(
    array: NDArray[np.float64], feature: NetworkFeature, lengths: NDArray[Any] | None
) -> list[NDArray[np.float64]]:
    axes = [axis.name for axis in feature.axes or ()]
    over = tuple(place for place, name in enumerate(axes, 1) if name != "c")
    if not over:
        return [array]
    if lengths is None:
        return [array.mean(over), array.max(over)]
    place = 1 + axes.index("t")
    counts = np.expand_dims(np.arange(array.shape[place]) < lengths[:, None], _others(array, place))
    size = np.broadcast_to(counts, array.shape).sum(over)
    mean = np.where(counts, array, 0).sum(over) / size
    return [mean, np.where(counts, array, -np.inf).max(over)]


def _others(array: NDArray[np.float64], place: int) -> tuple[int, ...]:
    """The axes but that of the samples and one other."""
    return tuple(axis for axis in range(1, array.ndim) if axis != place)
