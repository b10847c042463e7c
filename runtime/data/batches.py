"""Batches of a data set as tensors on a device, in an order that the seed decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..parallel.processes import count, rank, total
from .dataset import Dataset
from .reading import read_ahead
from .rows import Array, Rows, gathered, in_memory, single_bytes

RESIDENT_SHARE = 0.5
"""The share of a GPU's free memory that features may take to stay there."""


@dataclass(frozen=True)
class Batch:
    """`features` are (batch, axes…) by name; `labels` as in `Dataset`.

    Where processes share a batch, these are the samples of this one, `whole` is how many there are
    in all.
    """

    features: dict[str, Tensor]
    labels: Tensor
    whole: int = 0

    @property
    def samples(self) -> int:
        """The samples of all processes together."""
        return self.whole or len(self.labels)

    @property
    def share(self) -> float:
        """What a mean over the samples of this process counts in one over the processes."""
        return 1.0 if count() == 1 else len(self.labels) * count() / self.samples


class Batches:
    """The samples of one part of a data set.

    They stay on the device where they fit; otherwise each batch is gathered by other threads, from
    memory or from where the features stand, and copied while the one in front of it is computed.
    Nothing waits for the device. Where several processes run together, each is given, and reads,
    its own samples of every batch.
    """

    def __init__(
        self,
        data: Dataset,
        indices: NDArray[Any],
        size: int,
        device: torch.device,
        *,
        most: int | None = None,
    ) -> None:
        """A pass has at most so many samples, others each time; all without it.

        Where samples of the data count several times, it is as long, and drawn from all of these.
        """
        self.each = len(indices) if most is None else min(most, len(indices))
        self._drawn = np.arange(len(indices)).repeat(times_of(data, indices))
        self._size, self._device, self._samples = size, device, np.asarray(indices)
        here = _resident(data.features, len(indices), device)
        self._read = {name: rows for name, rows in data.features.items() if name not in here}
        self._rows = torch.from_numpy(self._samples)
        self._features = {name: torch.from_numpy(array) for name, array in here.items()}
        stream: Any = torch.cuda.Stream
        self._copies: Any = stream(device) if device.type == "cuda" else None
        if self._copies is not None:
            self._features = {n: f[self._rows].to(device) for n, f in self._features.items()}
            self._rows = torch.arange(len(indices), device=device)
        self.labels = torch.from_numpy(data.labels[indices]).to(device)
        self._absence, self._absent = None, dict[str, tuple[int, Tensor]]()
        if (absence := data.absence) is not None:
            self._absence = replace(absence, present=absence.present[indices])
            self._absent = {
                name: (absence.modalities[name], torch.from_numpy(value).to(device))
                for name, value in absence.values.items()
            }

    @property
    def resident(self) -> bool:
        """Whether nothing is read while batches are given."""
        return not self._read

    def __len__(self) -> int:
        """Batches in one pass over the samples."""
        return len(self._bounds())

    @property
    def length(self) -> int:
        """The samples that `in_order` gives each network."""
        return len(self.labels)

    def order(self, *seeds: int) -> Tensor:
        """The samples of one pass in random order, on the CPU; (seeds, samples) of several."""
        orders = [drawn(self._drawn, seed, self.each) for seed in seeds]
        return torch.stack(orders) if len(orders) > 1 else orders[0]

    def lacking(self, order: Tensor, *seeds: int) -> Tensor | None:
        """The modalities that samples of an order lack in training, (…, samples, modalities).

        None where they lack none.
        """
        if self._absence is None:
            return None
        return torch.from_numpy(self._absence.lacking(order.numpy(), *seeds))

    def along(
        self, order: Tensor, first: int = 0, lacking: Tensor | None = None
    ) -> Iterator[Batch]:
        """One pass in an order, from a batch on; a last single sample joins no pass of several.

        An order for each of several networks, (networks, samples), gives features (networks, batch,
        axes…) and labels alike. Samples may be `lacking` modalities.
        """
        return self._batches(order, self._bounds()[first:], lacking)

    def shuffled(self, seed: int) -> Iterator[Batch]:
        """One pass in random order."""
        return self.along(self.order(seed))

    def in_order(self) -> Iterator[Batch]:
        """One pass in order over every sample, or over those of this process: see `joined`."""
        return self._in_order(torch.arange(len(self.labels)))

    def _in_order(self, order: Tensor) -> Iterator[Batch]:
        samples = order.shape[-1]
        bounds = [(i, min(i + self._size, samples)) for i in range(0, samples, self._size)]
        return self._batches(order, bounds)

    def joined(self, results: Tensor) -> Tensor:
        """The results of every sample in order, from those that `in_order` gave each process."""
        if count() == 1:
            return results
        places = [
            torch.arange(start + rank(), min(start + self._size, len(self.labels)), count())
            for start in range(0, len(self.labels), self._size)
        ]
        every = results.new_zeros(len(self.labels), *results.shape[1:])
        every[torch.cat(places).to(results.device)] = results
        return total(every)

    def _bounds(self) -> list[tuple[int, int]]:
        """Where batches to train on begin and end."""
        samples, least = self.each, max(2, count())  # batch norm, and one for each process
        bounds = [(i, min(i + self._size, samples)) for i in range(0, samples, self._size)]
        return [(start, stop) for start, stop in bounds if stop - start >= least or start == 0]

    def _batches(
        self, order: Tensor, bounds: Sequence[tuple[int, int]], lacking: Tensor | None = None
    ) -> Iterator[Batch]:
        places = sent(order, self._device)
        lacking = None if lacking is None else sent(lacking, self._device)
        if self.resident:
            for bound in bounds:
                yield self._batch(bound, places, lacking, {})
        else:
            yield from self._streamed(order, places, bounds, lacking)

    def _batch(
        self,
        bound: tuple[int, int],
        places: Tensor,
        lacking: Tensor | None,
        read: Mapping[str, Array],
    ) -> Batch:
        """The samples of this process between two places of an order, with what was read."""
        start, stop = bound
        own = places[..., _own(bound)]
        rows = self._rows[own]
        features = {name: f[rows] for name, f in self._features.items()}
        features |= {name: sent(torch.from_numpy(a), self._device) for name, a in read.items()}
        features = self._without(features, lacking, _own(bound))
        return Batch(features, self.labels[own], stop - start)

    def _without(
        self, features: dict[str, Tensor], lacking: Tensor | None, taken: slice
    ) -> dict[str, Tensor]:
        """The features of samples of an order, without the modalities that these lack."""
        if lacking is None:
            return features
        found = dict(features)
        for name, (place, absent) in self._absent.items():
            lacks = lacking[..., taken, place]
            lacks = lacks.view(*lacks.shape, *[1] * absent.dim())
            found[name] = torch.where(lacks, absent, features[name])
        return found

    def _streamed(
        self,
        order: Tensor,
        places: Tensor,
        bounds: Sequence[tuple[int, int]],
        lacking: Tensor | None,
    ) -> Iterator[Batch]:
        """Batches, each copied on a stream of its own before the one in front of it is given."""

        def read(bound: tuple[int, int]) -> dict[str, Array]:
            samples = self._samples[order[..., _own(bound)].numpy()]
            return {name: gathered(rows, samples) for name, rows in self._read.items()}

        if self._copies is not None:
            self._copies.wait_stream(torch.cuda.current_stream(self._device))
        ahead: Batch | None = None
        with closing(read_ahead(read, bounds)) as arrays:
            for bound in [*bounds, None]:
                following: Batch | None = None
                if bound is not None:
                    with torch.cuda.stream(self._copies):
                        following = self._batch(bound, places, lacking, next(arrays))
                if ahead is not None:
                    yield ahead
                if following is not None and self._copies is not None:
                    computing = torch.cuda.current_stream(self._device)
                    computing.wait_stream(self._copies)
                    for tensor in (*following.features.values(), following.labels):
                        tensor.record_stream(computing)
                ahead = following


