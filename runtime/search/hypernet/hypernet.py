"""A hypernet in a search: a learner whose mixtures are weighted."""

from __future__ import annotations

from typing import Any

import torch

from ...data.files import Arrays
from ...runs.checkpoint import State
from ...runs.saved import Saved
from ...training.prepare import prepare
from ...training.saved import read_epoch
from ..learner import Learner
from ..strategy import Problem
from .mixtures import ArchitectureParameters, Weights


class Hypernet(Learner):
    """A hypernet over the weights of its mixtures."""

    def __init__(self, problem: Problem) -> None:
        relax = problem.relax
        module, data = prepare(
            problem.network,
            problem.data,
            problem.settings,
            problem.device,
            relax,
            program=problem.unit if relax == "per_input" else None,
            given_weights=True,
        )
        super().__init__(problem, module, data)
        self.architecture = ArchitectureParameters(module)

    def tensors(self, weights: dict[str, Any]) -> Weights:
        """Weights as tensors on the device, those that the hypernet reads."""
        return {
            name: torch.from_numpy(weights[name]).to(self.problem.device)
            for name in self.architecture.logits
        }

    def arrays(self) -> Arrays:
        """All parameters and statistics, or their averages, by name."""
        with self.weights.averages.in_place():
            return self.module.arrays()

    def state(self) -> State:
        """What `restore` goes on from."""
        return {
            "module": dict(self.module.state_dict()),
            "weights": self.weights.state(),
            "epoch": self.epoch.state(),
        }

    def restore(self, saved: Saved, passes: int, done: int | None = None) -> None:
        """Goes on from another hypernet's state, in epochs of so many passes.

        So many epochs are `done`, where nothing else has trained it.
        """
        shapes = {name: tuple(one.shape) for name, one in self.module.state_dict().items()}
        tensors = saved.at("module").tensors(shapes)
        weights = self.weights.read(saved.at("weights"))
        epoch = read_epoch(saved.at("epoch"), passes)
        if done is not None and epoch["passes"] != passes * done + len(epoch["losses"]):
            raise saved.at("epoch").at("passes").wrong(f"the passes of {done} epochs")
        if weights["steps"] > (epoch["passes"] + 1) * len(self.train):
            raise saved.at("weights").at("steps").wrong("a number of steps within its passes")
        self.module.load_state_dict(tensors)
        self.weights.restore(weights)
        self.epoch.restore(epoch)
