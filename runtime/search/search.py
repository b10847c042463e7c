"""Searching the holes of a specification: the loop around a strategy.

Round by round, the strategy finds genotypes and scores them on validation; the best one is kept,
the later one on ties. After every round the run is recorded and a checkpoint written, so that a run
that was killed goes on with the same numbers. The test split is never read.
"""

from __future__ import annotations

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
from ...compiler.network.choices import Choices, fill, listed
from ...compiler.network.holes import Relaxation
from ...compiler.network.network import Network
from ...compiler.system.display import Displayed
from ...compiler.system.files import is_there
from .. import tuning
from ..data.checks import data_warnings, metric_warnings, warn
from ..data.classes import with_names
from ..data.dataset import Dataset, load_data, names_read
from ..data.files import Arrays, Source
from ..data.identity import DataIdentity, data_identity, stated_identity
from ..data.seen import weighted
from ..data.sources import Data, source_of
from ..data.split import TRAIN, VALIDATION
from ..latency.profile import Profile, read_profile
from ..metrics import selection_metric
from ..parallel.interrupt import Interrupt, Interrupted
from ..parallel.processes import gathered, join, rank, require_equal
from ..parallel.threads import computing
from ..runs.begin import begun
from ..runs.checkpoint import (
    State,
    identity_of,
    random_state,
    read_checkpoint,
    read_random_state,
    restore_random_state,
    stopping_on_signals,
    write_checkpoint,
)
from ..runs.ensemble import write_ensemble
from ..runs.folder import RunFolder, of_a_genotype
from ..runs.history import line_of, plain, read_lines
from ..runs.names import CHECKPOINT, ENSEMBLE_FOLDER, SEARCH_WEIGHTS, SPECIFICATION
from ..runs.saved import Saved
from ..runs.tensorboard import watching
from ..settings import NOT_DECIDING, RULE_NAMES, Settings
from ..strategies import VARYING
from ..training.finite import no_finite_loss, not_finite_at
from ..training.fitting import Report, device_of, require_trainable, seeded
from ..training.modality_dropout import require_several_modalities
from ..training.objective import Objective
from ..tuning import Own
from .budgets import Budgets
from .candidates.saved import saved_arrays, saved_choices, saved_own
from .chain import Chain
from .meter import Meter, unit_macs, unit_program
from .strategies import strategy_of
from .strategy import HeldOut, Problem, Round
from .variants import budgets_of

