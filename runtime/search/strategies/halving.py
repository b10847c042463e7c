"""Successive halving: many candidates are trained a little, the best of them more.

Rungs end where the learning rate has come to its minimum, since scores in between say little, and
candidates stand by all their scores so far. After
Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization".
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, islice

from ....compiler.network.choices import Choices
from ...data.files import Arrays
from ...runs.checkpoint import State
from ...runs.saved import Saved
from ...settings import Settings
from ...tuning import Own, every_own
from ..candidates.saved import saved_trial
from ..candidates.standing import standings
from ..candidates.starts import beside, starts
from ..candidates.trainer import Trainer
from ..candidates.trial import Trial
from ..chain import Stage
from ..strategy import LAST, Problem, Round
from . import ranking


def rungs(settings: Settings) -> list[tuple[int, int]]:
    """How many candidates are trained, and for how many epochs in all, rung by rung.

    The last rung is `trial_epochs`; those before it are ends of restart periods, each keeping one
    candidate in `reduction`, `rungs` in all at most.
    """
    periods = [settings.first_restart * settings.restart_multiplier**i for i in range(64)]
    ends = [e for e in accumulate(periods) if e < settings.trial_epochs]
    counts = [settings.candidates]
    while len(counts) < settings.rungs and counts[-1] >= settings.reduction:
        counts.append(counts[-1] // settings.reduction)
    counts = counts[: len(ends) + 1]
    epochs = [*ends[len(ends) - len(counts) + 1 :], settings.trial_epochs]
    return list(zip(counts, epochs, strict=True))


STARTS = 3
"""One candidate in so many may be a strong start."""


class Halving:
    """Trains candidates rung by rung; a round is a candidate in a rung."""

    def __init__(
        self,
        problem: Problem,
        candidates: Sequence[tuple[Choices, Own]],
        initial: Arrays | None = None,
    ) -> None:
        self.trials = [
            Trial(number, choices, own=own) for number, (choices, own) in enumerate(candidates)
        ]
        plan = rungs(problem.settings)
        self._plan = [
            (level, epochs, place)
            for level, (count, epochs) in enumerate(plan)
            for place in range(min(count, len(candidates)))
        ]
        self.rounds = len(self._plan)
        self.trainer = Trainer(problem, initial)

    def round(self, index: int) -> Round:
        """Trains a candidate; the last of a rung lets the best of the rung be what was found."""
        level, epochs, place = self._plan[index]
        trial = self.trials[place]
        rung = [self.trials[p] for at, _, p in self._plan if at == level]
        self.trainer.train(trial, epochs, rung)
        values = {"rung": level + 1, "candidate": trial.number, "epochs": epochs}
        if index + 1 < self.rounds and self._plan[index + 1][0] == level:
            return Round(None, trial.score, values={**values, **trial.told})
        self._end(place + 1, index)
        best = self.trials[0]
        last = {LAST: {"candidate": trial.number, **trial.told}}
        closing = {**values, **last, **best.told, "candidate": best.number, "best": best.number}
        return Round(best.chosen, best.score, (level,), closing, best.own)

    def _end(self, trained: int, index: int) -> None:
        """Puts the better ones of a rung first; of those that go no further no state is kept."""
        rung = [t for t in self.trials[:trained] if not t.diverged]
        stand = self._stand(rung) if rung else []
        order = sorted(range(len(rung)), key=lambda place: -stand[place])
        ended = [t for t in self.trials[:trained] if t.diverged]
        self.trials[:trained] = [*(rung[place] for place in order), *ended]
        self.trainer.forget()
        following = [place for _, _, place in self._plan[index + 1 :]]
        for trial in self.trials[max(1, len(set(following))) :]:
            trial.training = None

    def _stand(self, rung: list[Trial]) -> list[float]:
        head = self.trainer.problem.network.head
        return standings([t.scores for t in rung], [t.losses for t in rung], head)

    def arrays(self) -> Arrays:
        return self.trials[0].arrays()

    def state(self) -> State:
        self.trainer.close()
        return {"trials": [t.state() for t in self.trials]}

    def restore(self, saved: Saved, done: int) -> None:
        begun = {trial.number: trial for trial in self.trials}
        rows = saved.at("trials").items(least=len(begun), most=len(begun))
        stops = list(dict.fromkeys(epochs for _, epochs, _ in self._plan))
        trials = [saved_trial(one, self.trainer, stops, may_be_left=True) for one in rows]
        for place, (one, trial) in enumerate(zip(rows, trials, strict=True)):
            if not trial.continues(begun.pop(trial.number, None)):
                raise one.wrong("one of the candidates of this search")
            if trial.scored not in self._scored_at(place, done):
                raise one.at("scored").wrong("as many epochs as its rung has")
            is_left = place in {p for _, _, p in self._plan[done:]} or not place
            if is_left and trial.scored and trial.training is None and not trial.diverged:
                raise one.at("training").wrong("where its training is")
        self.trials = trials
        self.trainer.forget()

    def _scored_at(self, place: int, done: int) -> Sequence[int]:
        """After how many epochs a trial may have been scored last, after so many rounds."""
        level, epochs, current = self._plan[min(done, self.rounds - 1)]
        before = [stop for at, stop, p in self._plan if p == place and at < level]
        has_passed = done == self.rounds or place < current
        if (level, epochs, place) not in self._plan:
            return before or [0]
        return [epochs] if has_passed else [before[-1] if before else 0, epochs]


def explore(problem: Problem) -> Halving:
    """Halving of strong starts and of genotypes drawn at random, each with settings of its own.

    Where the output has holes, every second genotype has in it all that can be there.
    """
    settings = problem.settings
    candidates = dict.fromkeys(islice(starts(problem), settings.candidates // STARTS))
    every = list(every_own(settings.tuned))
    drawn = ranking.distinct(problem, settings.candidates, stream=0)
    for number, choices in enumerate(drawn):
        if number % 2 and (full := beside(problem.network, choices)) is not None:
            choices = full if problem.budgets.admits(full) else choices
        candidates.setdefault((choices, every[number // 2 % len(every)]))
    return Halving(problem, list(candidates)[: settings.candidates])


def select(problem: Problem) -> list[Stage]:
    """Halving of the genotypes that rank best, from the weights that they share."""
    return [
        *ranking.select(problem),
        lambda ranked: Halving(problem, [(one, ()) for one in ranked.best], ranked.arrays()),
    ]
