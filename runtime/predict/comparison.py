"""Whether one network does better than another: a bootstrap over samples and seeds, in pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...compiler.language.nodes import HeadKind
from ...compiler.network.network import Head
from ..data.several import labels_by_head, outputs_by_head, score_weights
from ..metrics import LABEL_THRESHOLD
from ..runs.statistics import LEVEL, RESAMPLES, Interval

SLIGHT = 1e-12
"""The share of the squares of values below which their spread is rounding alone."""
AT_ONCE = 500
"""Resamples that are drawn at a time."""
MOST_DRAWN = 20_000_000
"""How many samples they have together at most."""
Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Scored:
    """What a contender's outputs are worth, sample by sample.

    `parts` are (seeds, samples, parts): numbers of each test sample. `metric` gives from their sums
    over samples, (…, parts), the metric of these samples, (…).
    """

    parts: Floats
    metric: Callable[[Floats], Floats]

    @property
    def metrics(self) -> Floats:
        """The metric of each seed."""
        return self.metric(self.parts.sum(1))


def scored(
    kind: HeadKind | Literal["several"], outputs: NDArray[Any], labels: NDArray[Any]
) -> Scored:
    """The metric that selects, of outputs (seeds, samples, K): probabilities, or values.

    Accuracy of classes, F1 of labels weighted by how often each occurs, R² of values.
    """
    match kind:
        case "classes":
            right = (outputs.argmax(-1) == labels).astype(np.float64)
            return Scored(np.stack([right, np.ones_like(right)], -1), _share)
        case "labels":
            predicted, truth = outputs > LABEL_THRESHOLD, labels.astype(bool)
            counts = (predicted & truth, predicted & ~truth, ~predicted & truth)
            return Scored(np.concatenate(counts, -1).astype(np.float64), _weighted_f1)
        case "values":
            truth = np.broadcast_to(labels, outputs.shape).astype(np.float64)
            parts = ((outputs - truth) ** 2, truth, truth**2, np.ones_like(truth))
            return Scored(np.concatenate(parts, -1), _r2)
        case "several":
            raise AssertionError("several heads are scored one by one")


def scored_by_head(head: Head, outputs: NDArray[Any], labels: NDArray[Any]) -> Scored:
    """The metric that selects of a head; of several, the mean of theirs, as `metrics_of` has it."""
    if not head.parts:
        return scored(head.kind, outputs, labels)
    own = zip(labels_by_head(head, labels), outputs_by_head(head, outputs), strict=True)
    each = [scored_by_head(part, given, truth) for (part, truth), given in own]
    ends, weights = np.cumsum([one.parts.shape[-1] for one in each])[:-1], score_weights(head)

    def metric(sums: Floats) -> Floats:
        pairs = zip(each, np.split(sums, ends, -1), strict=True)
        return np.average([one.metric(part) for one, part in pairs], 0, weights)

    return Scored(np.concatenate([one.parts for one in each], -1), metric)


def difference(
    first: Scored,
    second: Scored,
    groups: NDArray[np.int64] | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """How much higher the first's metric is, over seeds, with a percentile bootstrap interval.

    Both have the same test samples, which are drawn with replacement once for both, those of one
    group together. Seeds are drawn too: in pairs where both have as many, else each for itself.
    """
    group = _grouped(first, groups)
    sums = [_by_group(one.parts, group) for one in (first, second)]
    generator, found = np.random.default_rng(seed), list[Floats]()
    for drawn in _draws(generator, sums[0].shape[1], resamples):
        seeds = [generator.integers(len(one), size=(len(drawn), len(one))) for one in sums]
        if len(sums[0]) == len(sums[1]):
            seeds[1] = seeds[0]
        means = [
            np.take_along_axis(one.metric(np.einsum("rn,snp->rsp", drawn, own)), chosen, 1).mean(1)
            for one, own, chosen in zip((first, second), sums, seeds, strict=True)
        ]
        found.append(means[0] - means[1])
    low, high = _bounds(np.concatenate(found))
    mean = float(first.metrics.mean() - second.metrics.mean())
    return Interval(mean, low, high)


def intervals(
    several: Sequence[Scored],
    groups: NDArray[np.int64] | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> list[Interval]:
    """The metric of each, of all seeds together, with a percentile bootstrap interval.

    All have the same samples, which are drawn with replacement once for all of them, those of one
    group together. Seeds are not drawn: what a sample counts is its mean over them.
    """
    group = _grouped(several[0], groups)
    sums = [_by_group(one.parts.mean(0, keepdims=True), group)[0] for one in several]
    generator = np.random.default_rng(seed)
    found = [
        np.stack([one.metric(drawn @ own) for one, own in zip(several, sums, strict=True)])
        for drawn in _draws(generator, len(sums[0]), resamples)
    ]
    each = np.concatenate(found, 1)
    return [
        Interval(float(one.metric(own.sum(0))), *_bounds(drawn))
        for one, own, drawn in zip(several, sums, each, strict=True)
    ]


def _grouped(one: Scored, groups: NDArray[np.int64] | None) -> NDArray[np.intp]:
    """The number of each sample's group; of itself, where there are none."""
    every = np.arange(one.parts.shape[1]) if groups is None else groups
    return np.unique(every, return_inverse=True)[1]


def _draws(generator: np.random.Generator, size: int, resamples: int) -> Iterator[Floats]:
    """How often each of so many is drawn, (resamples, size), some resamples at a time."""
    most = max(1, min(AT_ONCE, MOST_DRAWN // size))
    for start in range(0, resamples, most):
        count = min(most, resamples - start)
        yield generator.multinomial(size, np.full(size, 1 / size), count).astype(np.float64)


def _bounds(drawn: Floats) -> tuple[float, float]:
    low, high = np.nanquantile(drawn, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return float(low), float(high)


def _by_group(parts: Floats, group: NDArray[np.intp]) -> Floats:
    """Sums of parts over the samples of each group, (seeds, groups, parts)."""
    sums = np.zeros((len(parts), int(group.max()) + 1, parts.shape[-1]))
    for own, summed in zip(parts, sums, strict=True):
        np.add.at(summed, group, own)
    return sums


def _share(sums: Floats) -> Floats:
    return sums[..., 0] / sums[..., 1]


def _weighted_f1(sums: Floats) -> Floats:
    hits, false, missed = np.split(sums, 3, -1)
    occurs = hits + missed
    f1 = 2 * hits / np.maximum(2 * hits + false + missed, 1)
    mean: Floats = (f1 * occurs).sum(-1) / np.maximum(occurs.sum(-1), 1)
    return mean


def _r2(sums: Floats) -> Floats:
    """The mean over values, of which each counts as much; nan where one does not vary."""
    error, total, squares, count = np.split(sums, 4, -1)
    spread = squares - total**2 / count
    varies = spread > SLIGHT * squares
    share = np.divide(error, spread, out=np.full_like(error, np.nan), where=varies)
    mean: Floats = (1 - share).mean(-1)
    return mean
