"""A trained ensemble: the mean of what its members give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.network.names import LOGITS, PROBABILITIES
from ...compiler.targets.numpy.network import probabilities_of
from ..data.dataset import Dataset
from ..progress import Progress
from ..settings import Settings
from .predictor import Predictor


class EnsemblePredictor:
    """Networks whose probabilities, or values, are averaged with weights."""

    def __init__(self, members: Sequence[Predictor], weights: Sequence[float]) -> None:
        """The weights add up to 1."""
        self.members, self.weights = members, weights
        self.network, self.settings = members[0].network, members[0].settings
        self.output = LOGITS if self.network.head.kind == "values" else PROBABILITIES

    def outputs(
        self, data: Dataset, samples: NDArray[Any], settings: Settings, progress: Progress
    ) -> NDArray[Any]:
        kind, count = self.network.head.kind, len(self.members)
        total = np.zeros((len(samples), self.network.head.count))
        for place, (member, weight) in enumerate(zip(self.members, self.weights, strict=True)):

            def told(done: int, of: int, place: int = place) -> None:
                progress(place * of + done, count * of)

            logits = member.outputs(data, samples, settings, told).astype(np.float64)
            total += weight * (logits if kind == "values" else probabilities_of(logits, kind))
        mean: NDArray[Any] = total.astype(np.float32)
        return mean
