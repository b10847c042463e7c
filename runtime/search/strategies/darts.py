"""Differentiable search: Algorithm 1, first order, or unrolled by one weight step.

Every epoch is a pass of weight steps over the training batches and one of architecture steps over
the validation batches. Then the hypernet is measured on validation in evaluation mode, and the
genotype derived that its architecture parameters stand for: equations (3) and (11). Under budgets
the architecture's objective has a penalty on what the mixtures cost beyond them.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ...data.batches import Batch
from ...data.files import Arrays
from ...metrics import TRAIN_LOSS
from ...runs.checkpoint import State
from ...runs.saved import Saved
from ...training.epoch import Pass
from ...training.optimisers import ArchitectureOptimiser
from ..hypernet.hypernet import Hypernet
from ..hypernet.mixtures import Weights, entropies
from ..hypernet.penalty import Penalty
from ..hypernet.unrolled import unrolled_step
from ..meter import STEP
from ..strategy import Problem, Round


class Darts:
    """Alternates steps of weights and of architecture parameters."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self.rounds = problem, problem.settings.epochs
        self.hypernet = Hypernet(problem)
        self.optimiser = ArchitectureOptimiser(self.hypernet.module, problem.settings)
        strength = problem.settings.budget_penalty
        self.penalty = Penalty(problem.budgets, strength, problem.device)
        self.index = 0

    def mixing(self) -> Weights:
        """The weights of the mixtures in a training step."""
        return self.hypernet.architecture.softmax()

    def round(self, index: int) -> Round:
        self.index = index
        hypernet = self.hypernet
        second = self.problem.settings.second_order
        weights = hypernet.weight_pass(self.mixing)
        architecture = Pass(
            self.optimiser,
            self._unrolled_step if second else self._architecture_step,
            [hypernet.validation, hypernet.train] if second else [hypernet.validation],
        )
        loss, _ = hypernet.epoch.run([weights, architecture])
        with torch.no_grad():
            found, metrics = hypernet.score(hypernet.architecture.softmax())
        logits = hypernet.architecture.arrays()
        values = {
            TRAIN_LOSS: float(loss),
            **metrics,
            "entropy": entropies(logits),
            "architecture": {name: array.tolist() for name, array in logits.items()},
        }
        return Round(self.problem.budgets.choose(logits), found, values=values)

    def _architecture_step(self, batch: Batch) -> Tensor:
        weights = self.mixing()
        loss = self.optimiser.loss(self.hypernet.objective, batch, weights)
        loss = loss + self.penalty(weights)
        self.optimiser.step(loss)
        self.hypernet.count(batch, STEP)
        return loss

    def _unrolled_step(self, batch: Batch, training: Batch) -> Tensor:
        loss = unrolled_step(
            self.hypernet, self.optimiser, self.mixing, self.penalty, batch, training
        )
        self.hypernet.count(batch, STEP)
        self.hypernet.count(training, 3 * STEP)
        return loss

    def arrays(self) -> Arrays:
        return self.hypernet.arrays()

    def state(self) -> State:
        return {"hypernet": self.hypernet.state(), "architecture": self.optimiser.state()}

    def restore(self, saved: Saved, done: int) -> None:
        is_left = done < self.rounds
        self.hypernet.restore(saved.at("hypernet"), passes=2, done=done if is_left else None)
        self.optimiser.restore(self.optimiser.read(saved.at("architecture")))


explore = Darts
