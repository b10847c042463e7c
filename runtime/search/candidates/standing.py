"""How candidates compare that were scored several times.

One score on a small validation split says little: it is coarse, and it saturates. So every score is
standardised over the candidates, and so is the least loss; they are added, earlier scores counting
less, since they favour what learns fast. Where a threshold decides what is predicted, a lower loss
may go with worse predictions, and scores count alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ....compiler.network.network import Head
from ...metrics import is_thresholded


def standings(
    scores: Sequence[Sequence[float]], losses: Sequence[Sequence[float]], head: Head
) -> list[float]:
    """A number for each candidate, higher is better, from its scores and its losses.

    Every candidate has been scored equally often, by the metric that selects of the head.
    """
    both = np.concatenate([np.array(scores), -np.array(losses).min(1, keepdims=True)], 1)
    spread = both.std(0)
    standard = (both - both.mean(0)) / np.where(spread > 0, spread, 1.0)
    count = len(scores[0])
    weights = [*(np.arange(1, count + 1) / count), 0.0 if is_thresholded(head) else 1.0]
    return [float(s) for s in standard @ np.array(weights)]
