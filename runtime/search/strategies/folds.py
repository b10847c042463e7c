"""Finalists, compared on samples that none of them learned, and an ensemble of them.

Finalists are the candidates that stand best in the search before, and perceptrons, which nothing
has chosen. Training and validation samples are divided into folds. Every finalist is trained once
for each, on all but what that holds out, so that it has an output for every sample that it did not
learn. By these it is scored, which is less noisy than one validation split, and by these an
ensemble is chosen (`candidates/comparison.py`). All of its trainings are members of populations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ....compiler.network.choices import Choices
from ...data.files import Arrays
from ...data.folds import Fold, chosen_folds
from ...data.split import VALIDATION
from ...runs.checkpoint import State
from ...runs.names import TOGETHER
from ...runs.saved import Saved
from ...training.objective import shares_of
from ...tuning import Own
from ..candidates.comparison import Comparison, Finalist
from ..candidates.saved import saved_trial
from ..candidates.starts import STARTS, perceptrons
from ..candidates.trainer import Trainer
from ..candidates.trial import Trial
from ..chain import Stage
from ..strategy import LAST, Chosen, HeldOut, Problem, Round


class Folds:
    """Trains finalists on every fold; a round is a finalist."""

    def __init__(self, problem: Problem, before: list[Trial]) -> None:
        """The finalists are the first of the trials `before`, but those that diverged there."""
        self.problem, self.head = problem, problem.network.head
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
        self.trainer = Trainer(self.problem)
        self.known = np.sort(np.concatenate([fold.held for fold in problem.folds]))
        labels = torch.from_numpy(problem.data.labels[self.known])
        self.objective = self.problem.objective(labels)
        self.decided: Comparison | None = None
        """The comparison of all finalists, once they are trained."""

    @property
    def rounds(self) -> int:
        allowance, every = self.problem.allowance, len(self.finalists)
        return min(every, allowance.plan.finalists) if allowance.is_limited else every

    def round(self, index: int) -> Round:
        """Trains a finalist; the last one lets the best of all be what was found."""
        finalist = self.finalists[index]
        beside = [t for one in self.finalists[index : self.rounds] for t in one.trials]
        epochs = self.problem.settings.trial_epochs
        for trial in finalist.trials:
            self.trainer.train(trial, epochs, [t for t in beside if t is not trial])
        for trial in finalist.trials[1:]:
            trial.training = None
        self._decide()
        values = {"epochs": epochs, "folds": len(finalist.trials)}
        comparison = self._comparison()
        told, score = comparison.told(index)
        found = None
        if index + 1 == self.rounds:
            self.decided, found = comparison, comparison.best
        if found is None:
            return Round(None, score, values={**values, **finalist.named, **told})
        best = self.finalists[found]
        of_best, score = comparison.told(found)
        last: dict[str, object] = {LAST: {**finalist.named, **told}}
        if best.is_perceptron and comparison.searched is not None:
            last["searched"] = comparison.kept(comparison.searched)
        if comparison.weights:
            last[TOGETHER] = comparison.told_of_ensemble()
        closing = {**values, **best.named, **last, **of_best, "best": best.number}
        return Round(best.choices, score, values=closing, own=best.own)

    def _decide(self) -> None:
        """Plans how many finalists there is time for, where that is limited."""
        allowance = self.problem.allowance
        if allowance.is_limited:
            compared = takewhile(lambda one: all(t.scored for t in one.trials), self.finalists)
            done = replace(allowance.plan, finalists=len([*compared]))
            allowance.decide(done, len(done.rungs))

    def _comparison(self) -> Comparison:
        """Of what is known of the finalists so far."""
        every = [self._outputs(finalist) for finalist in self.finalists]
        outputs = {place: given for place, given in enumerate(every) if given is not None}
        shares = {place: shares_of(self.head, given) for place, given in outputs.items()}
        judged = self._judged()
        samples = self.known[judged]
        return Comparison(
            self.problem,
            self.objective,
            self.finalists,
            {place: given[judged] for place, given in outputs.items()},
            {place: given[judged] for place, given in shares.items()},
            samples,
            self.problem.data.labels[samples],
        )

    def _outputs(self, finalist: Finalist) -> Tensor | None:
        """What it gives for every known sample while that is held out, (samples, K)."""
        every = torch.zeros(len(self.problem.data.labels), self.head.count)
        for trial, fold in zip(finalist.trials, self.problem.folds, strict=True):
            if trial.diverged or trial.outputs is None:
                return None
            every[torch.from_numpy(fold.held)] = trial.outputs
        return every[self.known]

    def _judged(self) -> NDArray[np.int64]:
        """The places among the known samples that finalists are compared by.

        All of them; but validation alone where backbones have seen the training samples: what does
        well on those may do so on no others.
        """
        data = self.problem.data
        return (
            np.flatnonzero(data.split[self.known] == VALIDATION)
            if data.seen
            else np.arange(len(self.known))
        )

    def members(self) -> list[Chosen]:
        """The members of the ensemble with their weights, the heaviest first."""
        weights = self.decided.weights if self.decided else {}
        ordered = sorted(weights.items(), key=lambda one: (-one[1], one[0]))
        members = [(self.finalists[place], weight) for place, weight in ordered]
        return [Chosen(one.choices, weight, one.own) for one, weight in members]

    def held_out(self) -> HeldOut:
        """What was found, and what it was compared with, give for samples not learned."""
        return (self.decided or self._comparison()).held_out()

    def arrays(self) -> Arrays:
        """The weights of what was found, in its first fold."""
        found = self.decided.best if self.decided else None
        first = self.finalists[found or 0].trials[0]
        return {} if first.training is None else first.arrays()

    def state(self) -> State:
        self.trainer.close()
        return {"trials": [[t.state() for t in one.trials] for one in self.finalists]}

    def restore(self, saved: Saved, done: int) -> None:
        count = len(self.finalists)
        rows = saved.at("trials").items(least=count, most=count)
        pairs = enumerate(zip(rows, self.finalists, strict=True))
        self.finalists = [
            replace(one, trials=self._restored_trials(row, one, place < done))
            for place, (row, one) in pairs
        ]
        self.trainer.forget()
        if all(trial.scored for one in self.finalists[: self.rounds] for trial in one.trials):
            self.decided = self._comparison()

    def _restored_trials(
        self, saved: Saved, finalist: Finalist, is_done: bool
    ) -> tuple[Trial, ...]:
        count = len(finalist.trials)
        pairs = zip(saved.items(least=count, most=count), finalist.trials, strict=True)
        return tuple(self._restored(one, begun, is_done) for one, begun in pairs)

    def _restored(self, saved: Saved, begun: Trial, is_done: bool) -> Trial:
        stops = [self.problem.settings.trial_epochs]
        trial = saved_trial(saved, self.trainer, stops, may_be_left=True)
        if not trial.continues(begun):
            raise saved.wrong("the training of a finalist in its fold")
        if is_done and not trial.scored:
            raise saved.at("scored").wrong("all of its epochs")
        needed = trial.scored and not trial.fold and not trial.diverged
        if needed and trial.training is None:
            raise saved.at("training").wrong("where its training is")
        return trial


def needed_folds(problem: Problem) -> list[Fold]:
    """The folds that finalists are compared by; none where validation has compared all already.

    Raises DiagnosticError where the samples cannot be divided.
    """
    folds = chosen_folds(problem.data, problem.network.head, problem.settings)
    is_needed = len(folds) > 1 or problem.settings.ensemble or compared(problem)
    return folds if is_needed else []


def select(problem: Problem) -> list[Stage]:
    """Folds of the candidates that stand best in the search before; none where there is no need.

    Raises DiagnosticError where the samples cannot be divided, before anything is trained.
    """
    folds = needed_folds(problem)
    if not folds:
        return []
    within = replace(problem, folds=folds)
    return [lambda before: Folds(within, with_perceptrons(problem, before.trials))]


def with_perceptrons(problem: Problem, trials: Sequence[Trial]) -> list[Trial]:
    """The candidates that were scored, and perceptrons after the first of them."""
    scored = [trial for trial in trials if trial.scored]
    number = max(trial.number for trial in trials)
    pairs = enumerate(compared(problem), number + 1)
    started = [Trial(n, choices, own=own) for n, (choices, own) in pairs]
    return [*scored[:1], *started, *scored[1:]]


def compared(problem: Problem) -> list[tuple[Choices, Own]]:
    """The perceptrons that are compared: one finalist in so many may be a strong start."""
    return perceptrons(problem)[: problem.settings.finalists // STARTS]
