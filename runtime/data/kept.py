"""What is computed from features before training, kept in memory while there is room for it.

Networks of one search read much the same of the features: what was computed for one of them serves
the others. What there is no room for is computed anew for each batch, to the same numbers.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from math import inf, prod
from typing import Protocol

import numpy as np

from .reading import read_ahead
from .rows import Array, Rows, in_memory, single_bytes, spans

CHUNK = 256
"""Samples that are computed at a time."""


class Derived(Rows, Protocol):
    """Rows that are computed from others when they are asked for."""

    @property
    def sources(self) -> Sequence[Rows]: ...


@dataclass(eq=False)
class Kept:
    """Arrays by what they are, within so many bytes of `room`.

    An array counts until nobody has it any more; those that were asked for longest ago are let go.
    """

    room: float = inf
    _arrays: OrderedDict[Hashable, tuple[Sequence[Rows], Array]] = field(
        default_factory=OrderedDict[Hashable, tuple[Sequence[Rows], Array]]
    )

    def held(self, key: Hashable, rows: Derived) -> Rows:
        """The rows in memory, where there is room for all of them; else as they are."""
        sources, array = self._arrays.pop(key, ((), None))
        if array is None or not _are(sources, rows.sources):
            del array
            array = self._computed(rows)
            if array is None:
                return rows
        self._arrays[key] = rows.sources, array
        return array

    def _computed(self, rows: Derived) -> Array | None:
        size = prod(rows.shape) * rows.dtype.itemsize
        while size > self.room and self._arrays:
            self._arrays.popitem(last=False)
        if size > self.room:
            return None
        array = np.empty(rows.shape, rows.dtype)
        self.room -= size
        weakref.finalize(array, self._release, size)
        largest = max((rows, *rows.sources), key=lambda one: single_bytes(one.shape[1:]))
        parts = spans(largest, len(rows), CHUNK)
        are_here = all(map(in_memory, rows.sources))
        computed = map(rows.__getitem__, parts) if are_here else read_ahead(rows.__getitem__, parts)
        for span, part in zip(parts, computed, strict=True):
            array[span] = part
        return array

    def _release(self, size: int) -> None:
        self.room += size


def _are(some: Sequence[Rows], others: Sequence[Rows]) -> bool:
    """Whether they are the same objects."""
    return len(some) == len(others) and all(a is b for a, b in zip(some, others, strict=True))
