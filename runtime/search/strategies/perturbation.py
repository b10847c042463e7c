"""Selection by perturbation: a hole takes the candidate that the hypernet misses most.

One hole after the other: each candidate is taken out of its mixture, and the drop of the metric on
validation is what it counts. The hole is then fixed on its best candidate and the weights are
trained for a pass. After Wang et al., "Rethinking Architecture Selection in Differentiable NAS".
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...data.files import Arrays
from ...metrics import TRAIN_LOSS, VALIDATION_LOSS
from ...runs.checkpoint import State
from ...runs.saved import Saved
from ..chain import Stage
from ..hypernet.hypernet import Hypernet
from ..hypernet.mixtures import Weights
from ..strategy import Problem, Round
from ..streams import Stream, generator_of

LOSS_SHARE = 1e-6
"""What a difference in loss counts beside one in the metric: it breaks ties."""
CERTAIN = 1e3
"""The scale of drops as logits, so that deriving orders candidates by them."""


class Perturbation:
    """Fixes the holes of a trained hypernet, one in each round, in an order that is drawn."""

    def __init__(self, problem: Problem, hypernet: Hypernet) -> None:
        self.problem, self.hypernet = problem, hypernet
        names = list(hypernet.architecture.logits)
        generator = generator_of(problem.settings.seed, Stream.PERTURBATION)
        self._order = [names[i] for i in generator.permutation(len(names))]
        self.rounds = len(names)
        self._drops: dict[str, list[float]] = {}

    def round(self, index: int) -> Round:
        name = self._order[index]
        if name not in self._drops:
            self._drops[name] = self._measured(name)
        (loss,) = self.hypernet.epoch.run([self.hypernet.weight_pass(self._mixing)])
        with torch.no_grad():
            found, metrics = self.hypernet.score(self._mixing())
        values = {"hole": name, "drops": self._drops[name], TRAIN_LOSS: float(loss), **metrics}
        choices = self.problem.budgets.choose(self._logits())
        return Round(choices, found, (index,), values)

    @torch.no_grad()
    def _measured(self, name: str) -> list[float]:
        """How much worse the hypernet is without each of a hole's candidates."""
        weights = dict(self._mixing())
        whole = self._quality(weights)
        drops: list[float] = []
        for place in range(len(weights[name])):
            without = weights[name].clone()
            without[place] = 0
            if self.hypernet.architecture.logits[name].dim() == 1:
                without = without / without.sum().clamp_min(torch.finfo(without.dtype).tiny)
            drops.append(whole - self._quality({**weights, name: without}))
        return drops

    def _quality(self, weights: Weights) -> float:
        found, metrics = self.hypernet.score(weights)
        return found - LOSS_SHARE * metrics[VALIDATION_LOSS]

    def _mixing(self) -> Weights:
        """The mixtures with the holes fixed that have been measured."""
        weights = dict(self.hypernet.architecture.softmax())
        for name, drops in self._drops.items():
            if self.hypernet.architecture.logits[name].dim() == 1:
                fixed = torch.zeros_like(weights[name])
                fixed[int(np.argmax(drops))] = 1
                weights[name] = fixed
        return weights

    def _logits(self) -> dict[str, NDArray[Any]]:
        """Drops as architecture parameters; the parameters themselves where none are measured."""
        logits = self.hypernet.architecture.arrays()
        for name, drops in self._drops.items():
            row = CERTAIN * np.array(drops)
            logits[name] = row if logits[name].ndim == 1 else np.stack([np.zeros_like(row), row], 1)
        return logits

    def arrays(self) -> Arrays:
        return self.hypernet.arrays()

    def state(self) -> State:
        return {"hypernet": self.hypernet.state(), "drops": dict(self._drops)}

    def restore(self, saved: Saved, done: int) -> None:
        self.hypernet.restore(saved.at("hypernet"), passes=1)
        drops = saved.at("drops").named()
        if list(drops) not in (self._order[:done], self._order[: done + 1]):
            raise saved.at("drops").wrong(f"what {done} rounds measured")
        sizes = {name: len(self.hypernet.architecture.logits[name]) for name in drops}
        self._drops = {
            name: [one.number() for one in drops[name].items(least=size, most=size)]
            for name, size in sizes.items()
        }


def select(problem: Problem) -> list[Stage]:
    """Perturbation of the hypernet that was trained."""
    return [lambda trained: Perturbation(problem, trained.hypernet)]
