"""Batches of several parts of a data set at once, such as the folds of a cross-validation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .batches import Batch, Batches, drawn, times_of
from .dataset import Dataset


class Parts(Batches):
    """Each batch has as many samples of every part: features and labels (parts, batch, …).

    A pass has as many samples of a part as the smallest has, others each time, so that every
    network takes equally many steps. One that trains alone has the same with `Batches`, whose
    `most` is that number.
    """

    def __init__(
        self,
        data: Dataset,
        parts: Sequence[NDArray[Any]],
        size: int,
        device: torch.device,
        *,
        most: int | None = None,
    ) -> None:
        every = np.unique(np.concatenate([*parts]))
        super().__init__(data, every, size, device, most=most)
        self.parts = [torch.from_numpy(np.searchsorted(every, part)) for part in parts]
        self.each = min([self.each, *map(len, self.parts)])
        self._drawn_of = [
            np.searchsorted(every, part).repeat(times_of(data, part)) for part in parts
        ]

    @property
    def length(self) -> int:
        return max(map(len, self.parts))

    def order(self, *seeds: int) -> Tensor:
        """Orders (parts, samples); one seed is that of every part."""
        each = seeds if len(seeds) > 1 else seeds * len(self.parts)
        orders = (
            drawn(places, seed, self.each)
            for places, seed in zip(self._drawn_of, each, strict=True)
        )
        return torch.stack([*orders])

    def own(self, part: int, results: Tensor) -> tuple[Tensor, Tensor]:
        """The results for a part, of those that `in_order` gave, and its labels."""
        return results[: len(self.parts[part])], self.labels[
            self.parts[part].to(self.labels.device)
        ]

    def in_order(self) -> Iterator[Batch]:
        """One pass over every sample; smaller parts repeat one until the largest is at its end."""
        filled = [torch.cat([p, p[:1].expand(self.length - len(p))]) for p in self.parts]
        return self._in_order(torch.stack(filled))
