"""Successive halving: many candidates are trained a little, the best of them more.

Rungs end where the learning rate has come to its minimum, since scores in between say little. After
Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization".
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from ..settings import Settings
from .strategy import Arrays, Problem, Round, State
from .trial import Choices, Trainer, Trial


def rungs(settings: Settings) -> list[tuple[int, int]]:
    """How many candidates are trained, and for how many epochs in all, rung by rung.

    The last rung is `trial_epochs`; those before it are ends of restart periods, each keeping one
    candidate in `reduction`.
    """
    periods = [settings.first_restart * settings.restart_multiplier**i for i in range(64)]
    ends = [e for e in accumulate(periods) if e < settings.trial_epochs]
    found: list[tuple[int, int]] = []
    count = settings.candidates
    while count >= 1:
        found.append((count, settings.trial_epochs))
        count //= settings.reduction
    levels = min(len(found), len(ends) + 1)
    epochs = [*ends[len(ends) - levels + 1 :], settings.trial_epochs]
    return [(n, e) for (n, _), e in zip(found[:levels], epochs, strict=True)]


class Halving:
    """Trains candidates rung by rung; a round is a candidate in a rung."""

    def __init__(
        self, problem: Problem, candidates: Sequence[Choices], initial: Arrays | None = None
    ) -> None:
        self.trials = [Trial(number, choices) for number, choices in enumerate(candidates)]
        plan = rungs(problem.settings)
        self._plan = [
            (level, epochs, place)
            for level, (count, epochs) in enumerate(plan)
            for place in range(min(count, len(candidates)))
        ]
        self.rounds = len(self._plan)
        self.trainer = Trainer(problem, initial)
        self.last = 0

    def round(self, index: int) -> Round:
        self.last = index
        level, epochs, place = self._plan[index]
        if place == 0 and level:
            self._sort(self._plan[index - 1][2] + 1)
        trial = self.trials[place]
        self.trainer.train(trial, epochs)
        self.trainer.close()
        values = {"rung": level + 1, "candidate": trial.number, "epochs": epochs, **trial.metrics}
        return Round(trial.choices, trial.score, (level,), values)

    def _sort(self, trained: int) -> None:
        """Puts the better of the rung before first; where the others are is not kept."""
        self.trainer.forget()
        self.trials[:trained] = sorted(self.trials[:trained], key=lambda t: -t.score)
        kept = sum(level == self._plan[self.last][0] for level, _, _ in self._plan)
        for trial in self.trials[kept:]:
            trial.training = None

    def arrays(self) -> Arrays:
        return self.trainer.arrays()

    def state(self) -> State:
        self.trainer.close()
        return {"trials": [t.state() for t in self.trials]}

    def restore(self, state: State) -> None:
        self.trials = [Trial.restored(s) for s in state["trials"]]
        self.trainer.forget()
