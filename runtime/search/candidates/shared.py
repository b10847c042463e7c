"""Black-box search by several processes, on one machine or many, that share a storage.

Each of them trains candidates until all together have finished `candidates`, or a few more, since
those that are being trained then are finished too. The last round of each returns the best of all.
"""

from __future__ import annotations

from dataclasses import replace

from ....compiler.diagnostics.diagnostic import fail
from ...fields import PER_PROCESS
from ...parallel.processes import joined
from ...runs.checkpoint import State
from ...runs.identity import identity_of
from ...runs.saved import Saved
from ..strategy import Problem, Round
from .sampled import Sampled
from .saved import saved_trial
from .study import Ahead, Sampler, SharedStudy
from .trial import Trial


class Shared(Sampled):
    """Trains candidates of a study in a storage; a last round tells the best of all.

    Where another process trained the best, it is trained here again, for its weights: its random
    numbers depend on the seed and its own number alone, so on equal machines they are the same.
    """

    def __init__(self, problem: Problem, sampler: Sampler) -> None:
        super().__init__(problem, sampler, lambda finished: 1)
        if joined():
            message = "processes that share each batch cannot share a storage, too"
            raise fail("E506", message, help="start them one by one, without torchrun")
        name = study_name(problem)
        self.study = SharedStudy(self.points.sizes, sampler, problem.settings, name)
        self._done, self._kept = 0, list[Trial]()
        self._last: Trial | None = None
        self._ended = False
        self.rounds = self._left() + 1

    def _left(self) -> int:
        return max(0, self.problem.settings.candidates - len(self.study.finished()))

    def round(self, index: int) -> Round:
        if self._last is None and self.running is None and not self._left():
            self._last = self._best()
        if self._last is not None:
            self.trainer.train(self._last, self.problem.settings.trial_epochs)
            self._done = self.rounds = index + 1
            self._ended = True
            found = self.found(self._last)
            finished = {"finished": len(self.study.finished())}
            return replace(found, level=(1,), values={**found.values, **finished})
        found = super().round(index)
        self._done = index + 1
        self.rounds = self._done + self._left() + 1
        return replace(found, level=(0,))

    def found(self, trial: Trial) -> Round:
        if not self._kept or trial.score > self._kept[0].score:
            self._kept = [trial]
        return super().found(trial)

    def _best(self) -> Trial:
        """The best trial of all processes, the first one on ties; trained, if that was here.

        So processes agree on it, unless one that is still being trained is better.
        """
        best = max(self.study.finished(), key=lambda f: (f.score, -f.trained))
        mine = [trial for trial in self._kept if trial.number == best.trained]
        choices, own = self.points.candidate(best.asked.point)
        return mine[0] if mine else Trial(best.trained, choices, own=own)

    def state(self) -> State:
        return {
            **super().state(),
            "kept": [trial.state() for trial in self._kept],
            "last": self._last and self._last.state(),
            "done": self._done,
            "ended": self._ended,
        }

    def restore(self, saved: Saved, done: int) -> None:
        super().restore(saved, done)
        stops = [self.problem.settings.trial_epochs]
        kept, last = saved.at("kept").items(most=1), saved.optional("last")
        self._kept = [saved_trial(one, self.trainer, stops) for one in kept]
        self._last = None if last is None else saved_trial(last, self.trainer, stops)
        self._done = saved.at("done").integer(done, done)
        self._ended = saved.at("ended").flag()
        if any(not trial.scored for trial in self._kept):
            raise saved.at("kept").wrong("a trial that is finished")
        if self._ended and (self._last is None or not self._last.scored):
            raise saved.at("ended").wrong("false, since the best is not trained")
        self.rounds = self._done if self._ended else self._done + self._left() + 1


def sampled(problem: Problem, sampler: Sampler, ahead: Ahead) -> Sampled:
    """Training what a sampler proposes: with others where the settings name a storage."""
    if problem.settings.storage:
        return Shared(problem, sampler)
    return Sampled(problem, sampler, ahead)


def study_name(problem: Problem) -> str:
    """The name of a study: equal where scores can be compared, in the same space and data."""
    profile = problem.budgets.profile
    settings = problem.settings.usual(PER_PROCESS).with_options(relax=problem.relax)
    parts = (str(problem.network.space), settings.to_toml(), problem.data.digest())
    return f"fusewright-{identity_of(*parts, profile.text() if profile else '')[:24]}"
