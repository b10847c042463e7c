"""Finalists, compared on samples that none of them learned, and an ensemble of them.

Training and validation samples are divided into folds. Every finalist is trained once for each, on
all but what that holds out, so that it has an output for every sample that it did not learn. By
these it is scored, which is less noisy than one validation split, and by these an ensemble is
chosen. All of its trainings are members of populations.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ....compiler.network.choices import Choices
from ...data.files import Arrays
from ...data.folds import folds_of, worthwhile
from ...genotypes.greedy import greedy
from ...metrics import on_validation
from ...runs.checkpoint import State
from ...training.fitting import scored
from ...training.objective import Objective, selection_score, shares_of
from ...tuning import Own
from ..candidates.standing import standings
from ..candidates.trial import Trainer, Trial
from ..chain import Stage
from ..strategy import LAST, Chosen, Problem, Round

PICKS = 25
"""How often a member is added to an ensemble at most."""


@dataclass(frozen=True)
class Finalist:
    """A candidate, its number in the search before, and its training in each fold."""

    number: int
    choices: Choices
    trials: tuple[Trial, ...]

    @property
    def own(self) -> Own:
        """The settings that it is trained with."""
        return self.trials[0].own


class Folds:
    """Trains finalists on every fold; a round is a finalist."""

    def __init__(self, problem: Problem, before: list[Trial]) -> None:
        """The finalists are the first of the trials `before`, the best ones first."""
        self.problem = problem
        standing = [trial for trial in before if not trial.diverged] or before[:1]
        count = len(problem.folds)
        self.finalists = [
            Finalist(
                trial.number,
                trial.choices,
                tuple(
                    Trial(place * count + f, trial.choices, fold=f, own=trial.own)
                    for f in range(count)
                ),
            )
            for place, trial in enumerate(standing[: problem.settings.finalists])
        ]
        self.rounds = len(self.finalists)
        self.trainer = Trainer(self.problem)
        labels = torch.from_numpy(problem.data.labels)
        self.objective = Objective.of(problem.network.head, labels[self._known])
        self.ensemble: dict[int, float] = {}

    @property
    def _known(self) -> Tensor:
        """The samples that are divided, in the order of the data."""
        return torch.from_numpy(np.sort(np.concatenate([f.held for f in self.problem.folds])))

    def round(self, index: int) -> Round:
        """Trains a finalist; the last one lets the best of all be what was found."""
        finalist = self.finalists[index]
        beside = [t for one in self.finalists[index:] for t in one.trials]
        epochs = self.problem.settings.trial_epochs
        for trial in finalist.trials:
            self.trainer.train(trial, epochs, [t for t in beside if t is not trial])
        for trial in finalist.trials[1:]:
            trial.training = None
        values = {"candidate": finalist.number, "epochs": epochs, "folds": len(finalist.trials)}
        told, score = self._told(finalist)
        if index + 1 < self.rounds:
            return Round(None, score, values={**values, **told})
        place = self._best()
        if place is None:
            return Round(None, score, values={**values, **told})
        if self.problem.settings.ensemble:
            self._choose()
        best = self.finalists[place]
        of_best, score = self._told(best)
        last = {LAST: {"candidate": finalist.number, **told}}
        closing = {**values, **last, **of_best, "candidate": best.number, "best": best.number}
        return Round(best.choices, score, values=closing, own=best.own)

    def outputs(self, finalist: Finalist) -> Tensor | None:
        """What it gives for every known sample while that is held out, (samples, K)."""
        every = torch.zeros(len(self.problem.data.labels), self.problem.network.head.count)
        for trial, fold in zip(finalist.trials, self.problem.folds, strict=True):
            if trial.diverged or trial.outputs is None:
                return None
            every[torch.from_numpy(fold.held)] = trial.outputs
        return every[self._known]

    def _told(self, finalist: Finalist) -> tuple[dict[str, object], float]:
        """What a record says of a finalist, and its score."""
        outputs = self.outputs(finalist)
        if outputs is None:
            failed = next(trial for trial in finalist.trials if trial.diverged)
            return {"failure": failed.failure}, -np.inf
        metrics = self._metrics(outputs)
        score = selection_score(self.problem.network.head, metrics)
        return {on_validation(name): value for name, value in metrics.items()}, score

    def _metrics(self, outputs: Tensor) -> dict[str, float]:
        labels = torch.from_numpy(self.problem.data.labels)[self._known]
        return scored(outputs, labels, self.objective)

    def _best(self) -> int | None:
        """The place of the finalist that stands best by its score and its loss."""
        found = {place: self.outputs(one) for place, one in enumerate(self.finalists)}
        known = {place: self._metrics(o) for place, o in found.items() if o is not None}
        if not known:
            return None
        head = self.problem.network.head
        scores = [[selection_score(head, metrics)] for metrics in known.values()]
        stand = standings(scores, [[metrics["loss"]] for metrics in known.values()])
        return [*known][int(np.argmax(stand))]

    def _choose(self) -> None:
        """The ensemble of the finalists, chosen by what each gives for samples it did not learn."""
        head = self.problem.network.head
        outputs = {place: self.outputs(one) for place, one in enumerate(self.finalists)}
        places = [place for place, o in outputs.items() if o is not None]
        members = [shares_of(head, o) for o in outputs.values() if o is not None]
        labels = self.problem.data.labels[self._known.numpy()]
        if not members:
            return
        weights = greedy(members, partial(self.objective.loss_of_shares, labels=labels), PICKS)
        self.ensemble = {places[place]: weight for place, weight in weights.items()}

    def members(self) -> list[Chosen]:
        """The members of the ensemble with their weights, the heaviest first."""
        ordered = sorted(self.ensemble.items(), key=lambda one: (-one[1], one[0]))
        members = [(self.finalists[place], weight) for place, weight in ordered]
        return [Chosen(one.choices, weight, one.own) for one, weight in members]

    def arrays(self) -> Arrays:
        """The weights of the best finalist in its first fold."""
        first = self.finalists[self._best() or 0].trials[0]
        return {} if first.training is None else first.arrays()

    def state(self) -> State:
        self.trainer.close()
        return {"trials": [[t.state() for t in one.trials] for one in self.finalists]}

    def restore(self, state: State) -> None:
        for place, trials in enumerate(state["trials"]):
            restored = tuple(Trial.restored(trial) for trial in trials)
            self.finalists[place] = replace(self.finalists[place], trials=restored)
        self.trainer.forget()
        done = all(trial.scored for one in self.finalists for trial in one.trials)
        if done and self.problem.settings.ensemble:
            self._choose()


def select(problem: Problem) -> list[Stage]:
    """Folds of the candidates that stand best in the search before; none where there is no need.

    Raises DiagnosticError where the samples cannot be divided, before anything is trained.
    """
    settings = problem.settings
    count = settings.folds or worthwhile(problem.data)
    if count == 1 and not settings.ensemble:
        return []
    within = replace(
        problem, folds=folds_of(problem.data, problem.network.head, count, settings.seed)
    )
    return [lambda before: Folds(within, before.trials)]
