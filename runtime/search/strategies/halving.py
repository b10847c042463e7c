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
from ...data.split import TRAIN
from ...runs.checkpoint import State
from ...runs.saved import Saved
from ...settings import Settings
from ...tuning import Own, every_own
from ..candidates.saved import saved_trial
from ..candidates.standing import standings
from ..candidates.starts import STARTS, beside, starts
from ..candidates.trainer import Trainer
from ..candidates.trial import Trial
from ..chain import Stage
from ..plans import FIRST, Plan, Work
from ..strategy import LAST, Problem, Round
from ..streams import Stream
from . import ranking
from .folds import compared, needed_folds


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
        self._epochs = tuple(epochs for _, epochs in plan)
        self._counts = tuple(min(count, len(candidates)) for count, _ in plan)
        self.problem, self.trainer = problem, Trainer(problem, initial)
        if problem.allowance.is_limited:
            problem.allowance.begin(work_of(problem, self._counts, self._epochs))

    @property
    def _plan(self) -> list[tuple[int, int, int]]:
        """The rung, the epochs and the place of the candidate of each round."""
        pairs = enumerate(zip(self._counts, self._epochs, strict=True))
        return [(level, end, place) for level, (n, end) in pairs for place in range(n)]

    @property
    def rounds(self) -> int:
        return sum(self._counts)

    def round(self, index: int) -> Round:
        """Trains a candidate; the last of a rung lets the best of the rung be what was found."""
        level, epochs, place = self._plan[index]
        trial = self.trials[place]
        rung = [self.trials[p] for at, _, p in self._plan if at == level]
        self.trainer.train(trial, epochs, self._beside([t for t in rung if t.scored < epochs]))
        self._decide(level, epochs)
        values = {"rung": level + 1, "candidate": trial.number, "epochs": epochs}
        if index + 1 < self.rounds and self._plan[index + 1][0] == level:
            return Round(None, trial.score, values={**values, **trial.told})
        self._end(place + 1, level)
        best = self.trials[0]
        last = {LAST: {"candidate": trial.number, **trial.told}}
        closing = {**values, **last, **best.told, "candidate": best.number, "best": best.number}
        return Round(best.chosen, best.score, (level,), closing, best.own)

    def _beside(self, left: list[Trial]) -> list[Trial]:
        """Which of those that are left are trained now: a few, until it is known what one takes."""
        allowance = self.problem.allowance
        is_first = allowance.is_limited and not allowance.is_measured
        return left[:FIRST] if is_first else left

    def _decide(self, level: int, epochs: int) -> None:
        """Plans what there is time for, where that is limited; some of a rung are trained.

        These go first in it: others may stand between them, which are not trained beside them.
        """
        if not self.problem.allowance.is_limited:
            return
        rung = sorted(self.trials[: self._counts[level]], key=lambda trial: trial.scored < epochs)
        self.trials[: len(rung)] = rung
        trained = sum(trial.scored >= epochs for trial in rung)
        following = [0] * (len(self._counts) - level - 1)
        done = Plan((*self._counts[:level], trained, *following), 0, 0)
        self._counts = self.problem.allowance.decide(done, level).rungs

    def _end(self, trained: int, level: int) -> None:
        """Puts the better ones of a rung first; of those that go no further no state is kept."""
        rung = [t for t in self.trials[:trained] if not t.diverged]
        stand = self._stand(rung) if rung else []
        order = sorted(range(len(rung)), key=lambda place: -stand[place])
        ended = [t for t in self.trials[:trained] if t.diverged]
        self.trials[:trained] = [*(rung[place] for place in order), *ended]
        self.trainer.forget()
        for trial in self.trials[max(1, self._most(level + 1)) :]:
            trial.training = None

    def _most(self, level: int) -> int:
        """How many candidates there may be in a rung, those before it being done; 0 after all."""
        counts, allowance = self._counts, self.problem.allowance
        if allowance.is_limited:
            counts = allowance.work.most(allowance.plan, level).rungs
        return counts[level] if level < len(counts) else 0

    def _stand(self, rung: list[Trial]) -> list[float]:
        head = self.trainer.problem.network.head
        return standings([t.scores for t in rung], [t.losses for t in rung], head)

    def arrays(self) -> Arrays:
        return self.trials[0].arrays()

    def state(self) -> State:
        self.trainer.close()
        return {"trials": [t.state() for t in self.trials]}

    def restore(self, saved: Saved, done: int) -> None:
        if self.problem.allowance.is_limited:
            self._counts = self.problem.allowance.plan.rungs
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


def work_of(problem: Problem, counts: tuple[int, ...], epochs: tuple[int, ...]) -> Work:
    """What a search does if nothing is given up, and what its parts cost."""
    folds = needed_folds(problem)
    every = counts[0] + len(compared(problem))
    finalists = min(problem.settings.finalists, every) if folds else 0
    whole = Plan(counts, finalists, problem.allowance.controls)
    of_folds = sum(len(fold.train) for fold in folds)
    return Work(whole, epochs, len(problem.data.indices(TRAIN)), of_folds)


def explore(problem: Problem) -> Halving:
    """Halving of strong starts and of genotypes drawn at random, each with settings of its own.

    Where the output has holes, every second genotype has in it all that can be there. Where time
    is limited, starts stand among the others, so that a rung that ends early has both.
    """
    settings = problem.settings
    candidates = dict.fromkeys(islice(starts(problem), settings.candidates // STARTS))
    count = len(candidates)
    every = list(every_own(settings.tuned))
    drawn = ranking.distinct(problem, settings.candidates, Stream.HALVING)
    for number, choices in enumerate(drawn):
        if number % 2 and (full := beside(problem.network, choices)) is not None:
            choices = full if problem.budgets.admits(full) else choices
        candidates.setdefault((choices, every[number // 2 % len(every)]))
    halving = Halving(problem, list(candidates)[: settings.candidates])
    if problem.allowance.is_limited:
        halving.trials = spread(halving.trials, count)
    return halving


def spread(trials: Sequence[Trial], first: int) -> list[Trial]:
    """The first ones of trials among the others: one in `STARTS`, as far as there are some."""
    strong, others = iter(trials[:first]), iter(trials[first:])
    places = range(len(trials))
    found = (next(others if place % STARTS else strong, None) for place in places)
    ordered = [one for one in found if one is not None]
    return [*ordered, *strong, *others]


def select(problem: Problem) -> list[Stage]:
    """Halving of the genotypes that rank best, from the weights that they share."""
    return [
        *ranking.select(problem),
        lambda ranked: Halving(problem, [(one, ()) for one in ranked.best], ranked.arrays()),
    ]
