"""Batches of a data set as tensors on a device, in an order that the seed decides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from .data import Dataset


@dataclass(frozen=True)
class Batch:
    """`features` are (batch, axes…) by name; `labels` as in `Dataset`."""

    features: dict[str, Tensor]
    labels: Tensor


class Batches:
    """The samples of one part of a data set, resident on the device."""

    def __init__(
        self, data: Dataset, indices: NDArray[Any], size: int, device: torch.device
    ) -> None:
        self._features = {
            name: torch.from_numpy(array[indices]).to(device)
            for name, array in data.features.items()
        }
        self.labels = torch.from_numpy(data.labels[indices]).to(device)
        self._size, self._device = size, device

    def __len__(self) -> int:
        """Batches in one pass over the samples."""
        return len(list(self._bounds()))

    def shuffled(self, generator: torch.Generator) -> Iterator[Batch]:
        """One pass in random order; a last batch of a single sample joins no pass of several."""
        order = torch.randperm(len(self.labels), generator=generator).to(self._device)
        for start, stop in self._bounds():
            yield self._batch(order[start:stop])

    def in_order(self) -> Iterator[Batch]:
        """One pass over every sample in order."""
        for start in range(0, len(self.labels), self._size):
            stop = start + self._size
            features = {name: f[start:stop] for name, f in self._features.items()}
            yield Batch(features, self.labels[start:stop])

    def _bounds(self) -> Iterator[tuple[int, int]]:
        count = len(self.labels)
        for start in range(0, count, self._size):
            stop = min(start + self._size, count)
            if stop - start > 1 or start == 0:  # batch norm cannot train on one sample
                yield start, stop

    def _batch(self, chosen: Tensor) -> Batch:
        features = {name: f[chosen] for name, f in self._features.items()}
        return Batch(features, self.labels[chosen])
