"""What a study may conclude: differences with intervals, and ranks over data sets.

On one set two contenders are compared by a bootstrap over test samples and seeds at once
(`runtime/predict/comparison.py`), with samples of one group drawn together. Over all sets by
Friedman's test of their ranks and Nemenyi's critical difference (J. Demšar, "Statistical
comparisons of classifiers over multiple data sets", JMLR 7, 2006).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, sqrt
from statistics import fmean
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fusewright.runtime.runs.statistics import LEVEL, Interval

MARGIN = 0.005
"""A difference of the metric that matters: half a point."""
ALPHA = 1 - LEVEL
"""How often Friedman's and Nemenyi's tests may be wrong where contenders are alike."""
Floats: TypeAlias = NDArray[np.float64]
Verdict: TypeAlias = Literal["above", "below", "undecided"]


def verdict(found: Interval, margin: float = MARGIN) -> Verdict:
    """Above or below where the interval leaves zero out and the difference is one that matters."""
    if found.low > 0 and found.mean >= margin:
        return "above"
    if found.high < 0 and found.mean <= -margin:
        return "below"
    return "undecided"


def over_sets(found: Sequence[Interval]) -> Interval:
    """The mean of a difference over sets, which vary independently: bounds add up in squares."""
    count = len(found)
    mean = fmean(one.mean for one in found)
    down = sqrt(sum((one.mean - one.low) ** 2 for one in found)) / count
    up = sqrt(sum((one.high - one.mean) ** 2 for one in found)) / count
    return Interval(mean, mean - down, mean + up)


def ranks(scores: NDArray[Any]) -> Floats:
    """Ranks within each set of scores (sets, contenders): 1 is the highest, equal ones share."""
    from scipy.stats import rankdata

    ranked: Floats = rankdata(-np.asarray(scores, np.float64), axis=1)
    return ranked


def friedman(scores: NDArray[Any]) -> float:
    """How likely ranks that differ so much are where all contenders are alike (Friedman's test).

    Scores are (sets, contenders), of three contenders at least.
    """
    from scipy.stats import friedmanchisquare

    return float(friedmanchisquare(*np.asarray(scores, np.float64).T).pvalue)


def critical_difference(contenders: int, sets: int, alpha: float = ALPHA) -> float:
    """By how much mean ranks have to differ for two contenders to differ (Nemenyi's test)."""
    return critical_value(contenders, alpha) * sqrt(contenders * (contenders + 1) / (6 * sets))


def critical_value(contenders: int, alpha: float = ALPHA) -> float:
    """The quantile of the studentised range of so many contenders, divided by √2."""
    from scipy.stats import studentized_range

    return float(studentized_range.ppf(1 - alpha, contenders, inf)) / sqrt(2)


def alike(mean_ranks: Sequence[float], difference: float) -> list[tuple[int, ...]]:
    """The largest groups of contenders whose mean ranks differ by no more, best first."""
    order = sorted(range(len(mean_ranks)), key=mean_ranks.__getitem__)
    found: list[tuple[int, ...]] = []
    for place, one in enumerate(order):
        group = tuple(o for o in order[place:] if mean_ranks[o] - mean_ranks[one] <= difference)
        if len(group) > 1 and not (found and set(group) <= set(found[-1])):
            found.append(group)
    return found