STAGE = "search"
LONGEST = 1_000_000_000
"""Characters of all records of a search."""


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
    data: Data,
    *,
    out: str | PathLike[str] | None = None,
    settings: Settings | None = None,
    overwrite: bool = False,
    resume: bool = False,
    report: Report | None = None,
    **options: Any,
) -> SearchResult:
    """Searches the holes of a specification; `options` override `settings` by name.

    `data` is a file, a folder, or what Python holds: arrays by name, a table, samples
    (`data/sources.py`). With `out`, everything that is needed to repeat
    the run is written there, and a checkpoint after every round and on SIGTERM and SIGINT, from
    which `resume` goes on. Raises DiagnosticError where the specification, the data or the settings
    cannot be used, and warns (`DataWarning`) where data are to be doubted.
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
    data = source_of(data)
    network = with_names(network, data)
    here = settings.with_options(device=join(settings.device))
    with begun(out, "search", overwrite, resume=resume) as folder, computing(settings.threads):
        samples = weighted(
            load_data(data, network, settings.split_seed, settings.memory), network, settings
        )
        doubts = data_warnings(samples, network)
        for part in (TRAIN, VALIDATION):
            require_trainable(samples, (part,), settings)
        Objective.of(network.head, torch.from_numpy(samples.labels[samples.indices(TRAIN)]))
        run: _Run | None = None
        if folder is not None:
            measured = profile.text() if profile else ""
            deciding = settings.usual(NOT_DECIDING).to_toml()
            used = _identity(data, network, folder, resume)
            parts = (str(network.space), deciding, used.digest, measured)
            run = _Run(folder, identity_of(*parts), resume, used)
        doubts += metric_warnings(samples, network.head, VALIDATION)
        warned = warn(doubts) if rank() == 0 else []
        result = _search(network, samples, here, budgets, report, run)
        if run is not None and rank() == 0:
            _write(result, run.folder, settings, profile)
            run.folder.write_about(run.data.record(), cost=dict(result.cost), warnings=warned)
    return result


def _write(
    result: SearchResult,
    folder: RunFolder,
    settings: Settings,
    profile: Profile | None,
) -> None:
    """Writes what was searched, how, and what was found."""
    folder.write_spec(SPECIFICATION, result.space)
    folder.write_settings(settings)
    if profile is not None:
        folder.write_profile(profile)
    folder.write_tensors(SEARCH_WEIGHTS, result.weights)
    folder.write_genotype(result.genotype, result.training)
    if result.ensemble is not None:
        found = RunFolder(folder.path / ENSEMBLE_FOLDER)
        write_ensemble(result.ensemble, found, result.member_training)


def _identity(data: Source, network: Network, folder: RunFolder, resume: bool) -> DataIdentity:
    """What identifies the data; raises DiagnosticError where a run goes on with other ones."""
    known = stated_identity(folder.data()) if resume else None
    identity = data_identity(data, names_read(network), known)
    if known is not None and is_there(folder.path / CHECKPOINT):
        known.require_same(identity)
    return identity


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
        if run is not None and (saved := run.read()) is not None:
            loop.restore(saved)
        if run is None:
            loop.run(report, lambda: None)
        else:
            if rank() == 0:
                if not loop.history:
                    run.folder.begin_search()
                run.folder.begin_history(loop.history)
                run.folder.write_data(run.data.record(times=True))
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
    data: DataIdentity

    @property
    def _checkpoint(self) -> Path:
        return self.folder.path / CHECKPOINT

    def read(self) -> Saved | None:
        found = read_checkpoint(self._checkpoint, self.identity) if self.resume else None
        saved = None if found is None else Saved(found, str(self._checkpoint))
        require_equal("checkpoints", "" if saved is None else saved.at("history").text(LONGEST))
        return saved

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
        self.history.append(plain({**record, "cost": self.problem.meter.cost}))

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
            "history": "".join(line_of(STAGE, record) for record in self.history),
            "best": None if best is None else best.state(),
        }

    def restore(self, saved: Saved) -> None:
        """Goes on from a checkpoint; raises DiagnosticError where it is none of this search."""
        device, generator = self.problem.device, self.problem.generator
        self.history = self._records(saved.at("history"))
        self.strategy.restore(saved.at("strategy"), len(self.history))
        random = [
            read_random_state(one, device, generator) for one in saved.at("random").items(least=1)
        ]
        self.problem.meter.restore(saved.at("meter"))
        best = saved.optional("best")
        self._best = None if best is None else _Best.restored(best, self.problem)
        if not self._is_recorded(self._best):
            raise saved.at("best").wrong("what the records say is the best")
        saved.require_read()
        restore_random_state(random[rank() % len(random)], device, generator)

    def _is_recorded(self, best: _Best | None) -> bool:
        """Whether it is what the records say was the best so far."""
        kept = [r["best_round"] for r in self.history if "best_round" in r]
        if best is None or kept[-1:] != [best.round] or best.round > len(self.history):
            return best is None and not kept
        record, (_, score) = self.history[best.round - 1], best.rank
        genotype, metric = fill(self.problem.network, best.choices), self.problem.network.head.kind
        told = record.get(selection_metric(metric), score)
        return (record.get("genotype"), told) == (str(genotype), score)

    def _records(self, saved: Saved) -> list[dict[str, Any]]:
        records = read_lines(saved.text(LONGEST), saved.file)
        for number, record in enumerate(records, 1):
            if record.pop("stage") != STAGE or record.get("round") != number:
                raise saved.wrong(f"records of rounds, of which the line {number} is none")
        return records


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
    def restored(cls, saved: Saved, problem: Problem) -> _Best:
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
