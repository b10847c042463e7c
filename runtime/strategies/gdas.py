"""GDAS: in every step each hole holds one sampled candidate, with the gradient of all.

The temperature of the sample falls linearly from epoch to epoch (Dong and Yang, CVPR 2019).
"""

from __future__ import annotations

from .darts import Darts
from .mixtures import Weights

HOT, COLD = 10.0, 0.1
"""The temperature of the first epoch, and of the last."""


class Gdas(Darts):
    """Darts, with a sample in place of the softmax in training steps."""

    def mixing(self) -> Weights:
        done = self.index / max(1, self.rounds - 1)
        return self.hypernet.architecture.gumbel(HOT + (COLD - HOT) * done)
