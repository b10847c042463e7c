"""Searching the holes of a specification: the loop around a strategy.

Round by round, the strategy finds genotypes and scores them on validation; the best one is kept,
the later one on ties. After every round the run is recorded and a checkpoint written, so that a run
that was killed goes on with the same numbers. The test split is never read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, cast

import torch
from numpy.typing import NDArray

from ...compiler.check.check import checked
from ...compiler.diagnostics.diagnostic import fail, one_of
from ...compiler.language.ensemble import Ensemble, EnsembleMember
from ...compiler.language.nodes import Budget, RuleRequirement
from ...compiler.language.spec import Spec
from ...compiler.network.choices import Choices, choices_of, fill, listed
from ...compiler.network.holes import Relaxation
from ...compiler.network.network import Network
from ...compiler.system.display import Displayed
from .. import tuning
from ..data.dataset import TRAIN, VALIDATION, Dataset, Source, load_data
from ..data.files import Arrays
from ..data.seen import weighted
from ..latency.profile import read_profile
from ..parallel.interrupt import Interrupt, Interrupted
from ..parallel.processes import gathered, join, rank, require_equal
from ..parallel.threads import computing
from ..runs.checkpoint import (
    State,
    identity_of,
    random_state,
    read_checkpoint,
    restore_random_state,
    stopping_on_signals,
    write_checkpoint,
)
from ..runs.ensemble import write_ensemble
from ..runs.folder import RunFolder, of_a_genotype
from ..runs.names import CHECKPOINT, ENSEMBLE_FOLDER, SEARCH_WEIGHTS
from ..runs.tensorboard import watching
from ..settings import RULE_NAMES, Settings
from ..strategies import VARYING
from ..training.finite import no_finite_loss, not_finite_at
from ..training.fitting import Report, device_of, require_trainable, seeded
from ..training.modality_dropout import require_several_modalities
from ..training.objective import Objective
from ..tuning import Own
from .budgets import Budgets
from .chain import Chain
from .meter import Meter, unit_macs, unit_program
from .strategies import strategy_of
from .strategy import HeldOut, Problem, Round
from .variants import budgets_of


@dataclass(frozen=True)
class SearchResult(Displayed):
    """The genotype of the best round, the weights that it was scored with, and every record.

    `weights` are a hypernet's, architecture parameters included, or a trained candidate's.
    `cost` is in `weight_steps` (see `meter.py`) and `seconds`; `space` is what was searched,
    with `settings`. Where finalists were compared by folds, `ensemble` is the best mean of them.
    `training` are the settings that the genotype was trained with, where it was by itself,
    `member_training` those of the members, and `held_out` what folds know of both.
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
    member_training: tuple[Settings | None, ...] = ()
    held_out: HeldOut | None = None


def search(
    spec: Spec,
    data: Source,
    *,
    out: str | PathLike[str] | None = None,
    settings: Settings | None = None,
    overwrite: bool = False,
    resume: bool = False,
    report: Report | None = None,
    **options: Any,
) -> SearchResult:
    """Searches the holes of a specification; `options` override `settings` by name.

    `data` is a file, a folder, or arrays by name. With `out`, everything that is needed to repeat
    the run is written there, and a checkpoint after every round and on SIGTERM and SIGINT, from
    which `resume` goes on. Raises DiagnosticError where the specification, the data or the settings
    cannot be used.
    """
    settings = (settings or Settings()).with_options(**options)
    network = checked(with_rule(spec, settings))
    if not network.has_holes:
        message = f"`{network.name}` has no hole, so there is nothing to search"
        raise fail("E403", message, help="train it: `fusewright train`")
    _require_choosing(network, settings)
    require_several_modalities(network, settings)
    profile = read_profile(settings.profile) if settings.profile else None
    budgets = budgets_of(network, cast(Relaxation, settings.relax), profile)
    budgets.require_possible()
    if resume and out is None:
        raise fail("E506", "there is no run folder to resume from", help="give `out=…`")
    samples = weighted(load_data(data, network, settings.split_seed), network, settings)
    for part in (TRAIN, VALIDATION):
        require_trainable(samples, (part,), settings)
    Objective.of(network.head, torch.from_numpy(samples.labels[samples.indices(TRAIN)]))
    run: _Run | None = None
    if out is not None:
        folder = RunFolder.create(out, "search", overwrite, resume=resume)
        measured = profile.text() if profile else ""
        deciding = settings.with_options(tensorboard=False, profile="", threads=0).to_toml()
        identity = identity_of(str(network.space), deciding, samples.digest(), measured)
        run = _Run(folder, identity, resume)
    here = settings.with_options(device=join(settings.device))
    with computing(settings.threads):
        result = _search(network, samples, here, budgets, report, run)
    if run is not None and rank() == 0:
        run.folder.write_run(
            network.space, settings, data, cost=dict(result.cost), seen=samples.seen
        )
        if profile is not None:
            run.folder.write_profile(profile)
        run.folder.write_tensors(SEARCH_WEIGHTS, result.weights)
        run.folder.write_genotype(result.genotype, result.training)
        if result.ensemble is not None:
            folder = RunFolder(run.folder.path / ENSEMBLE_FOLDER)
            write_ensemble(result.ensemble, folder, result.member_training)
    return result


