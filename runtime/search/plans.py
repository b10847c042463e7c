"""What a search does, part by part, and what of it is given up first where time is short.

Folds go before candidates, and candidates before controls. What has been done stays, and one
candidate that is trained to the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ..progress import clock_text

FEWEST = 2
"""Finalists that folds compare at least; a single one is compared with nothing."""
FIRST = 8
"""Candidates that are trained first, and as many then, to know what one takes."""
WORTHWHILE = 8
"""Candidates that are begun together at least, or half as many as before, where there is time for
more."""
CONTROL = 1.5
"""Candidates that a control takes the time of at least: few of them are trained together."""


@dataclass(frozen=True)
class Plan:
    """How much of each part is done.

    How many candidates are trained rung by rung, how many `finalists` folds compare, and how many
    networks are trained as `controls`.
    """

    rungs: tuple[int, ...]
    finalists: int
    controls: int


@dataclass(frozen=True)
class Work:
    """What a search does if nothing is given up, and what its parts cost.

    The cost of a part is counted in samples that networks are trained on. `epochs` are those after
    which the rungs end, `samples` those of an epoch of a candidate, `fold_samples` those of one of
    a finalist, over all folds. Where finalists are compared, so are controls.
    """

    whole: Plan
    epochs: tuple[int, ...]
    samples: int
    fold_samples: int

    def cost(self, plan: Plan) -> float:
        """The samples that a plan trains networks on, all in all."""
        before = (0, *self.epochs)
        spans = [end - start for start, end in zip(before, self.epochs, strict=False)]
        trained = sum(n * span for n, span in zip(plan.rungs, spans, strict=True))
        return (
            trained * self.samples
            + plan.finalists * self.epochs[-1] * self.fold_samples
            + self.cost_of_controls(plan)
        )

    def cost_of_controls(self, plan: Plan) -> float:
        """Those of its controls, among which is what was found, where folds have not trained it."""
        per_epoch = max(CONTROL * self.samples, self.fold_samples if plan.finalists else 0)
        count = plan.controls + bool(plan.controls and not plan.finalists)
        return count * self.epochs[-1] * per_epoch

    def most(self, done: Plan, level: int) -> Plan:
        """All that can still be done in the rung of this number, from 0, and after it."""
        rungs = self.whole.rungs
        for ended in range(level):
            rungs = cut(rungs, ended, done.rungs[ended])
        return replace(self.whole, rungs=rungs)

    def plans(self, done: Plan, level: int) -> Iterator[Plan]:
        """Plans of less and less, from all that can still be done to the least of it.

        So much is done; of rungs, that of `level` is the one that is trained.
        """
        plan = self.most(done, level)
        yield plan
        for finalists in range(plan.finalists - 1, done.finalists - 1, -1):
            if finalists >= FEWEST or not finalists:
                plan = replace(plan, finalists=finalists)
                yield plan
        for current in range(level, len(plan.rungs)):
            rungs, trained = plan.rungs, done.rungs[current]
            for count in range(rungs[current] - 1, max(1, trained) - 1, -1):
                if count == max(1, trained) or count >= trained + min(WORTHWHILE, trained // 2):
                    plan = replace(plan, rungs=cut(rungs, current, count))
                    yield plan
        for controls in range(plan.controls - 1, -1, -1):
            plan = replace(plan, controls=controls)
            yield plan

    def first_within(self, done: Plan, level: int, most: float) -> Plan:
        """The first of these whose cost beyond what is done is `most` at most; else the least."""
        plan = self.whole
        for plan in self.plans(done, level):
            if self.cost(plan) - self.cost(replace(done, controls=0)) <= most:
                break
        return plan


def cut(rungs: tuple[int, ...], level: int, count: int) -> tuple[int, ...]:
    """Rungs of which one has so many candidates, and those after it as many fewer, one at least."""
    own = rungs[level]
    after = (max(1, one * count // own) for one in rungs[level + 1 :])
    return (*rungs[:level], count, *after)


def said(given_up: Mapping[str, str], minutes: float) -> str:
    """What was given up to keep a limit of time, as one text; empty where that is nothing."""
    parts = "; ".join(f"{part}: {what}" for part, what in given_up.items())
    return f"given up to keep {clock_text(60 * minutes)}: {parts}" if parts else ""
