"""Features as one vector for each sample: what models without structure learn from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.network.names import lengths_name, presence_name
from ...compiler.network.network import Network, NetworkFeature
from .dataset import Dataset, names_read
from .reading import read_ahead
from .rows import Rows, gathered, single_bytes, spans

CHUNK = 256
"""Samples that are pooled at a time."""


class PooledRows:
    """Each feature's mean and maximum over space and time, side by side, (samples, columns).

    Time beyond a sample's length does not count, and a modality that a sample lacks is 0, with a
    column that says so.
    """

    dtype: np.dtype[Any] = np.dtype(np.float64)

    def __init__(self, data: Dataset, network: Network) -> None:
        self._features, self._network = data.features, network
        read = [name for name in names_read(network) if name in data.features]
        self.sources = [data.features[name] for name in read]
        self._largest = max(self.sources, key=lambda rows: single_bytes(rows.shape[1:]))
        columns = _columns(self._features, network, np.arange(1)).shape[1]
        self.shape: tuple[int, ...] = (len(data.labels), columns)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, samples: slice | NDArray[np.int64]) -> NDArray[np.float64]:
        if isinstance(samples, slice):
            samples = np.arange(*samples.indices(len(self)))

        def columns(part: slice) -> NDArray[np.float64]:
            return _columns(self._features, self._network, samples[part])

        parts = spans(self._largest, len(samples), CHUNK)
        pooled = np.empty((len(samples), self.shape[1]))
        computed = read_ahead(columns, parts) if len(parts) > 1 else map(columns, parts)
        for part, rows in zip(parts, computed, strict=True):
            pooled[part] = rows
        return pooled


def pooled(data: Dataset, network: Network, samples: NDArray[np.int64]) -> NDArray[np.float64]:
    """What `PooledRows` says of some samples."""
    return PooledRows(data, network)[samples]


def standardised(columns: NDArray[np.float64], known: NDArray[np.int64]) -> NDArray[np.float64]:
    """Columns as distances from the mean of `known` rows in their standard deviations, if any."""
    mean, spread = columns[known].mean(0), columns[known].std(0)
    standard: NDArray[np.float64] = (columns - mean) / np.where(spread > 0, spread, 1)
    return standard


def _columns(
    features: Mapping[str, Rows], network: Network, samples: NDArray[np.int64]
) -> NDArray[np.float64]:
    def given(name: str) -> NDArray[Any] | None:
        return gathered(features[name], samples) if name in features else None

    columns: list[NDArray[np.float64]] = []
    for feature in network.features:
        array = gathered(features[feature.name], samples).astype(np.float64)
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
