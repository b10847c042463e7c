"""Searching the holes of a specification: what is read before, and what is written of it.

After every round the run is recorded and a checkpoint written, so that a run that was killed goes
on with the same numbers. The test split is never read.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from os import PathLike
from typing import Any, cast

import torch

from ...compiler.check.check import checked
from ...compiler.diagnostics.diagnostic import fail, one_of
from ...compiler.language.nodes import Budget, RuleRequirement
from ...compiler.language.spec import Spec
from ...compiler.load import Given, spec_of
from ...compiler.network.holes import Relaxation
from ...compiler.network.network import Network
from ...compiler.program.program import Program
from ...compiler.system.display import usual_report
from ...compiler.system.files import is_there
from ...compiler.tools.meaning import meaning
from ..data.checks import data_warnings, metric_warnings, warn
from ..data.classes import with_names
from ..data.dataset import Dataset, names_read
from ..data.files import Source
from ..data.guidance import guidance, unused_by
from ..data.identity import DataIdentity, data_identity, stated_identity
from ..data.seen import Readings
from ..data.sources import Data, source_of
from ..data.split import TRAIN, VALIDATION
from ..fields import NOT_DECIDING, RULE_NAMES
from ..latency.profile import Profile, read_profile
from ..parallel.interrupt import Interrupt, Interrupted, stopping_on_signals
from ..parallel.processes import join, rank
from ..parallel.threads import computing
from ..runs.begin import begun
from ..runs.ensemble import write_ensemble
from ..runs.folder import RunFolder
from ..runs.identity import run_identity
from ..runs.names import CHECKPOINT, ENSEMBLE_FOLDER, GIVEN_UP, SEARCH_WEIGHTS, SPECIFICATION
from ..runs.tensorboard import watching
from ..settings import Settings
from ..strategies import SAMPLED, VARYING
from ..training.fitting import Report, device_of, require_trainable, seeded
from ..training.kept import KeptRun
from ..training.modality_dropout import require_several_modalities
from ..training.objective import Objective
from ..training.own_functions import OwnFunctions, functions_in
from .allowance import Allowance
from .budgets import Budgets
from .candidates.room import require_room_for_candidates
from .loop import Loop, SearchResult
from .meter import Meter, unit_macs, unit_program
from .strategies import strategy_of
from .strategy import Problem
from .variants import budgets_of


def search(
    spec: Given,
    data: Data,
    *,
    out: str | PathLike[str] | None = None,
    settings: Settings | None = None,
    overwrite: bool = False,
    resume: bool = False,
    readings: Readings | None = None,
    report: Report | None = None,
    allowance: Allowance | None = None,
    **options: Any,
) -> SearchResult:
    """Searches the holes of a specification; `options` override `settings` by name.

    `spec` is a Spec, a file, a text or a Graph. `data` is a file, a folder, or what Python holds:
    arrays by name, a table, samples (`data/sources.py`). With `out`, everything that is needed to
    repeat the run is written there, and a checkpoint after every round and on SIGTERM and SIGINT,
    from which `resume` goes on. The setting `loss` may be a function or module of one's own, as in
    `train`, and `metrics` names, objects and functions, which are recorded and decide nothing.
    What `readings` have of the data is not read again. The `allowance` is the time that it may take
    with what comes after it; by default what the settings allow from now on. Raises DiagnosticError
    where the specification, the data or the settings cannot be used, and warns (`DataWarning`)
    where data are to be doubted.
    """
    functions, options = functions_in(options)
    settings = (settings or Settings()).with_options(**options)
    allowance = allowance or Allowance.of(settings)
    network = checked(with_rule(spec_of(spec), settings))
    if not network.has_holes:
        message = f"`{network.name}` has no hole, so there is nothing to search"
        raise fail("E403", message, help="train it: `fusewright train`")
    _require_choosing(network, settings)
    require_several_modalities(network, settings)
    profile = read_profile(settings.profile) if settings.profile else None
    budgets = budgets_of(network, cast(Relaxation, settings.relax), profile)
    budgets.require_possible()
    data = source_of(data)
    network = with_names(network, data)
    here = settings.with_options(device=join(settings.device))
    with begun(out, "search", overwrite, resume=resume) as folder, computing(settings.threads):
        samples = (readings or Readings()).weighted(data, network, settings)
        settings, here = (one.for_samples(samples.learned) for one in (settings, here))
        for part in (TRAIN, VALIDATION):
            require_trainable(samples, (part,), settings)
        learned = torch.from_numpy(samples.labels[samples.indices(TRAIN)])
        Objective.of(network.head, learned, settings, functions)
        run: KeptRun | None = None
        if folder is not None:
            measured = profile.text() if profile else ""
            used = _identity(data, network, folder, resume)
            deciding = asdict(settings.usual(NOT_DECIDING))
            identity = run_identity(
                deciding, specification=meaning(network), data=used.digest, profile=measured
            )
            run = KeptRun(folder, identity, resume, used)
        unit = unit_program(network)
        doubts = data_warnings(samples, network) + guidance(samples, network, unit)
        doubts += metric_warnings(samples, network.head, VALIDATION)
        warned = warn(doubts) if rank() == 0 else []
        told = report or usual_report("search")
        result = _search(network, samples, here, functions, budgets, told, run, unit, allowance)
        warned += warn(unused_by(result.genotype)) if rank() == 0 else []
        if run is not None and rank() == 0:
            _write(result, run.folder, settings, profile)
            given_up = {GIVEN_UP: result.given_up} if result.given_up else {}
            cost = dict(result.cost)
            run.folder.write_about(run.data.record(), cost=cost, warnings=warned, **given_up)
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
    functions: OwnFunctions,
    budgets: Budgets,
    report: Report | None,
    run: KeptRun | None,
    unit: Program,
    allowance: Allowance,
) -> SearchResult:
    device = device_of(settings)
    relax = cast(Relaxation, settings.relax)
    with seeded(settings.seed, device) as generator:
        interrupt = Interrupt()
        meter = Meter(unit_macs(unit), settings.batch)
        problem = Problem(
            network, data, settings, device, relax, meter, generator, interrupt, budgets, unit,
            functions=functions, allowance=allowance,
        )  # fmt: skip
        loop = Loop(problem, strategy_of(problem))
        if run is not None and (saved := run.read()) is not None:
            loop.restore(saved)
        if run is None:
            loop.run(report, lambda: None)
        else:
            if settings.strategy in SAMPLED and not loop.history:
                require_room_for_candidates(problem)
            if rank() == 0:
                if not loop.history:
                    run.folder.begin_search()
                run.folder.begin_history(loop.history)
                run.folder.write_data(run.data.record(times=True))
            with stopping_on_signals(interrupt):
                _run_kept(loop, report, run)
    return loop.result()


def _run_kept(loop: Loop, report: Report | None, run: KeptRun) -> None:
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


def _require_choosing(network: Network, settings: Settings) -> None:
    """Raises DiagnosticError where a strategy cannot choose what the space leaves open."""
    if network.global_holes and settings.strategy not in VARYING:
        named = one_of([hole.place for hole in network.global_holes])
        searched = f"`{settings.strategy}` searches one variant of a specification"
        message = f"{searched}, so it cannot choose {named}"
        remedy = f"search with {one_of(VARYING)}, or set numbers: `--set C=64`"
        raise fail("E405", message, network.global_holes[0].span, help=remedy)


def with_rule(spec: Spec, settings: Settings) -> Spec:
    """The specification under the rule of the settings, where they name one."""
    if not settings.rule:
        return spec
    budgets = tuple(r for r in spec.requirements if isinstance(r, Budget))
    rule = RuleRequirement(RULE_NAMES[settings.rule])
    return replace(spec, requirements=(rule, *budgets))
