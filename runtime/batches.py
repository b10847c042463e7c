"""Batches of a data set as tensors on a device, in an order that the seed decides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from .data import Dataset

RESIDENT_SHARE = 0.5
"""The share of a GPU's free memory that features may take to stay there."""


@dataclass(frozen=True)
class Batch:
    """`features` are (batch, axes…) by name; `labels` as in `Dataset`."""

    features: dict[str, Tensor]
    labels: Tensor


class Batches:
    """The samples of one part of a data set.

    They stay on the device where they fit; otherwise each batch is gathered in pinned memory and
    sent before the one in front of it is computed.
    """

    def __init__(
        self, data: Dataset, indices: NDArray[Any], size: int, device: torch.device
    ) -> None:
        features = {name: torch.from_numpy(a[indices]) for name, a in data.features.items()}
        labels = torch.from_numpy(data.labels[indices])
        self.resident = fits(sum(f.nbytes for f in features.values()), device)
        if self.resident:
            features = {name: f.to(device) for name, f in features.items()}
        self._features, self._size, self._device = features, size, device
        self.labels = labels.to(device)

    def __len__(self) -> int:
        """Batches in one pass over the samples."""
        return len(list(self._bounds()))

    def order(self, generator: torch.Generator) -> Tensor:
        """A random order of the samples, on the CPU."""
        return torch.randperm(len(self.labels), generator=generator)

    def along(self, order: Tensor, first: int = 0) -> Iterator[Batch]:
        """One pass in an order, from a batch on; a last single sample joins no pass of several."""
        bounds = list(self._bounds())[first:]
        return self._batches(order[start:stop] for start, stop in bounds)

    def shuffled(self, generator: torch.Generator) -> Iterator[Batch]:
        """One pass in random order."""
        return self.along(self.order(generator))

    def in_order(self) -> Iterator[Batch]:
        """One pass over every sample in order."""
        order = torch.arange(len(self.labels))
        return self._batches(iter(torch.split(order, self._size)))

    def _bounds(self) -> Iterator[tuple[int, int]]:
        count = len(self.labels)
        for start in range(0, count, self._size):
            stop = min(start + self._size, count)
            if stop - start > 1 or start == 0:  # batch norm cannot train on one sample
                yield start, stop

    def _batches(self, choices: Iterator[Tensor]) -> Iterator[Batch]:
        """Each batch after the next one has been asked for, so that copies and work overlap."""
        ahead: Batch | None = None
        for chosen in choices:
            following = self._batch(chosen)
            if self.resident:
                yield following
                continue
            if ahead is not None:
                yield ahead
            ahead = following
        if ahead is not None:
            yield ahead

    def _batch(self, chosen: Tensor) -> Batch:
        place = chosen.to(self._device)
        if self.resident:
            features = {name: f[place] for name, f in self._features.items()}
        else:
            features = {
                name: f[chosen].pin_memory().to(self._device, non_blocking=True)
                for name, f in self._features.items()
            }
        return Batch(features, self.labels[place])


def fits(size: int, device: torch.device) -> bool:
    """Whether features of so many bytes may stay on the device."""
    if device.type != "cuda":
        return True
    free, _ = torch.cuda.mem_get_info(device)
    return size <= RESIDENT_SHARE * free
