"""Strategies one after the other, such as a hypernet's training and then a selection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ..data.files import Arrays
from ..runs.checkpoint import State
from ..runs.saved import Saved
from .strategy import Chosen, Ensembling, HeldOut, Round, Strategy

Stage = Callable[[Any], Strategy]
"""Makes a strategy from the one before it, which has finished; the first from None."""


class Chain:
    """Runs stages in order; what a later one chooses wins over what an earlier one did."""

    def __init__(self, stages: Sequence[Stage], goes_on: Callable[[], bool] = lambda: True) -> None:
        """Stages after the first are left out where it does not go on when that one has ended."""
        self._stages, self._goes_on = stages, goes_on
        self._begun: list[Strategy] = [stages[0](None)]

    @property
    def rounds(self) -> int:
        """How many there are, as far as that is known: a stage not begun has one at least."""
        following = len(self._stages) - len(self._begun) if self._goes_on() else 0
        return sum(s.rounds for s in self._begun) + following

    def round(self, index: int) -> Round:
        before = sum(s.rounds for s in self._begun[:-1])
        if index - before == self._begun[-1].rounds:
            before += self._begun[-1].rounds
            self._begin()
        found = self._begun[-1].round(index - before)
        return replace(found, level=(len(self._begun), *found.level))

    def _begin(self) -> None:
        self._begun.append(self._stages[len(self._begun)](self._begun[-1]))

    def members(self) -> list[Chosen]:
        """The ensemble that the last stage found; nothing where it finds none."""
        last = self._begun[-1]
        return last.members() if isinstance(last, Ensembling) else []

    def held_out(self) -> HeldOut | None:
        """What the last stage's best gives for samples that it did not learn, where it knows."""
        last = self._begun[-1]
        return last.held_out() if isinstance(last, Ensembling) else None

    def arrays(self) -> Arrays:
        return self._begun[-1].arrays()

    def state(self) -> State:
        return {"stages": [s.state() for s in self._begun]}

    def restore(self, saved: Saved, done: int) -> None:
        """Goes on from the state of an equal chain after so many rounds."""
        self._begun = [self._stages[0](None)]
        stages = saved.at("stages").items(least=1, most=len(self._stages))
        for number, one in enumerate(stages):
            if number:
                done -= self._begun[-1].rounds
                self._begin()
            is_last = number + 1 == len(stages)
            if done < 0:
                raise one.wrong("a stage that has begun")
            self._begun[-1].restore(one, done if is_last else min(done, self._begun[-1].rounds))
        if done > self._begun[-1].rounds:
            raise saved.at("stages").wrong("stages of as many rounds as the records are of")
