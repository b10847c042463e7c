"""A candidate trained by itself, on the training split alone, and scored on validation.

Its random numbers depend on the seed, its own number and the epoch, so that it does not matter
which candidates are trained before it, or where.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

from ....compiler.check.check import checked
from ....compiler.network.choices import Choices, choices_of, fill, listed
from ...data.files import Arrays
from ...parallel.processes import rank
from ...runs.checkpoint import CheckpointPart, State, identity_of
from ...training.fitting import start_from
from ...training.prepare import prepare
from ..learner import Learner
from ..strategy import Problem
from .prefix import first_cells


@dataclass(eq=False)
class Trial:
    """A candidate with the epochs that it has been trained for, and where its training is.

    `choices` fill the Cells of the space, or the first of them, where its network has no others.
    `scores` and `losses` are those on validation after each call of `Trainer.train`, `metrics` all
    of the last.
    """

    number: int
    choices: Choices
    epochs: int = 0
    scores: list[float] = field(default_factory=list[float])
    losses: list[float] = field(default_factory=list[float])
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])
    training: State | None = None

    @property
    def score(self) -> float:
        """The last score."""
        return self.scores[-1]

    def arrays(self) -> Arrays:
        """The weights where its training is."""
        assert self.training is not None
        return {n: t.numpy().copy() for n, t in self.training["module"].items()}

    def state(self) -> State:
        """What `restored` makes an equal trial of.

        Where its training is at rest, it stays as it is until the trial is trained again.
        """
        return {
            "number": self.number,
            "choices": listed(self.choices),
            "epochs": self.epochs,
            "scores": list(self.scores),
            "losses": list(self.losses),
            "metrics": dict(self.metrics),
            "training": self._resting() or self.training,
        }

    def _resting(self) -> CheckpointPart | None:
        """Where its training is, between epochs."""
        if self.training is None or any(
            self.training["epoch"][key] for key in ("orders", "losses")
        ):
            return None
        choices = identity_of(str(listed(self.choices)))[:16]
        return CheckpointPart(f"trial-{self.number}-{self.epochs}-{choices}", self.training)

    @classmethod
    def restored(cls, state: State) -> Trial:
        """The trial with this state."""
        known: State = {**state, "choices": choices_of(state["choices"])}
        return cls(**known)


class Trainer:
    """Trains trials of a problem; one at a time is in memory."""

    def __init__(self, problem: Problem, initial: Arrays | None = None) -> None:
        """Trials start from those of the `initial` weights that they have, by name."""
        self.problem, self.initial = problem, initial
        self._open: _Open | None = None

    def train(self, trial: Trial, epochs: int) -> None:
        """Trains a trial until it has been trained for so many epochs, and scores it.

        Raises Interrupted, after which it can be called again.
        """
        if self._open is None or self._open.trial is not trial:
            self.close()
            self._open = _Open(self.problem, trial, self.initial)
        self._open.train_until(epochs)

    def arrays(self) -> Arrays:
        """The weights of the trial that was trained last."""
        return {} if self._open is None else self._open.module.arrays()

    def close(self) -> None:
        """Keeps where the training is in the trial."""
        if self._open is not None:
            self._open.trial.training = self._open.state()

    def forget(self) -> None:
        """Goes on with what is kept in the trials."""
        self._open = None


class _Open(Learner):
    """A trial with its network in memory."""

    def __init__(self, problem: Problem, trial: Trial, initial: Arrays | None) -> None:
        space = first_cells(problem.network, len(trial.choices))
        network = checked(fill(space, trial.choices)) if space.has_holes else space
        module, data = prepare(network, problem.data, problem.settings, problem.device)
        seed = _seed(problem.settings.seed, trial.number, 0)
        self.trial, self.generator = trial, torch.Generator().manual_seed(seed)
        super().__init__(problem, module, data, self.generator)
        if trial.training is not None:
            self.restore(trial.training)
        elif initial is not None:
            start_from(module, initial)

    def train_until(self, epochs: int) -> None:
        trial = self.trial
        while trial.epochs < epochs:
            if not self.epoch.begun:
                torch.manual_seed(
                    _seed(self.problem.settings.seed, trial.number, trial.epochs, rank())
                )
            self.epoch.run([self.weight_pass()])
            trial.epochs += 1
        score, trial.metrics = self.score()
        trial.scores.append(score)
        trial.losses.append(trial.metrics["validation_loss"])

    def state(self) -> State:
        return {
            "module": {n: t.detach().cpu().clone() for n, t in self.module.state_dict().items()},
            "optimiser": self.weights.state(),
            "epoch": self.epoch.state(),
            "generator": self.generator.get_state(),
        }

    def restore(self, state: State) -> None:
        self.module.load_state_dict(state["module"])
        self.weights.restore(state["optimiser"])
        self.epoch.restore(state["epoch"])
        self.generator.set_state(state["generator"])


def _seed(*numbers: int) -> int:
    """A seed of 63 bits that depends on every number."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)