def _search(
    network: Network,
    data: Dataset,
    settings: Settings,
    budgets: Budgets,
    report: Report | None,
    run: _Run | None,
) -> SearchResult:
    device = device_of(settings)
    relax = cast(Relaxation, settings.relax)
    with seeded(settings.seed, device) as generator:
        unit, interrupt = unit_program(network), Interrupt()
        meter = Meter(unit_macs(unit), settings.batch)
        problem = Problem(
            network, data, settings, device, relax, meter, generator, interrupt, budgets, unit
        )
        loop = _Loop(problem, strategy_of(problem))
        if run is not None and (state := run.read()) is not None:
            loop.restore(state)
        if run is None:
            loop.run(report, lambda: None)
        else:
            if rank() == 0:
                if not loop.history:
                    run.folder.begin_search()
                run.folder.begin_history(loop.history)
            with stopping_on_signals(interrupt):
                _run_kept(loop, report, run)
    return loop.result()


def _run_kept(loop: _Loop, report: Report | None, run: _Run) -> None:
    """Runs a loop, recording every round; writes a checkpoint where it is asked to stop, too."""

    def keep() -> None:
        if rank() == 0:
            run.folder.append_history(loop.history[-1])
        watch(len(loop.history), loop.history[-1])
        run.write(loop.state())

    asked = loop.problem.settings.tensorboard and rank() == 0
    try:
        with watching(run.folder.path if asked else None, "search", loop.history) as watch:
            loop.run(report, keep)
    except Interrupted:
        run.write(loop.state())
        message = f"the search was stopped in round {len(loop.history) + 1}"
        raise fail("E510", message, help="go on with `--resume`") from None


@dataclass(frozen=True)
class _Run:
    """Where a search is kept, and whether it goes on with what is there."""

    folder: RunFolder
    identity: str
    resume: bool

    @property
    def _checkpoint(self) -> Path:
        return self.folder.path / CHECKPOINT

    def read(self) -> State | None:
        found = read_checkpoint(self._checkpoint, self.identity) if self.resume else None
        require_equal("checkpoints", "" if found is None else found["history"])
        return found

    def write(self, state: State) -> None:
        if rank() == 0:
            write_checkpoint(self._checkpoint, self.identity, state)


class _Loop:
    """The rounds of a strategy, what they found, and the best of it."""

    def __init__(self, problem: Problem, strategy: Chain) -> None:
        self.problem, self.strategy = problem, strategy
        self.history: list[dict[str, Any]] = []
        self._best: _Best | None = None

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
                self._best = _Best(rank, number, choices, arrays, found.own)
            record["best_round"] = self._best.round
        self.history.append({**record, "cost": self.problem.meter.cost})

    def result(self) -> SearchResult:
        best = self._best
        if best is None:
            failures = [str(h["failure"]) for h in self.history if "failure" in h]
            raise no_finite_loss(failures[-1] if failures else not_finite_at(None))
        genotype = fill(self.problem.network, best.choices)
        history, cost = tuple(self.history), self.problem.meter.cost
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
            tuple(self._trained(one.own) for one in self.strategy.members()),
            self.strategy.held_out(),
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
        return {
            "strategy": self.strategy.state(),
            "random": gathered(random_state(self.problem.device, self.problem.generator)),
            "meter": self.problem.meter.state(),
            "history": json.dumps(self.history),
            "best": None if best is None else best.state(),
        }

    def restore(self, state: State) -> None:
        self.strategy.restore(state["strategy"])
        own = state["random"][rank() % len(state["random"])]
        restore_random_state(own, self.problem.device, self.problem.generator)
        self.problem.meter.restore(state["meter"])
        self.history = json.loads(state["history"])
        self._best = None if state["best"] is None else _Best.restored(state["best"])


@dataclass(frozen=True)
class _Best:
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
    def restored(cls, state: State) -> _Best:
        arrays = {name: t.numpy() for name, t in state["arrays"].items()}
        rank = (tuple(state["level"]), float(state["score"]))
        choices, own = choices_of(state["choices"]), tuning.own_of(state["own"])
        return cls(rank, state["round"], choices, arrays, own)


def _require_choosing(network: Network, settings: Settings) -> None:
    """Raises DiagnosticError where a strategy cannot choose what the space leaves open."""
    if network.global_holes and settings.strategy not in VARYING:
        named = one_of([hole.place for hole in network.global_holes])
        message = f"`{settings.strategy}` shares weights, so it cannot choose {named}"
        remedy = f"search with {one_of(VARYING)}, or set numbers: `--set C=64`"
        raise fail("E405", message, network.global_holes[0].span, help=remedy)


def with_rule(spec: Spec, settings: Settings) -> Spec:
    """The specification under the rule of the settings, where they name one."""
    if not settings.rule:
        return spec
    budgets = tuple(r for r in spec.requirements if isinstance(r, Budget))
    rule = RuleRequirement(RULE_NAMES[settings.rule])
    return replace(spec, requirements=(rule, *budgets))
