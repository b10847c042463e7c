"""Training a discrete network on the training and validation splits; the last epoch is kept.

With patience it learns the training split alone, stops early, and keeps the best epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ...compiler.check.check import checked, require_no_holes
from ...compiler.diagnostics.diagnostic import fail
from ...compiler.graph.build import build
from ...compiler.language.spec import Spec
from ...compiler.load import Given, load, spec_of
from ...compiler.lowering.lower import lower
from ...compiler.measure.memory import Memory, learned, require_memory, training_memory
from ...compiler.network.network import Network
from ...compiler.program.program import Program
from ...compiler.program.weights import Weights, WeightSource
from ...compiler.system.display import Displayed, usual_report
from ...compiler.system.files import is_file
from ...compiler.tools.meaning import means_the_same
from ..data.checks import data_warnings, warn
from ..data.classes import with_names
from ..data.dataset import Dataset, names_read
from ..data.files import Source
from ..data.guidance import guidance
from ..data.identity import data_identity
from ..data.memory import held
from ..data.seen import load_weighted
from ..data.sources import Data, source_of
from ..data.split import TRAIN, VALIDATION
from ..parallel.processes import join, rank
from ..parallel.threads import computing
from ..runs.begin import begun
from ..runs.beside import settings_beside
from ..runs.folder import RunFolder
from ..runs.names import GENOTYPE, WEIGHTS
from ..runs.read import FinishedRun, Training, records
from ..runs.weights import weights_from
from ..settings import Settings
from .course import Course, kept_training, watched
from .distil import SoftTargets
from .fitting import (
    Report,
    device_of,
    give_statistics,
    predict_all,
    seeded,
    start_from,
    training_batches,
)
from .kept import KeptRun
from .modality_dropout import ModalityDropout
from .objective import Objective
from .optimisers import WeightOptimiser
from .own_functions import NO_FUNCTIONS, OwnFunctions, functions_in
from .prepare import prepare
from .stopping import Stopping, held_out


@dataclass(frozen=True, repr=False)
class TrainResult(Displayed):
    """The weights after the last epoch, by name, a record for every epoch, and what was trained.

    With patience they are those of the best epoch.
    """

    weights: Mapping[str, NDArray[Any]]
    history: tuple[dict[str, Any], ...]
    genotype: Spec
    settings: Settings

    @property
    def name(self) -> str:
        """What a reader calls it."""
        return f"trained, seed {self.settings.seed}"

    @property
    def run(self) -> FinishedRun:
        """The training as a run that stands in no folder."""
        training = Training(self.settings, {}, records(self.history, "epoch"))
        return FinishedRun(Path(self.name), self.genotype, None, training)

    def __repr__(self) -> str:
        """The last record, and how much was trained."""
        numbers = sum(array.size for array in self.weights.values())
        told = {k: v for k, v in self.history[-1].items() if k != "epoch"}
        last = ", ".join(
            f"{k} {v:.4f}" if type(v) is float else f"{k} {v}" for k, v in told.items()
        )
        return f"TrainResult({len(self.history)} epochs, {numbers:,} numbers; {last})"


def require_for_one(options: Mapping[str, Any]) -> None:
    """Raises DiagnosticError for an option that makes no difference to a single network."""
    if options.get("member_seeds") not in (None, 1):
        message = "`member_seeds` is for an ensemble, not for a single network"
        raise fail("E506", message, help="leave it out, or train with another `seed`")


def train(
    spec: Given,
    data: Data,
    *,
    weights: WeightSource | None = None,
    out: str | PathLike[str] | None = None,
    settings: Settings | None = None,
    overwrite: bool = False,
    resume: bool = False,
    report: Report | None = None,
    soft: SoftTargets | None = None,
    **options: Any,
) -> TrainResult:
    """Trains a specification without holes; `options` override `settings` by name.

    `spec` is a Spec, a file, a text, a Graph, or what a search found, which is trained with the
    settings that it was found with unless there are `settings`.
    Training starts from those of the `weights`, such as a hypernet's, that the network has by name,
    and from scratch without them. With `soft` targets, those of a teacher are learned beside the
    labels: see `distil.py`. Nothing is selected, so validation samples are trained on too, unless
    there is `patience`; the test split is not read. With `out`, a checkpoint is written after
    epochs and on SIGTERM and SIGINT, from which `resume` goes on with the same numbers. The setting
    `loss` may be a function or module of one's own, of logits (batch, K) and labels, which gives
    one number or one for each sample: see `own_functions.py`; with patience, `metrics` are names,
    objects and functions, as in `evaluate`, of validation samples. Raises
    DiagnosticError where the specification, the data or the settings cannot be used, and warns
    (`DataWarning`) where data are to be doubted.
    """
    require_for_one(options)
    functions, options = functions_in(options)
    settings = (settings or found_with(spec)).with_options(**options)
    require_validation(settings)
    network = checked(spec_of(spec))
    require_no_holes(network)
    ModalityDropout.of(network, settings)
    data = source_of(data)
    network = with_names(network, data)
    genotype = network.space
    here = settings.with_options(device=join(settings.device))
    with begun(out, "train", overwrite, genotype, resume=resume) as folder:
        program = lower(build(network))
        require_memory(_memory(network, program, data, settings), "training", settings.memory)
        samples = load_weighted(data, network, settings)
        settings, here = (one.for_samples(samples.learned) for one in (settings, here))
        if settings.patience:
            samples = replace(samples, times=None)
        doubts = data_warnings(samples, network) + guidance(samples, network, program)
        truth = samples.labels
        if soft is not None:
            samples = soft.taught(samples, network.head)
        start = weights_from(weights) if weights is not None else None
        warned = warn(doubts) if rank() == 0 else []
        beside = None if folder is None else _found_here(genotype, folder)
        kept: KeptRun | None = None
        teacher = {"teacher": soft.teacher} if soft else {}
        if folder is not None:
            used = data_identity(data, names_read(network))
            kept = kept_training(folder, resume, genotype, settings, used, start, teacher)
        report = report or usual_report("train", settings.epochs)
        with watched(kept, settings, report) as told, computing(settings.threads):
            result = train_network(
                network, samples, here, told, start, program, kept, truth, functions
            )
        if kept is not None and rank() == 0:
            folder = kept.folder
            folder.begin_training()
            folder.write_settings(settings)
            folder.begin_history(result.history)
            folder.write_genotype(genotype, beside)
            folder.write_tensors(WEIGHTS, result.weights)
            folder.write_about(kept.data.record(), warnings=warned, **teacher)
            kept.drop()
    return result


def found_with(given: object) -> Settings:
    """The settings that what is given was found with, or else the usual ones."""
    known = getattr(given, "training", None)
    return known.usual(("metrics",)) if isinstance(known, Settings) else Settings()


def require_validation(settings: Settings) -> None:
    """Raises DiagnosticError for metrics of validation samples that are learned."""
    if settings.metrics and not settings.patience:
        message = "the setting `metrics` has no effect where validation samples are learned"
        remedy = "add `patience`, which holds them out; the test split, which no training reads, "
        remedy += "is measured by `evaluate`, with its own `metrics`"
        raise fail("E506", message, help=remedy)


def _found_here(spec: Spec, folder: RunFolder) -> Settings | None:
    """The settings that stand beside a genotype where its search found it."""
    file = folder.path / GENOTYPE
    return settings_beside(file) if is_file(file) and means_the_same(load(file), spec) else None


def _memory(network: Network, program: Program, data: Source, settings: Settings) -> Memory:
    """What this machine holds of a training; its steps are taken on the device."""
    there = held(data, network, settings.at_once, settings.memory)
    if settings.device != "cpu":
        return there.memory
    batch = min(settings.at_once, there.samples)
    averaged = settings.averaging > 0 or settings.patience > 0
    return there.memory + training_memory(learned(program), batch, averaged=averaged)


def train_network(
    network: Network,
    data: Dataset,
    settings: Settings,
    report: Report | None,
    start: Weights | None,
    program: Program | None = None,
    kept: KeptRun | None = None,
    truth: NDArray[Any] | None = None,
    functions: OwnFunctions = NO_FUNCTIONS,
) -> TrainResult:
    """Trains one network that is checked, on data that are read; `program` is it, lowered.

    Where the run is `kept`, it goes on from its checkpoint, and writes others. `truth` are the
    labels, where those of the data are soft.
    """
    parts = (TRAIN,) if settings.patience else (TRAIN, VALIDATION)
    device = device_of(settings)
    with seeded(settings.seed, device) as generator:
        module, data = prepare(network, data, settings, device, program=program)
        batches = training_batches(data, parts, settings, device)
        objective = Objective.of(network.head, batches.labels, settings, functions)
        give_statistics(module, objective)
        if start is not None:
            start_from(module, start)
        optimiser = WeightOptimiser(module, settings, len(batches))
        held = module.state_dict()
        stopping: Stopping | None = None
        if settings.patience:
            apart, labels = held_out(data, truth, settings, device)
            outputs = partial(predict_all, module, apart)
            stopping = Stopping(settings.patience, outputs, labels, objective, optimiser, held)
        course = Course(optimiser, objective, batches, settings, held, generator, stopping)
        course.run_kept(report, kept) if kept is not None else course.run(report)
        with optimiser.averages.in_place():
            if stopping is not None:
                stopping.put()
            history = tuple(course.history)
            return TrainResult(module.arrays(), history, network.space, settings)
