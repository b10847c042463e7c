"""Distillation: what a trained network gives for samples is learned beside their labels.

Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network" (2015), at temperature 1.
NOTE: losses of both targets, half of each, have the gradients of one loss of the targets' mean.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.network.network import Head
from ..data.dataset import Dataset

TRUTH = 0.5
"""What the labels count beside what the teacher gives."""


@dataclass(frozen=True)
class SoftTargets:
    """What a teacher gives for `samples`: probabilities, or values, (samples, K).

    `teacher` is what a run records of it.
    """

    teacher: dict[str, Any]
    samples: NDArray[np.int64]
    shares: NDArray[np.float64]

    def taught(self, data: Dataset, head: Head) -> Dataset:
        """The data with labels (samples, K) that are the mean of theirs and the teacher's."""
        is_one = head.kind == "classes"
        labels = np.eye(head.count)[data.labels] if is_one else data.labels.astype(np.float64)
        labels[self.samples] = TRUTH * labels[self.samples] + (1 - TRUTH) * self.shares
        return replace(data, labels=labels.astype(np.float32))
