"""Black-box search: every round trains a candidate by itself, and a sampler proposes the next.

A hole is one dimension, and so is a setting that is searched.
"""

from __future__ import annotations

import numpy as np

from ....compiler.language.variants import some_picks
from ....compiler.network.choices import Choices, fill
from ....compiler.network.holes import holes_of
from ....compiler.network.network import Network
from ...data.files import Arrays
from ...runs.checkpoint import State
from ...runs.saved import Saved
from ...tuning import Own
from ..strategy import Problem, Round
from ..variants import budgets_of
from .saved import saved_trial
from .study import Ahead, Asked, Finished, OwnStudy, Point, Sampler, Study, asked_of, asked_state
from .trainer import Trainer
from .trial import Trial

STRONG = 15.0
"""The logit of what is sampled, beside 0: of choices that are admitted, the nearest is taken."""


class Points:
    """The points of a search space: a candidate for every hole, each by itself.

    Holes that variants have in common are one dimension, of as many places as the most candidates
    there are; a variant of fewer takes what is left over when they are counted off.
    """

    def __init__(self, problem: Problem) -> None:
        network, budgets = problem.network, problem.budgets
        self._network, self._budgets = network, budgets
        if problem.relax != "per_input":
            self._budgets = budgets_of(network, "per_input", budgets.profile)
        self._global = {f"choice of {h.place}": len(h.candidates) for h in network.global_holes}
        self.sizes = dict(self._global)
        for picks in some_picks(network.global_holes):
            for name, size in _sizes(network.variant(picks)).items():
                self.sizes[name] = max(size, self.sizes.get(name, 0))
        self._tuned = {f"setting {n}": (n, v) for n, v in problem.settings.tuned.items()}
        self._holes = tuple(self.sizes)
        self.sizes |= {name: len(values) for name, (_, values) in self._tuned.items()}
        self._known: dict[tuple[int, ...], Choices] = {}

    def candidate(self, point: Point) -> tuple[Choices, Own]:
        """What is chosen at a point, and the settings there."""
        own = ((name, values[point[key]]) for key, (name, values) in self._tuned.items())
        return self.choices(point), tuple(own)

    def choices(self, point: Point) -> Choices:
        """The choice at a point, or one near it that the rule and the budgets admit."""
        key = tuple(point[name] for name in self._holes)
        if key not in self._known:
            picks = self._budgets.near(tuple(point[name] for name in self._global))
            sizes = _sizes(self._network.variant(picks))
            logits = {n: STRONG * np.eye(s)[point.get(n, 0) % s] for n, s in sizes.items()}
            self._known[key] = self._budgets.choose(logits, picks)
        return self._known[key]


def _sizes(network: Network) -> dict[str, int]:
    """How many candidates each hole of a network has, by its architecture parameter."""
    return {hole.parameter: len(hole.candidates) for hole in holes_of(network, "per_input")}


class Sampled:
    """Trains candidates that a sampler proposes; a round is one of them.

    One that was trained before is told its score again and costs nothing. Candidates that do not
    depend on each other are trained together.
    """

    def __init__(self, problem: Problem, sampler: Sampler, ahead: Ahead) -> None:
        self.problem, self.points = problem, Points(problem)
        self.trainer = Trainer(problem)
        self.rounds = problem.settings.candidates
        self.study: Study = OwnStudy(self.points.sizes, sampler, problem.settings)
        self.running: tuple[Asked, Trial] | None = None
        self.ahead, self._most_ahead = list[tuple[Asked, Trial | None]](), ahead

    def round(self, index: int) -> Round:
        if self.running is None:
            asked, trial = self._next()
            choices, own = self.points.candidate(asked.point)
            known = self._known(choices, own)
            trained = asked.number if known is None else known.trained
            self.study.begin(asked, trained, str(fill(self.problem.network, choices)))
            if known is not None:
                self.study.tell(asked, known.score, known.trained)
                values = {"candidate": known.trained, "epochs": 0, "score": known.score}
                return Round(None, known.score, values=values)
            self.running = asked, trial or Trial(asked.number, choices, own=own)
        asked, trial = self.running
        self.trainer.train(trial, self.problem.settings.trial_epochs, self._beside())
        self.running = None
        self.study.tell(asked, trial.score, trial.number)
        return self.found(trial)

    def _next(self) -> tuple[Asked, Trial | None]:
        """The next point, after those that depend on none of each other were asked for.

        Its trial is None where another one is of the same choices.
        """
        if not self.ahead:
            finished = len(self.study.finished())
            left = self.problem.settings.candidates - finished
            together = self.problem.settings.together
            known = [self.points.candidate(f.asked.point) for f in self.study.finished()]
            for place in range(max(1, min(left, together, self._most_ahead(finished)))):
                asked = self.study.ask(place)
                choices, own = self.points.candidate(asked.point)
                is_known = (choices, own) in known
                trial = None if is_known else Trial(asked.number, choices, own=own)
                self.ahead.append((asked, trial))
                known.append((choices, own))
        return self.ahead.pop(0)

    def _beside(self) -> list[Trial]:
        """What is to be trained next."""
        return [trial for _, trial in self.ahead if trial is not None]

    def _known(self, choices: Choices, own: Own) -> Finished | None:
        """A finished trial of these choices, with these settings."""
        finished, wanted = self.study.finished(), (choices, own)
        return next((f for f in finished if self.points.candidate(f.asked.point) == wanted), None)

    def found(self, trial: Trial) -> Round:
        """What a trial is that has been trained."""
        values = {"candidate": trial.number, "epochs": trial.epochs, **trial.told}
        return Round(trial.chosen, trial.score, values=values, own=trial.own)

    def arrays(self) -> Arrays:
        return self.trainer.arrays()

    def state(self) -> State:
        self.trainer.close()
        running = self.running and [asked_state(self.running[0]), self.running[1].state()]
        ahead = [[asked_state(asked), trial and trial.state()] for asked, trial in self.ahead]
        return {"study": self.study.state(), "running": running, "ahead": ahead}

    def restore(self, saved: Saved, done: int) -> None:
        self.study.restore(saved.at("study"), done)
        running = saved.optional("running")
        self.running = None
        if running is not None:
            asked, trial = self._restored(running)
            if trial is None:
                raise running.wrong("a trial")
            self.running, done = (asked, trial), done + 1
        ahead = saved.at("ahead").items(most=self.problem.settings.candidates)
        self.ahead = [self._restored(one) for one in ahead]
        if self.study.is_own:
            numbers = [asked.number for asked, _ in (*filter(None, [self.running]), *self.ahead)]
            begun = done - (self.running is not None)
            if numbers != list(range(begun, begun + len(numbers))):
                raise saved.at("ahead").wrong("the points after those that are finished")
        self.trainer.forget()

    def _restored(self, saved: Saved) -> tuple[Asked, Trial | None]:
        """A point with its trial, if that is to be trained."""
        point, row = saved.items(least=2, most=2)
        asked = asked_of(point, self.points.sizes)
        if row.content is None:
            return asked, None
        trial = saved_trial(row, self.trainer, [self.problem.settings.trial_epochs])
        choices, own = self.points.candidate(asked.point)
        if not trial.continues(Trial(asked.number, choices, own=own)):
            raise row.wrong("the candidate of its point")
        return asked, trial