def _own(bound: tuple[int, int]) -> slice:
    """The places of this process among those of a batch."""
    return slice(bound[0] + rank(), bound[1], count())


def _resident(features: Mapping[str, Rows], samples: int, device: torch.device) -> dict[str, Array]:
    """The features that stay on the device: on a GPU all of them, or none."""
    held = {name: rows for name, rows in features.items() if in_memory(rows)}
    if device.type == "cuda" and len(held) < len(features):
        return {}
    size = samples * sum(single_bytes(array.shape[1:]) for array in held.values())
    return held if fits(size, device) else {}


def times_of(data: Dataset, indices: NDArray[Any]) -> NDArray[np.int64]:
    """How often samples are drawn beside each other."""
    if data.times is None:
        return np.ones(len(indices), np.int64)
    times: NDArray[np.int64] = data.times[indices]
    return np.floor_divide(times, max(1, np.gcd.reduce(times)))


def drawn(places: NDArray[np.int64], seed: int, most: int) -> Tensor:
    """So many of the places in a random order."""
    order = torch.randperm(len(places), generator=torch.Generator().manual_seed(seed))
    return torch.from_numpy(places)[order[:most]]


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor on the device, copied there without waiting for it."""
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def fits(size: int, device: torch.device) -> bool:
    """Whether features of so many bytes may stay on the device."""
    if device.type != "cuda":
        return True
    free, _ = torch.cuda.mem_get_info(device)
    return size <= RESIDENT_SHARE * free
