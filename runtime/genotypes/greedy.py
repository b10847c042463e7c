"""Greedy selection of an ensemble, with replacement.

Caruana, Niculescu-Mizil, Crew and Ksikes, "Ensemble Selection from Libraries of Models" (2004):
section 2.1 with replacement, section 2.3 bagged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Outputs = NDArray[np.float64]
"""What a member gives for every sample, (samples, K): probabilities, or values."""


BAGS = 20
"""How many random halves of the members are selected from."""
SHARE = 0.5
SLIGHT = 0.02
"""A weight below which a member is left out of a mean of many."""


def bagged(
    members: Sequence[Outputs], loss: Callable[[Outputs], float], picks: int, seed: int
) -> dict[int, float]:
    """The mean of what greedy selection takes from random halves of the members.

    It fits the samples less closely than one selection from all. Weights that are slight are left
    out, and the others add up to 1.
    """
    generator, count = np.random.default_rng(seed), len(members)
    size = max(1, round(SHARE * count))
    found: dict[int, float] = {}
    for _ in range(BAGS):
        half = sorted(generator.choice(count, size, replace=False).tolist())
        for place, weight in greedy([members[i] for i in half], loss, picks).items():
            found[half[place]] = found.get(half[place], 0.0) + weight / BAGS
    least = min(SLIGHT, max(found.values()))
    kept = {place: weight for place, weight in sorted(found.items()) if weight >= least}
    total = sum(kept.values())
    return {place: weight / total for place, weight in kept.items()}


def greedy(
    members: Sequence[Outputs], loss: Callable[[Outputs], float], picks: int
) -> dict[int, float]:
    """The weights of the members whose mean has the least loss, those that have any.

    One member after the other is added, whichever makes the mean best, also one that is in it
    already; of all the means on the way, the best is kept, the smaller one of two that are equal.
    """
    total: Outputs = np.zeros_like(members[0])
    taken: list[int] = []
    best: tuple[float, int] | None = None
    for count in range(1, picks + 1):
        losses = [loss((total + outputs) / count) for outputs in members]
        place = int(np.argmin(losses))
        total = total + members[place]
        taken.append(place)
        if best is None or losses[place] < best[0]:
            best = losses[place], count
    assert best is not None
    kept = Counter(taken[: best[1]])
    return {place: times / best[1] for place, times in sorted(kept.items())}
