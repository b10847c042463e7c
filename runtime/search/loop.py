"""The loop around a strategy: its rounds, and the best of what they find.

Round by round, the strategy finds genotypes and scores them on validation; the best one is kept,
the later one on ties.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from ...compiler.check.check import checked
from ...compiler.language.ensemble import Ensemble, EnsembleMember
from ...compiler.language.spec import Spec
from ...compiler.network.choices import Choices, fill, listed
from ...compiler.system.display import Displayed
from .. import tuning
from ..data.files import Arrays
from ..metrics import selection_metric
from ..parallel.processes import gathered, rank, require_equal
from ..runs.beside import of_a_genotype
from ..runs.checkpoint import State
from ..runs.history import line_of, plain
from ..runs.names import GIVEN_UP
from ..runs.randomness import random_state, read_random_state, restore_random_state
from ..runs.read import FinishedRun, Search, records
from ..runs.saved import Saved
from ..settings import Settings
from ..training.finite import no_finite_loss, not_finite_at
from ..training.fitting import Report
from ..training.kept import HISTORY, records_in
from ..tuning import Own
from .candidates.saved import saved_arrays, saved_choices, saved_own
from .chain import Chain
from .strategy import HeldOut, Problem, Round

STAGE, ALLOWANCE = "search", "allowance"


@dataclass(frozen=True, repr=False)
class SearchResult(Displayed):
    """The genotype of the best round, the weights that it was scored with, and every record.

    `weights` are a hypernet's, architecture parameters included, or a trained candidate's.
    `cost` is in `weight_steps` (see `meter.py`) and `seconds`; `space` is what was searched,
    with `settings`. Where finalists were compared by folds, `ensemble` is the best mean of them.
    `training` are the settings that the genotype was trained with, where it was by itself,
    `candidate_training` those of the best candidate, which is that genotype or stands below it, and
    `member_training` those of the members; `held_out` is what folds know of them. `given_up` is
    what was not done to keep a limit of time, part by part.
    """

    space: Spec
    settings: Settings
    genotype: Spec
    best_round: int
    weights: Mapping[str, NDArray[Any]]
    history: tuple[dict[str, Any], ...]
    cost: Mapping[str, float]
    ensemble: Ensemble | None = None
    training: Settings | None = None
    candidate_training: Settings | None = None
    member_training: tuple[Settings | None, ...] = ()
    held_out: HeldOut | None = None
    given_up: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        """The round that was kept, what it scored, and what the search cost."""
        score = self.score
        metric = self.run.search.metric if self.run.search else ""
        scored = "" if score is None else f", {metric} {score:.4f}"
        kept = f"round {self.best_round} of {len(self.history)} kept{scored}"
        steps, seconds = self.cost["weight_steps"], self.cost["seconds"]
        cost = f"{steps:,.0f} weight steps in {seconds:,.1f} s"
        return f"SearchResult({self.name}: {kept}; {cost})"

    def __str__(self) -> str:
        return f"round {self.best_round} of {len(self.history)} was kept:\n\n{self.genotype}"

    @property
    def name(self) -> str:
        """What a reader calls it."""
        return f"{self.settings.strategy}, seed {self.settings.seed}"

    @property
    def score(self) -> float | None:
        """What the round that was kept scored, where that is known."""
        return self.run.search.score if self.run.search else None

    @property
    def run(self) -> FinishedRun:
        """The search as a run that stands in no folder."""
        network, rounds = checked(self.space), records(self.history, "round")
        about = {"cost": dict(self.cost), GIVEN_UP: dict(self.given_up)}
        found = Search(network, self.settings, about, rounds, None)
        return FinishedRun(Path(self.name), self.genotype, found, None, self.ensemble)


class Loop:
    """The rounds of a strategy, what they found, and the best of it."""

    def __init__(self, problem: Problem, strategy: Chain) -> None:
        self.problem, self.strategy = problem, strategy
        self.history: list[dict[str, Any]] = []
        self._best: Best | None = None

    def run(self, report: Report | None, keep: Callable[[], None]) -> None:
        """Does the rounds that are left; calls `keep` after each of them, then `report`."""
        while len(self.history) < self.strategy.rounds:
            found = self.strategy.round(len(self.history))
            self._add(found)
            keep()
            if report is not None and rank() == 0:
                report(self.history[-1])

    def _add(self, found: Round) -> None:
        number, choices = len(self.history) + 1, found.choices
        if choices is not None and not self.problem.budgets.admits(choices):
            raise AssertionError("a strategy chose beyond the budgets")
        genotype = None if choices is None else fill(self.problem.network, choices)
        record: dict[str, Any] = {"round": number, "rounds": self.strategy.rounds, **found.values}
        if genotype is not None:
            record["genotype"] = str(genotype)
            require_equal("genotypes", str(genotype))
        if choices is not None:
            rank = (found.level, found.score)
            if self._best is None or rank >= self._best.rank:
                arrays = self.strategy.arrays()
                self._best = Best(rank, number, choices, arrays, found.own)
            record["best_round"] = self._best.round
        self.history.append(plain({**record, "cost": self.problem.meter.cost}))

    def result(self) -> SearchResult:
        best = self._best
        if best is None:
            failures = [str(h["failure"]) for h in self.history if "failure" in h]
            raise no_finite_loss(failures[-1] if failures else not_finite_at(None))
        genotype = fill(self.problem.network, best.choices)
        history, cost = tuple(self.history), self.problem.meter.cost
        held_out = self.strategy.held_out()
        return SearchResult(
            self.problem.network.space,
            self.problem.settings,
            genotype,
            best.round,
            best.arrays,
            history,
            cost,
            self._ensemble(),
            self._trained(best.own),
            self._trained(best.own if held_out is None else held_out.own),
            tuple(self._trained(one.own) for one in self.strategy.members()),
            held_out,
            self.problem.allowance.given_up,
        )

    def _trained(self, own: Own) -> Settings | None:
        """How to train what a search found: as its candidates are; None where it has none."""
        settings = self.problem.settings
        if not settings.trains_candidates:
            return None
        trained = settings.with_options(epochs=settings.trial_epochs, **dict(own))
        return Settings(**of_a_genotype(trained))

    def _ensemble(self) -> Ensemble | None:
        network, members = self.problem.network, self.strategy.members()
        found = tuple(EnsembleMember(fill(network, one.choices), one.weight) for one in members)
        return Ensemble(found) if found else None

    def state(self) -> State:
        best = self._best
        allowance = self.problem.allowance
        return {
            **({ALLOWANCE: allowance.state()} if allowance.is_limited else {}),
            "strategy": self.strategy.state(),
            "random": gathered(random_state(self.problem.device, self.problem.generator)),
            "meter": self.problem.meter.state(),
            HISTORY: "".join(line_of(STAGE, record) for record in self.history),
            "best": None if best is None else best.state(),
        }

    def restore(self, saved: Saved) -> None:
        """Goes on from a checkpoint; raises DiagnosticError where it is none of this search."""
        device, generator = self.problem.device, self.problem.generator
        self.history = records_in(saved.at(HISTORY), STAGE, "round")
        if self.problem.allowance.is_limited:
            self.problem.allowance.restore(saved.at(ALLOWANCE))
        self.strategy.restore(saved.at("strategy"), len(self.history))
        random = [
            read_random_state(one, device, generator) for one in saved.at("random").items(least=1)
        ]
        self.problem.meter.restore(saved.at("meter"))
        best = saved.optional("best")
        self._best = None if best is None else Best.restored(best, self.problem)
        if not self._is_recorded(self._best):
            raise saved.at("best").wrong("what the records say is the best")
        saved.require_read()
        restore_random_state(random[rank() % len(random)], device, generator)

    def _is_recorded(self, best: Best | None) -> bool:
        """Whether it is what the records say was the best so far."""
        kept = [r["best_round"] for r in self.history if "best_round" in r]
        if best is None or kept[-1:] != [best.round] or best.round > len(self.history):
            return best is None and not kept
        record, (_, score) = self.history[best.round - 1], best.rank
        genotype, kind = fill(self.problem.network, best.choices), self.problem.network.head.kind
        told = record.get(selection_metric(kind), score)
        return (record.get("genotype"), told) == (str(genotype), score)


@dataclass(frozen=True)
class Best:
    """The best round so far."""

    rank: tuple[tuple[int, ...], float]
    round: int
    choices: Choices
    arrays: Arrays
    own: Own

    def state(self) -> State:
        level, score = self.rank
        return {
            "level": list(level),
            "score": score,
            "round": self.round,
            "choices": listed(self.choices),
            "own": tuning.listed(self.own),
            "arrays": {name: torch.from_numpy(a) for name, a in self.arrays.items()},
        }

    @classmethod
    def restored(cls, saved: Saved, problem: Problem) -> Best:
        """The best round in a checkpoint; raises DiagnosticError where it is none."""
        level = tuple(one.integer() for one in saved.at("level").items(least=1, most=9))
        choices = saved_choices(saved.at("choices"), problem)
        return cls(
            (level, saved.at("score").number()),
            saved.at("round").integer(1),
            choices,
            saved_arrays(saved.at("arrays"), problem, choices),
            saved_own(saved.at("own"), problem),
        )
