"""Random genotypes as controls of a search, as many as its own cost buys.

They are drawn within the budgets, each once, and trained on the training split alone. As many as
the search's own cost buys compete by their best score, since a search chooses by the same scores.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

import numpy as np

from ...compiler.diagnostics.diagnostic import DiagnosticError
from ...compiler.network.choices import Choices
from ..runs.controls import Control
from ..settings import Settings
from ..training.finite import no_finite_loss
from ..training.fitting import seeded
from .candidates.trainer import Trainer
from .candidates.trial import Trial
from .strategy import Problem
from .streams import Stream, generator_of

RANDOM, BEST = "random genotypes, their mean", "random genotypes, the best"
RANDOM_GENOTYPES = 4
"""How many random genotypes a mean is of at least."""


class RandomControls:
    """Random genotypes of a problem, trained by its settings; draws and seeds are the search's.

    `tell` receives the name and score of every one that has been trained.
    """

    def __init__(
        self, problem: Problem, search: Settings, tell: Callable[[str, float], None]
    ) -> None:
        self.problem, self.search, self.tell = problem, search, tell
        self.trainer, self.number = Trainer(problem), 0

    def rows(self, cost: float) -> tuple[tuple[Control, Control], int]:
        """The mean, and the best of those that a cost buys; and how many these are."""
        drawn, bought = self._drawn(cost)
        best = drawn[:bought]
        mean = _control(RANDOM, float(np.mean([r.score for r in drawn])), drawn)
        return (mean, _control(BEST, max(r.score for r in best), best)), bought

    def _drawn(self, cost: float) -> tuple[list[Control], int]:
        """Random genotypes, and how many of them a cost buys, one at least.

        The next one is taken to cost what those before it did on average. One whose loss is no
        finite number is passed over, a few at most.
        """
        found: list[Control] = []
        waiting: list[Trial] = []
        spent, bought, failed = 0.0, 0, 0
        draws = self.problem.budgets.draws(generator_of(self.search.seed, Stream.RANDOM_CONTROLS))
        while len(found) < RANDOM_GENOTYPES or spent * (len(found) + 1) <= cost * len(found):
            if not waiting:
                count = self._ahead(found, spent, cost)
                waiting = [self._trial(choices) for choices in islice(draws, count)]
            if not waiting:
                break
            trial = waiting.pop(0)
            name = f"random genotype {len(found) + 1}"
            try:
                found.append(self._one(name, trial, waiting))
            except DiagnosticError:
                failed += trial.diverged
                if not trial.diverged or failed > RANDOM_GENOTYPES:
                    raise
                continue
            spent += found[-1].weight_steps
            bought += spent <= cost
        return found, max(1, bought)

    def _ahead(self, found: list[Control], spent: float, cost: float) -> int:
        """How many random genotypes are likely to be trained yet, which can be trained together."""
        if not found or not spent:
            return RANDOM_GENOTYPES
        left = int(cost * len(found) / spent) - len(found)
        return max(1, min(left, self.search.together))

    def _trial(self, choices: Choices) -> Trial:
        self.number += 1
        return Trial(self.number - 1, choices)

    def _one(self, name: str, trial: Trial, beside: Sequence[Trial]) -> Control:
        """A random genotype trained on the training split and scored on validation."""
        with seeded(self.search.seed, self.problem.device):
            self.trainer.train(trial, self.problem.settings.epochs, beside)
        if trial.diverged:
            raise no_finite_loss(trial.failure)
        self.tell(name, trial.score)
        steps = self.problem.meter.weight_steps(trial.macs)
        return Control(name, trial.score, (trial.score,), steps)


def _control(name: str, score: float, members: list[Control]) -> Control:
    cost = sum(m.weight_steps for m in members)
    scores = tuple(s for m in members for s in m.scores)
    return Control(name, score, scores, cost, is_kept=False)
