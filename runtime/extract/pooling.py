"""What a feature may be pooled to before it is stored, with the same result for every network.

An adapter may read a feature through `resample` alone. Where all that a specification allows do so
by the same rule, to the same length, what they read is what is stored: resampling that again gives
it as it is. Where they differ, as where the maximum and the mean are both choices, the feature is
kept whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

import torch
from torch import Tensor

from ...compiler.graph.build import build
from ...compiler.language.variants import MOST_LISTED, some_picks
from ...compiler.lowering.lower import lower_adapter
from ...compiler.network.network import Network
from ...compiler.program.program import INPUT, Program
from ...ops.primitives.resampling import bins, grid

TIME, SPACE = "t", ("h", "w")


@dataclass(frozen=True)
class Pooling:
    """By what a feature is brought to a length: by the maximum over bins, or by their mean."""

    by: Literal["pool", "mean"]
    length: int

    def sizes(self, axes: Sequence[str]) -> dict[str, int]:
        """The size of each axis that is pooled, by name: those that `resample` brings it to."""
        if TIME in axes:
            return {TIME: self.length, **{axis: 1 for axis in SPACE if axis in axes}}
        rows, columns = grid(self.length)
        return {
            axis: size for axis, size in zip(SPACE, (rows, columns), strict=True) if axis in axes
        }

    def __call__(
        self, feature: Tensor, axes: Sequence[str], lengths: Sequence[int] | None
    ) -> Tensor:
        """A feature (batch, axes…) pooled; of each sample so much of its time as counts."""
        sizes = self.sizes(axes)
        places = {axis: 1 + axes.index(axis) for axis in sizes}
        for axis in SPACE:
            if axis in sizes:
                feature = self._along(feature, places[axis], sizes[axis])
        if TIME not in sizes:
            return feature
        if lengths is None:
            return self._along(feature, places[TIME], sizes[TIME])
        parts = [
            self._along(one.narrow(places[TIME], 0, length), places[TIME], sizes[TIME])
            for one, length in zip(torch.split(feature, 1), lengths, strict=True)
        ]
        return torch.cat(parts)

    def _along(self, feature: Tensor, place: int, count: int) -> Tensor:
        """An axis pooled to so many bins."""
        over = torch.amax if self.by == "pool" else torch.mean
        parts = [
            over(feature.narrow(place, b.start, len(b)), place, keepdim=True)
            for b in bins(feature.shape[place], count)
        ]
        return torch.cat(parts, place)


def poolings(network: Network) -> dict[str, Pooling | None]:
    """How each feature may be pooled, over every network that a specification allows."""
    holes = network.global_holes
    if prod(len(hole.candidates) for hole in holes) > MOST_LISTED:
        return {feature.name: None for feature in network.features}
    found: dict[str, set[Pooling | None]] = {f.name: set() for f in network.features}
    for picks in some_picks(holes):
        graph = build(network.variant(picks))
        for name, ways in found.items():
            ways |= _ways(lower_adapter(graph, name), name)
    return {name: next(iter(ways)) if len(ways) == 1 else None for name, ways in found.items()}


def _ways(program: Program, feature: str) -> set[Pooling | None]:
    """The ways in which a feature's adapter reads it; None for one that needs it whole."""
    readers = program.readers()
    found: set[Pooling | None] = set()
    for index, value in enumerate(program.values):
        if value.primitive != INPUT or value.name != feature:
            continue
        for reader in (program.values[place] for place in readers[index]):
            attributes = dict(reader.attributes)
            by: Any = attributes.get("by")
            is_pooled = reader.primitive == "resample" and by in ("pool", "mean")
            found.add(Pooling(by, attributes["length"]) if is_pooled else None)
        if index == program.output:
            found.add(None)
    return found
