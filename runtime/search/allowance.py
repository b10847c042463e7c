"""The time that a search may take: what is left of it, and what is given up to keep it.

What a network takes for a sample is measured while candidates are trained; what the parts of the
search would take by that decides again and again how much of them is done (`plans.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from time import perf_counter
from typing import Any

from ..parallel.processes import gathered
from ..runs.saved import Saved
from ..settings import Settings
from .plans import Plan, Work

MEMORY = 0.5
"""How much counts what was measured before: in small groups, as the first, networks take longer."""


class Allowance:
    """The seconds that a search and its controls may take; without a limit nothing is given up.

    They are counted from when it is made, those of earlier parts of a search that goes on, too.
    """

    def __init__(
        self,
        seconds: float = inf,
        controls: int = 0,
        before: float = 0.0,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """`controls` are the networks that are trained after the search.

        So many seconds have passed `before`.
        """
        self.seconds, self.controls = seconds, controls
        self._clock = clock or perf_counter
        self._before, self._since = before, self._clock()
        self._took = self._samples = 0.0
        self._groups = 0
        self._work: Work | None = None
        self._plan: Plan | None = None

    @classmethod
    def of(cls, settings: Settings, controls: int = 0, before: float = 0.0) -> Allowance:
        """What settings allow."""
        return cls(60 * settings.minutes or inf, controls, before)

    # Time

    @property
    def is_limited(self) -> bool:
        """Whether there is a limit."""
        return self.seconds < inf

    @property
    def elapsed(self) -> float:
        """The seconds since the search began."""
        return self._before + self._clock() - self._since

    @property
    def left(self) -> float:
        """The seconds that are left, the same in processes that run together."""
        return float(gathered(self.seconds - self.elapsed)[0])

    def learn(self, start: float, samples: int) -> None:
        """Learns what networks take: since `start`, some were trained on so many samples.

        What the first ones took is forgotten when others follow: with them much is done once.
        """
        memory = MEMORY if self.is_measured else 0.0
        self._took = memory * self._took + self.elapsed - start
        self._samples = memory * self._samples + samples
        self._groups += 1

    @property
    def is_measured(self) -> bool:
        """Whether it is known what a network takes that is not among the first ones."""
        return self._groups > 1

    def expected(self, samples: float) -> float:
        """The seconds that it takes to train a network on so many samples."""
        rate = gathered(self._took / self._samples)[0] if self._samples else 0.0
        return float(rate) * samples

    # What is done in it

    def begin(self, work: Work) -> None:
        """Plans all of the work, where nothing is planned yet."""
        self._work, self._plan = work, self._plan or work.whole

    @property
    def work(self) -> Work:
        """What the search does if nothing is given up."""
        assert self._work is not None, "a search that keeps a limit begins with its work"
        return self._work

    @property
    def plan(self) -> Plan:
        """What is to be done, as it was decided last."""
        assert self._plan is not None, "as above"
        return self._plan

    def decide(self, done: Plan, level: int) -> Plan:
        """Plans what can be done in the time that is left; so much is done, up to a rung.

        By the first networks that is decided only where they are all that there are.
        """
        is_known = self.is_measured or done.rungs == self.work.whole.rungs
        rate, left = self.expected(1) if is_known else 0.0, self.left
        self._plan = self.work.first_within(done, level, left / rate if rate else inf)
        return self._plan

    def is_compared(self) -> bool:
        """Whether there is time to compare finalists by folds."""
        return not self.is_limited or self.plan.finalists > 0

    @property
    def given_up(self) -> dict[str, str]:
        """What is not done, part by part, in the order in which it is given up."""
        if self._work is None or self._plan is None:
            return {}
        whole, plan = self._work.whole, self._plan
        found: dict[str, str] = {}
        if plan.finalists < whole.finalists:
            compared = f"{plan.finalists or 'none'} of {whole.finalists} finalists compared"
            found["folds"] = compared if plan.finalists else f"{compared}; validation alone decides"
        if plan.rungs != whole.rungs:
            pairs = zip(plan.rungs, whole.rungs, strict=True)
            rungs = ", then ".join(f"{one} of {most}" for one, most in pairs)
            found["candidates"] = f"{rungs} trained"
        return found

    # Checkpoints

    def state(self) -> dict[str, Any]:
        """What `restore` goes on from."""
        plan = self.plan
        return {
            "seconds": self.elapsed,
            "took": self._took,
            "samples": self._samples,
            "groups": self._groups,
            "rungs": list(plan.rungs),
            "finalists": plan.finalists,
            "controls": plan.controls,
        }

    def restore(self, saved: Saved) -> None:
        """Goes on with the plan of an equal search; raises DiagnosticError where it is none."""
        whole = self.work.whole
        rows = saved.at("rungs").items(least=len(whole.rungs), most=len(whole.rungs))
        pairs = zip(rows, whole.rungs, strict=True)
        self._plan = Plan(
            tuple(row.integer(1, most) for row, most in pairs),
            saved.at("finalists").integer(most=whole.finalists),
            saved.at("controls").integer(),
        )
        self._before += saved.at("seconds").number(0)
        self._took = saved.at("took").number(0)
        self._samples = saved.at("samples").number(0)
        self._groups = saved.at("groups").integer()
