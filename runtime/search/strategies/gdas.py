"""GDAS: in every step each hole holds one sampled candidate, with the gradient of all.

The temperature of the sample falls linearly from epoch to epoch (Dong and Yang, CVPR 2019).
"""

from __future__ import annotations

import torch

from ...runs.checkpoint import State
from ...runs.saved import Saved
from ..hypernet.mixtures import Weights
from ..strategy import Problem
from .darts import Darts

HOT, COLD = 10.0, 0.1
"""The temperature of the first epoch, and of the last."""


class Gdas(Darts):
    """Darts, with a sample in place of the softmax in training steps."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self._draws = torch.Generator().manual_seed(problem.settings.seed)

    def mixing(self) -> Weights:
        done = self.index / max(1, self.rounds - 1)
        return self.hypernet.architecture.gumbel(HOT + (COLD - HOT) * done, self._draws)

    def state(self) -> State:
        return {**super().state(), "draws": self._draws.get_state()}

    def restore(self, saved: Saved, done: int) -> None:
        super().restore(saved, done)
        self._draws.set_state(saved.at("draws").generator(self._draws.get_state()))


explore = Gdas
