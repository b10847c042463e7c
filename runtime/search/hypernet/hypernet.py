"""A hypernet in a search: its weights and mixtures, how they step, and how well it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ....compiler.measure.sizes import count_macs
from ...data.batches import Batch
from ...data.dataset import TRAIN, VALIDATION
from ...data.files import Arrays
from ...runs.checkpoint import State
from ...training.epoch import Epoch, Pass
from ...training.fitting import training_batches
from ...training.optimisers import WeightOptimiser
from ...training.prepare import prepare
from ..meter import STEP
from ..strategy import Problem
from .mixtures import Architecture, Weights


class Hypernet:
    """A hypernet over the weights of its mixtures, with batches to train and to validate it."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        network, settings, device = problem.network, problem.settings, problem.device
        self.module, data = prepare(
            network, problem.data, settings, device, problem.relax, given_weights=True
        )
        self.macs = count_macs(self.module.program)
        self.architecture = Architecture(self.module)
        self.train = training_batches(data, (TRAIN,), settings, device)
        self.validation = training_batches(data, (VALIDATION,), settings, device)
        self.weights = WeightOptimiser(self.module, settings, len(self.train))
        self.epoch = Epoch(problem.generator, problem.interrupt)

    def weight_pass(self, mixing: Callable[[], Weights]) -> Pass:
        """Steps of the network's weights over the training batches, under mixtures for each."""

        def step(batch: Batch) -> Tensor:
            with torch.no_grad():
                weights = mixing()
            loss = self.weights.loss(self.problem.network.head, batch, weights)
            self.weights.step(loss)
            self.count(batch, STEP)
            return loss

        return Pass(self.weights, step, [self.train])

    def count(self, batch: Batch, passes: int) -> None:
        """Adds so many forward passes of a batch to the cost."""
        self.problem.meter.count(self.macs, batch.samples, passes)

    def score(self, weights: Weights) -> tuple[float, dict[str, float]]:
        """The metric that selects, and all metrics, on validation in evaluation mode."""
        return self.problem.score(self.module, self.validation, self.macs, weights)

    def tensors(self, weights: dict[str, Any]) -> Weights:
        """Weights as tensors on the device, those that the hypernet reads."""
        return {
            name: torch.from_numpy(weights[name]).to(self.problem.device)
            for name in self.architecture.logits
        }

    def arrays(self) -> Arrays:
        """All parameters and statistics, by name."""
        return self.module.arrays()

    def state(self) -> State:
        """What `restore` goes on from."""
        return {
            "module": dict(self.module.state_dict()),
            "weights": self.weights.state(),
            "epoch": self.epoch.state(),
        }

    def restore(self, state: State) -> None:
        """Goes on from another hypernet's state."""
        self.module.load_state_dict(state["module"])
        self.weights.restore(state["weights"])
        self.epoch.restore(state["epoch"])
