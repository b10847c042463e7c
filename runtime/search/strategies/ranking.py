"""Ranking: which of many genotypes is best by the weights that they share in a hypernet."""

from __future__ import annotations

from itertools import islice

import torch

from ....compiler.network.choices import Choices, listed
from ...data.files import Arrays
from ...genotypes.derive import one_hot
from ...metrics import VALIDATION_LOSS
from ...runs.checkpoint import State
from ...runs.saved import Saved
from ..candidates.saved import saved_choices
from ..candidates.standing import standings
from ..chain import Stage
from ..hypernet.hypernet import Hypernet
from ..strategy import Problem, Round
from ..streams import Stream, generator_of

COMPARED = 10
"""How many genotypes are compared for each candidate that is wanted."""


class Ranking:
    """Compares genotypes drawn at random on validation; `best` are the first `candidates`."""

    rounds = 1

    def __init__(self, problem: Problem, hypernet: Hypernet) -> None:
        self.problem, self.hypernet = problem, hypernet
        self.best: list[Choices] = []

    @torch.no_grad()
    def round(self, index: int) -> Round:
        count, relax = self.problem.settings.candidates, self.problem.relax
        drawn = distinct(self.problem, COMPARED * count, Stream.RANKING)
        scored: list[tuple[Choices, float, dict[str, float]]] = []
        for choices in drawn:
            self.problem.interrupt.check()
            weights = self.hypernet.tensors(one_hot(self.problem.network, choices, relax))
            scored.append((choices, *self.hypernet.score(weights)))
        losses = [[m[VALIDATION_LOSS]] for *_, m in scored]
        stand = standings([[s] for _, s, _ in scored], losses, self.problem.network.head)
        ranked = [scored[i] for i in sorted(range(len(scored)), key=lambda i: -stand[i])]
        self.best = [choices for choices, _, _ in ranked[:count]]
        choices, score, metrics = ranked[0]
        return Round(choices, score, values={"compared": len(scored), **metrics})

    def arrays(self) -> Arrays:
        return self.hypernet.arrays()

    def state(self) -> State:
        return {"best": [listed(c) for c in self.best]}

    def restore(self, saved: Saved, done: int) -> None:
        count = self.problem.settings.candidates if done else 0
        best = saved.at("best").items(least=min(1, done), most=count)
        self.best = [saved_choices(one, self.problem) for one in best]
        if len(set(self.best)) < len(best):
            raise saved.at("best").wrong("choices that differ")


def select(problem: Problem) -> list[Stage]:
    """Ranking with the weights of the hypernet that was trained."""
    return [lambda trained: Ranking(problem, trained.hypernet)]


def distinct(problem: Problem, count: int, stream: Stream) -> list[Choices]:
    """Genotypes drawn at random, each once; fewer where the space seems to hold no more."""
    generator = generator_of(problem.settings.seed, stream)
    return list(islice(problem.budgets.draws(generator), count))
