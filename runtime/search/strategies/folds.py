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
from numpy.typing import NDArray
from torch import Tensor

from ....compiler.network.choices import Choices
from ....compiler.targets.numpy.network import logits_of
from ...data.dataset import VALIDATION
from ...data.files import Arrays
from ...data.folds import folds_of, worthwhile
from ...genotypes.greedy import bagged
from ...metrics import on_validation
from ...runs.checkpoint import State
from ...runs.names import TOGETHER
from ...training.fitting import scored
from ...training.objective import Objective, selection_score, shares_of
from ...tuning import Own
from ..candidates.standing import standings
from ..candidates.trial import Trainer, Trial
from ..chain import Stage
from ..strategy import ENSEMBLE, GENOTYPE, LAST, Chosen, HeldOut, Problem, Round

PICKS = 25
"""How often a member is added to an ensemble at most."""
LEAST_JUDGED = 50
"""Validation samples that can be compared by alone."""
ERRORS = 3.0
"""By how many standard errors held-out training samples are predicted better, if not by chance."""


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
        last: dict[str, object] = {LAST: {"candidate": finalist.number, **told}}
        if self.ensemble:
            last[TOGETHER] = self._told_of_ensemble()
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

    def judged(self) -> NDArray[np.int64]:
        """The places among the known samples that finalists are compared by.

        All of them; but validation alone, where training samples are predicted better while they
        are held out: then their features know their labels, as those of a backbone do that was
        trained on them, and what does well on them may do so on no others.
        """
        known = self._known.numpy()
        of_validation = self.problem.data.split[known] == VALIDATION
        shares = [
            shares_of(self.problem.network.head, outputs)
            for outputs in map(self.outputs, self.finalists)
            if outputs is not None
        ]
        places = np.arange(len(known))
        if not shares or of_validation.sum() < LEAST_JUDGED or of_validation.all():
            return places
        labels = self.problem.data.labels[known]
        losses = np.mean([self.objective.losses_of_shares(s, labels) for s in shares], 0)
        parts = losses[of_validation], losses[~of_validation]
        error = np.sqrt(sum(part.var() / len(part) for part in parts))
        gap = parts[0].mean() - parts[1].mean()
        return places[of_validation] if gap > ERRORS * error else places

    def _told(self, finalist: Finalist) -> tuple[dict[str, object], float]:
        """What a record says of a finalist, and its score."""
        outputs = self.outputs(finalist)
        if outputs is None:
            failed = next(trial for trial in finalist.trials if trial.diverged)
            return {"failure": failed.failure}, -np.inf
        judged = self.judged()
        metrics = self._metrics(outputs, judged)
        score = selection_score(self.problem.network.head, metrics)
        told = {on_validation(name): value for name, value in metrics.items()}
        return {**told, "samples": len(judged)}, score

    def _metrics(self, outputs: Tensor, judged: NDArray[np.int64]) -> dict[str, float]:
        labels = torch.from_numpy(self.problem.data.labels)[self._known]
        return scored(outputs[judged], labels[judged], self.objective)

    def _best(self) -> int | None:
        """The place of the finalist that stands best by its score and its loss."""
        found = {place: self.outputs(one) for place, one in enumerate(self.finalists)}
        judged, head = self.judged(), self.problem.network.head
        known = {p: self._metrics(o, judged) for p, o in found.items() if o is not None}
        if not known:
            return None
        scores = [[selection_score(head, metrics)] for metrics in known.values()]
        stand = standings(scores, [[metrics["loss"]] for metrics in known.values()])
        return [*known][int(np.argmax(stand))]

    def _choose(self) -> None:
        """The ensemble of the finalists, chosen by what each gives for samples it did not learn."""
        head, judged = self.problem.network.head, self.judged()
        outputs = {place: self.outputs(one) for place, one in enumerate(self.finalists)}
        places = [place for place, o in outputs.items() if o is not None]
        members = [shares_of(head, o)[judged] for o in outputs.values() if o is not None]
        labels = self.problem.data.labels[self._known.numpy()][judged]
        if not members:
            return
        loss, seed = (
            partial(self.objective.loss_of_shares, labels=labels),
            self.problem.settings.seed,
        )
        weights = bagged(members, loss, PICKS, seed)
        self.ensemble = {places[place]: weight for place, weight in weights.items()}

    def _told_of_ensemble(self) -> dict[str, float]:
        """The metrics of the mean of the members, each for samples that it did not learn."""
        head = self.problem.network.head
        mean = np.sum([w * self._shares(p) for p, w in self.ensemble.items()], 0)
        logits = mean if head.kind == "values" else logits_of(mean, head.kind)
        metrics = self._metrics(torch.from_numpy(logits).float(), self.judged())
        return {on_validation(name): value for name, value in metrics.items()}

    def members(self) -> list[Chosen]:
        """The members of the ensemble with their weights, the heaviest first."""
        ordered = sorted(self.ensemble.items(), key=lambda one: (-one[1], one[0]))
        members = [(self.finalists[place], weight) for place, weight in ordered]
        return [Chosen(one.choices, weight, one.own) for one, weight in members]

    def held_out(self) -> HeldOut:
        """What the best finalist, and the ensemble, give for samples that they did not learn."""
        judged, place = self.judged(), self._best()
        samples = self._known.numpy()[judged]
        if place is None:
            return HeldOut(samples, {})
        shares = {p: self._shares(p)[judged] for p in {place, *self.ensemble}}
        found = {GENOTYPE: shares[place]}
        if self.ensemble:
            found[ENSEMBLE] = np.sum([w * shares[p] for p, w in self.ensemble.items()], 0)
        return HeldOut(samples, found)

    def _shares(self, place: int) -> NDArray[np.float64]:
        outputs = self.outputs(self.finalists[place])
        assert outputs is not None
        return shares_of(self.problem.network.head, outputs)

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
