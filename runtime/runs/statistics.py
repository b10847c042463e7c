"""What scores over several seeds or splits say: their mean, spread, and how differences vary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

RESAMPLES = 10_000
LEVEL = 0.95
MOST_NUMBERS = 4_000_000
"""How many numbers are resampled at once."""


@dataclass(frozen=True)
class Summary:
    """The mean of `count` scores and their sample standard deviation, None for a single one."""

    mean: float
    deviation: float | None
    count: int


class Interval(NamedTuple):
    """A mean of paired differences, and the bounds between which it lies with 95 %."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:+.4f} [{self.low:+.4f}, {self.high:+.4f}]"


def summary(scores: Sequence[float]) -> Summary:
    """The summary of scores, of which there is one at least."""
    values = np.asarray(scores, np.float64)
    deviation = float(values.std(ddof=1)) if len(values) > 1 else None
    return Summary(float(values.mean()), deviation, len(values))


def paired_interval(
    first: Sequence[float],
    second: Sequence[float],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval | None:
    """How much higher the first of paired scores are, with a percentile bootstrap interval.

    Pairs share a seed or a split, and are resampled together. One pair has no interval: None. Of
    very few pairs an interval is too narrow, as every bootstrap's is.
    """
    differences = np.subtract(first, second, dtype=np.float64)
    count = len(differences)
    if count < 2:
        return None
    generator = np.random.default_rng(seed)
    means: list[np.ndarray[tuple[int], np.dtype[np.float64]]] = []
    left = resamples
    while left:
        rows = min(left, max(1, MOST_NUMBERS // count))
        means.append(differences[generator.integers(count, size=(rows, count))].mean(1))
        left -= rows
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(np.concatenate(means), (tail, 1 - tail))
    return Interval(float(differences.mean()), float(low), float(high))
