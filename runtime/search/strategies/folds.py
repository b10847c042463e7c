"""Finalists, compared on samples that none of them learned, and an ensemble of them.

Finalists are the candidates that stand best in the search before, and perceptrons, which nothing
has chosen. The best of hundreds of candidates is flattered by the validation samples that it was
chosen by, so it has to be decided above the best perceptron to be what was found.

Training and validation samples are divided into folds. Every finalist is trained once for each, on
all but what that holds out, so that it has an output for every sample that it did not learn. By
these it is scored, which is less noisy than one validation split, and by these an ensemble is
chosen. All of its trainings are members of populations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ....compiler.network.choices import Choices, fill
from ....compiler.targets.numpy.network import logits_of
from ...data.files import Arrays
from ...data.folds import Fold, chosen_folds
from ...data.split import VALIDATION
from ...genotypes.greedy import bagged
from ...metrics import on_validation
from ...predict.comparison import difference, scored_by_head
from ...runs.checkpoint import State
from ...runs.names import TOGETHER
from ...runs.saved import Saved
from ...training.fitting import scored
from ...training.objective import shares_of
from ...training.scores import selection_score
from ...tuning import Own
from ..candidates.saved import saved_trial
from ..candidates.standing import standings
from ..candidates.starts import STARTS, perceptrons
from ..candidates.trainer import Trainer
from ..candidates.trial import Trial
from ..chain import Stage
from ..strategy import (
    ENSEMBLE,
    GENOTYPE,
    LAST,
    PERCEPTRON,
    RESAMPLES,
    SEARCHED,
    Chosen,
    HeldOut,
    Problem,
    Round,
)

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

    @property
    def is_perceptron(self) -> bool:
        """Whether nothing chose it."""
        return bool(self.choices.roles)


@dataclass(frozen=True)
class Held:
    """What finalists give for samples that they did not learn, those that are trained.

    `outputs` are logits by the place of the finalist, (samples, K), and `shares` what is averaged.
    `samples` are the places in the data that finalists are compared by, `labels` theirs.
    """

    outputs: Mapping[int, Tensor]
    shares: Mapping[int, NDArray[np.float64]]
    samples: NDArray[np.int64]
    labels: NDArray[Any]


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
        self.found: int | None = None
        self.ensemble: dict[int, float] = {}

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
        held = self._held()
        told, score = self._told(index, held)
        is_last = index + 1 == self.rounds
        if is_last:
            self._choose(held)
        if not is_last or self.found is None:
            return Round(None, score, values={**values, **self._named(finalist), **told})
        best = self.finalists[self.found]
        of_best, score = self._told(self.found, held)
        last: dict[str, object] = {LAST: {**self._named(finalist), **told}}
        searched = self._searched(held)
        if best.is_perceptron and searched is not None:
            last["searched"] = self._kept(searched, held)
        if self.ensemble:
            last[TOGETHER] = self._told_of_ensemble(held)
        closing = {**values, **self._named(best), **last, **of_best, "best": best.number}
        return Round(best.choices, score, values=closing, own=best.own)

    def _named(self, finalist: Finalist) -> dict[str, object]:
        """What a record calls a finalist."""
        kind = {"kind": PERCEPTRON} if finalist.is_perceptron else {}
        return {"candidate": finalist.number, **kind}

    def _kept(self, place: int, held: Held) -> dict[str, object]:
        """All of a finalist that is not what was found: its genotype, and how to train it."""
        finalist = self.finalists[place]
        told, _ = self._told(place, held)
        text = str(fill(self.problem.network, finalist.choices))
        kept = {"settings": dict(finalist.own), "genotype": text}
        return {**self._named(finalist), **told, **kept}

    def _decide(self) -> None:
        """Plans how many finalists there is time for, where that is limited."""
        allowance = self.problem.allowance
        if allowance.is_limited:
            compared = takewhile(lambda one: all(t.scored for t in one.trials), self.finalists)
            done = replace(allowance.plan, finalists=len([*compared]))
            allowance.decide(done, len(done.rungs))

    def _held(self) -> Held:
        """What is known of the finalists so far."""
        every = [self._outputs(finalist) for finalist in self.finalists]
        outputs = {place: given for place, given in enumerate(every) if given is not None}
        shares = {place: shares_of(self.head, given) for place, given in outputs.items()}
        judged = self._judged()
        samples = self.known[judged]
        return Held(
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

    def _told(self, place: int, held: Held) -> tuple[dict[str, object], float]:
        """What a record says of a finalist, and its score."""
        if place not in held.outputs:
            failed = next(trial for trial in self.finalists[place].trials if trial.diverged)
            return {"failure": failed.failure}, -np.inf
        metrics = self._metrics(held.outputs[place], held)
        told = {on_validation(name): value for name, value in metrics.items()}
        return {**told, "samples": len(held.samples)}, selection_score(self.head, metrics)

    def _metrics(self, outputs: Tensor, held: Held) -> dict[str, float]:
        return scored(outputs, torch.from_numpy(held.labels), self.objective)

    def _best(self, held: Held) -> int | None:
        """The place of the candidate that stands best where it is decided above perceptrons.

        Else that of the best perceptron; None where nothing is known. Where no metric tells them
        apart, it is that of what stands best of all.
        """
        searched, perceptron = self._searched(held), self._perceptron(held)
        if searched is None or perceptron is None:
            return perceptron if searched is None else searched
        first, second = (
            scored_by_head(self.head, held.shares[place][None], held.labels)
            for place in (searched, perceptron)
        )
        if not np.isfinite([first.metrics, second.metrics]).all():  # a value that never varies
            return self._first([searched, perceptron], held)
        every, seed = self.problem.data.groups, self.problem.settings.seed
        groups = None if every is None else every[held.samples]
        ahead = difference(first, second, groups, resamples=RESAMPLES, seed=seed)
        return searched if ahead.low > 0 else perceptron

    def _searched(self, held: Held) -> int | None:
        """The place of the candidate that stands best."""
        return self._first([p for p in held.outputs if not self.finalists[p].is_perceptron], held)

    def _perceptron(self, held: Held) -> int | None:
        """The place of the perceptron that stands best."""
        return self._first([p for p in held.outputs if self.finalists[p].is_perceptron], held)

    def _first(self, places: Sequence[int], held: Held) -> int | None:
        """The place, of some, that stands best by its score and its loss."""
        known = {place: self._metrics(held.outputs[place], held) for place in places}
        if not known:
            return None
        scores = [[selection_score(self.head, metrics)] for metrics in known.values()]
        losses = [[metrics["loss"]] for metrics in known.values()]
        stand = standings(scores, losses, self.head)
        return [*known][int(np.argmax(stand))]

    # What is found

    def _choose(self, held: Held) -> None:
        """The genotype and the ensemble, by what finalists give for samples not learned."""
        self.found = self._best(held)
        if not self.problem.settings.ensemble or not held.shares:
            return
        cost = partial(self.objective.cost_of_shares, labels=held.labels)
        members, seed = [*held.shares.values()], self.problem.settings.seed
        weights = bagged(members, cost, PICKS, seed)
        places = [*held.shares]
        self.ensemble = {places[place]: weight for place, weight in weights.items()}

    def _mean(self, held: Held) -> NDArray[np.float64]:
        """What the ensemble gives, each member for samples that it did not learn."""
        weighted = [weight * held.shares[place] for place, weight in self.ensemble.items()]
        mean: NDArray[np.float64] = np.sum(weighted, 0)
        return mean

    def _told_of_ensemble(self, held: Held) -> dict[str, float]:
        """The metrics of the ensemble."""
        mean = self._mean(held)
        logits = logits_of(mean, self.head)
        metrics = self._metrics(torch.from_numpy(logits).float(), held)
        return {on_validation(name): value for name, value in metrics.items()}

    def members(self) -> list[Chosen]:
        """The members of the ensemble with their weights, the heaviest first."""
        ordered = sorted(self.ensemble.items(), key=lambda one: (-one[1], one[0]))
        members = [(self.finalists[place], weight) for place, weight in ordered]
        return [Chosen(one.choices, weight, one.own) for one, weight in members]

    def held_out(self) -> HeldOut:
        """What was found, and what it was compared with, give for samples not learned."""
        held = self._held()
        searched, perceptron = self._searched(held), self._perceptron(held)
        places = {GENOTYPE: self.found}
        if perceptron is not None:
            is_found = self.found == perceptron
            places |= {SEARCHED: searched} if is_found else {PERCEPTRON: perceptron}
        found = {name: held.shares[one] for name, one in places.items() if one is not None}
        if self.ensemble:
            found[ENSEMBLE] = self._mean(held)
        own = () if searched is None else self.finalists[searched].own
        return HeldOut(held.samples, found, own)

    def arrays(self) -> Arrays:
        """The weights of what was found, in its first fold."""
        first = self.finalists[self.found or 0].trials[0]
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
            self._choose(self._held())

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
    """The folds that finalists are compared by; none where validation has compared them already.

    Raises DiagnosticError where the samples cannot be divided.
    """
    folds = chosen_folds(problem.data, problem.network.head, problem.settings)
    return folds if len(folds) > 1 or problem.settings.ensemble else []


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
