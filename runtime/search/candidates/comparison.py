"""What finalists give for samples that they did not learn decides what is found.

The best of hundreds of candidates is flattered by the validation samples that it was chosen by, and
a perceptron, which nothing has chosen, is not. So the candidate that stands best has to be decided
above the best perceptron to be what was found. An ensemble takes of both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ....compiler.network.choices import Choices, fill
from ....compiler.targets.numpy.network import logits_of
from ...genotypes.greedy import bagged
from ...metrics import on_validation
from ...predict.comparison import difference, scored_by_head
from ...training.fitting import scored
from ...training.objective import Objective
from ...training.scores import selection_score
from ...tuning import Own
from ..strategy import ENSEMBLE, GENOTYPE, PERCEPTRON, RESAMPLES, SEARCHED, HeldOut, Problem
from .standing import standings
from .trial import Trial

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

    @property
    def named(self) -> dict[str, object]:
        """What a record calls it."""
        kind = {"kind": PERCEPTRON} if self.is_perceptron else {}
        return {"candidate": self.number, **kind}


@dataclass(frozen=True)
class Comparison:
    """Finalists by what they give for samples that they did not learn, those that are trained.

    `outputs` are logits by the place of the finalist, (samples, K), and `shares` what is averaged.
    `samples` are the places in the data that finalists are compared by, `labels` theirs.
    """

    problem: Problem
    objective: Objective
    finalists: Sequence[Finalist]
    outputs: Mapping[int, Tensor]
    shares: Mapping[int, NDArray[np.float64]]
    samples: NDArray[np.int64]
    labels: NDArray[Any]

    # Places of finalists

    @cached_property
    def best(self) -> int | None:
        """That of the candidate that stands best where it is decided above perceptrons.

        Else that of the best perceptron; None where nothing is known. Where no metric tells them
        apart, it is that of what stands best of all.
        """
        searched, perceptron = self.searched, self.perceptron
        if searched is None or perceptron is None:
            return perceptron if searched is None else searched
        head, data = self.problem.network.head, self.problem.data
        first, second = (
            scored_by_head(head, self.shares[place][None], self.labels)
            for place in (searched, perceptron)
        )
        if not np.isfinite([first.metrics, second.metrics]).all():  # a value that never varies
            return self._first([searched, perceptron])
        groups = None if data.groups is None else data.groups[self.samples]
        seed = self.problem.settings.seed
        ahead = difference(first, second, groups, resamples=RESAMPLES, seed=seed)
        return searched if ahead.low > 0 else perceptron

    @cached_property
    def searched(self) -> int | None:
        """That of the candidate that stands best."""
        return self._first([p for p in self.outputs if not self.finalists[p].is_perceptron])

    @cached_property
    def perceptron(self) -> int | None:
        """That of the perceptron that stands best."""
        return self._first([p for p in self.outputs if self.finalists[p].is_perceptron])

    def _first(self, places: Sequence[int]) -> int | None:
        """That, of some, which stands best by its score and its loss."""
        known = {place: self._metrics(self.outputs[place]) for place in places}
        if not known:
            return None
        head = self.problem.network.head
        scores = [[selection_score(head, metrics)] for metrics in known.values()]
        losses = [[metrics["loss"]] for metrics in known.values()]
        return [*known][int(np.argmax(standings(scores, losses, head)))]

    # The ensemble

    @cached_property
    def weights(self) -> dict[int, float]:
        """Those of the members of the ensemble, by their places; none where none is wanted."""
        settings = self.problem.settings
        if not settings.ensemble or not self.shares:
            return {}
        cost = partial(self.objective.cost_of_shares, labels=self.labels)
        weights = bagged([*self.shares.values()], cost, PICKS, settings.seed)
        places = [*self.shares]
        return {places[place]: weight for place, weight in weights.items()}

    def _mean(self) -> NDArray[np.float64]:
        """What the ensemble gives, each member for samples that it did not learn."""
        weighted = [weight * self.shares[place] for place, weight in self.weights.items()]
        mean: NDArray[np.float64] = np.sum(weighted, 0)
        return mean

    # What is told

    def told(self, place: int) -> tuple[dict[str, object], float]:
        """What a record says of a finalist, and its score."""
        if place not in self.outputs:
            failed = next(trial for trial in self.finalists[place].trials if trial.diverged)
            return {"failure": failed.failure}, -np.inf
        metrics = self._metrics(self.outputs[place])
        told = {on_validation(name): value for name, value in metrics.items()}
        score = selection_score(self.problem.network.head, metrics)
        return {**told, "samples": len(self.samples)}, score

    def kept(self, place: int) -> dict[str, object]:
        """All of a finalist that is not what was found: its genotype, and how to train it."""
        finalist = self.finalists[place]
        told, _ = self.told(place)
        text = str(fill(self.problem.network, finalist.choices))
        kept = {"settings": dict(finalist.own), "genotype": text}
        return {**finalist.named, **told, **kept}

    def told_of_ensemble(self) -> dict[str, float]:
        """The metrics of the ensemble."""
        logits = logits_of(self._mean(), self.problem.network.head)
        metrics = self._metrics(torch.from_numpy(logits).float())
        return {on_validation(name): value for name, value in metrics.items()}

    def held_out(self) -> HeldOut:
        """What was found, and what it was compared with, give for samples not learned."""
        places = {GENOTYPE: self.best}
        if self.perceptron is not None:
            is_found = self.best == self.perceptron
            places |= {SEARCHED: self.searched} if is_found else {PERCEPTRON: self.perceptron}
        found = {name: self.shares[one] for name, one in places.items() if one is not None}
        if self.weights:
            found[ENSEMBLE] = self._mean()
        own = () if self.searched is None else self.finalists[self.searched].own
        return HeldOut(self.samples, found, own)

    def _metrics(self, outputs: Tensor) -> dict[str, float]:
        return scored(outputs, torch.from_numpy(self.labels), self.objective)
