"""Greedy selection of an ensemble, with replacement.

Caruana, Niculescu-Mizil, Crew and Ksikes, "Ensemble Selection from Libraries of Models" (2004).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Outputs = NDArray[np.float64]
"""What a member gives for every sample, (samples, K): probabilities, or values."""


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
