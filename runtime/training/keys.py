"""Keys of random draws: numbers that depend on a seed, a network, a step, and on nothing else.

What is drawn does not depend on what was drawn before, so that a training that goes on needs no
generator's state, and one beside others draws what it draws alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ...ops.primitives.draws import mixed

WEIGHTS, ARCHITECTURE = 0, 1
"""Whose steps keys are of: those of weights, or of architecture parameters."""


def seed_of(*numbers: int) -> int:
    """A seed of 63 bits that depends on every number."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)


class Keys:
    """A key for each of several networks, new ones for every step.

    A draw is a function of the key, of the place in the network (`compiler/program/draws.py`), and
    of the sample in the batch (`ops/primitives/draws.py`).
    """

    def __init__(self, seeds: Sequence[int], device: torch.device) -> None:
        self._seeds = torch.tensor(list(seeds), device=device)
        self.steps = 0

    def of_step(self) -> Tensor:
        """The keys of the step that `steps` counts to, (networks,)."""
        keys: Tensor = mixed(self._seeds + self.steps)
        return keys
