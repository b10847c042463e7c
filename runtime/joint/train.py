"""Training of backbones and fusion network together, from raw data.

The last epoch is kept, or with patience the best one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from os import PathLike
from typing import Any

import torch
from numpy.typing import NDArray

from ...compiler.check.check import checked, require_no_holes
from ...compiler.diagnostics.diagnostic import fail
from ...compiler.graph.build import build
from ...compiler.language.spec import Spec
from ...compiler.lowering.lower import lower
from ...compiler.network.network import Network
from ...compiler.passes import optimise
from ...compiler.program.draws import with_draws
from ...compiler.program.weights import Weights, WeightSource
from ...compiler.system.options import options_read_by
from ..backbones.options import BackboneOptions
from ..backbones.specification import with_shapes
from ..data.classes import with_names
from ..data.dataset import Dataset
from ..data.files import Source
from ..data.identity import data_identity
from ..data.split import TRAIN, VALIDATION
from ..parallel.processes import join, joined, rank
from ..parallel.threads import computing
from ..runs.begin import begun
from ..runs.names import BACKBONES, TRAINED_WITH, WEIGHTS
from ..runs.weights import weights_from
from ..settings import Settings
from ..training.course import Course, kept_training, watched
from ..training.fitting import (
    Report,
    device_of,
    give_statistics,
    seeded,
    start_from,
    training_batches,
)
from ..training.kept import KeptRun
from ..training.objective import Objective
from ..training.own_functions import OwnFunctions, functions_in
from ..training.prepare import module_of
from ..training.stopping import Stopping, held_out
from ..training.train import TrainResult, require_validation
from .data import load_raw, names_of_raw
from .dropout import with_dropout
from .modalities import Extractor, RawModality, raw_modalities
from .optimiser import JointOptimiser, begin_training
from .settings import JointSettings


@dataclass(frozen=True)
class JointResult(TrainResult):
    """As of any training; `backbones` are weights and buffers as `PROVIDER:MODEL/NAME`.

    `identities` are the digests of the trained backbones by modality.
    """

    backbones: Mapping[str, NDArray[Any]]
    identities: Mapping[str, str]


def train_joint(
    spec: Spec,
    data: Source,
    *,
    backbones: BackboneOptions | None = None,
    joint: JointSettings | None = None,
    weights: WeightSource | None = None,
    out: str | PathLike[str] | None = None,
    settings: Settings | None = None,
    overwrite: bool = False,
    resume: bool = False,
    report: Report | None = None,
    **options: Any,
) -> JointResult:
    """Trains a specification without holes together with the backbones that it names.

    `data` are arrays by the names of the raw inputs, with `labels` and `split`; `options` are
    settings of either kind. Training and validation samples are learned, and the test split is not
    read; with `patience` validation is held out, as in `train`. `resume` goes on as there. Raises
    DiagnosticError where the specification, the data or the settings cannot be used.
    """
    mine = options_read_by(JointSettings, "train")
    joint = (joint or JointSettings()).with_options(
        **{name: options.pop(name) for name in mine if name in options}
    )
    functions, options = functions_in(options)
    settings = (settings or Settings()).with_options(**options)
    require_validation(settings)
    given = backbones or BackboneOptions()
    network = with_names(checked(with_shapes(spec, given)), data)
    shaped = network.space
    require_no_holes(network)
    here = settings.with_options(device=join(settings.device))
    _require_apart(joint)
    with begun(out, "train", overwrite, shaped, resume=resume) as folder:
        modalities = raw_modalities(shaped, given, network, seed=settings.seed)
        samples = load_raw(data, network, modalities, settings.split_seed, memory=settings.memory)
        settings, here = (one.for_samples(samples.learned) for one in (settings, here))
        start = weights_from(weights) if weights is not None else None
        kept: KeptRun | None = None
        if folder is not None:
            used = data_identity(data, names_of_raw(network, modalities))
            identities = {s.name: s.backbone.identity.record() for s in modalities}
            others = {"joint": asdict(joint), "backbones": identities}
            kept = kept_training(folder, resume, shaped, settings, used, start, others)
        with watched(kept, settings, report) as told, computing(settings.threads):
            result = _trained(
                shaped, network, modalities, samples, here, functions, joint, start, told, kept
            )
        if kept is not None and rank() == 0:
            folder = kept.folder
            folder.begin_training()
            folder.write_settings(settings)
            folder.begin_history(result.history)
            folder.write_genotype(shaped, None)
            folder.write_tensors(WEIGHTS, result.weights)
            folder.write_tensors(BACKBONES, result.backbones)
            trained = dict(result.identities)
            folder.write_about(kept.data.record(), joint=asdict(joint), **{TRAINED_WITH: trained})
            kept.drop()
    return result


def _require_apart(joint: JointSettings) -> None:
    """Raises DiagnosticError for statistics that each process would take of its own samples."""
    if joined() and joint.batch_norm == "running":
        message = "statistics that run are of one process, and several share a batch"
        raise fail("E506", message, help="freeze them, or start it without torchrun")


def _trained(
    spec: Spec,
    network: Network,
    modalities: Sequence[RawModality],
    data: Dataset,
    settings: Settings,
    functions: OwnFunctions,
    joint: JointSettings,
    start: Weights | None,
    report: Report | None,
    kept: KeptRun | None,
) -> JointResult:
    device = device_of(settings)
    with seeded(settings.seed, device) as generator:
        program = optimise(lower(build(network)), "compiled" if settings.compile else "training")
        batch = min(settings.batch, len(data.labels))
        module = module_of(with_draws(program), settings, device, batch)
        data = with_dropout(data, network, program.inputs, modalities, settings)
        extractor = Extractor(modalities).to(device)
        parts = (TRAIN,) if settings.patience else (TRAIN, VALIDATION)
        batches = training_batches(data, parts, settings, device)
        objective = Objective.of(network.head, batches.labels, settings, functions)
        give_statistics(module, objective)
        if start is not None:
            start_from(module, start)
        begin_training(extractor, joint)
        optimiser = JointOptimiser(module, extractor, settings, joint, len(batches))
        held, stopping = optimiser.held, None
        if settings.patience:
            apart, labels = held_out(data, None, settings, device)
            outputs = partial(optimiser.outputs, apart)
            stopping = Stopping(settings.patience, outputs, labels, objective, optimiser, held)
        course = Course(optimiser, objective, batches, settings, held, generator, stopping)
        course.run_kept(report, kept) if kept is not None else course.run(report)
        with optimiser.averages.in_place():
            if stopping is not None:
                stopping.put()
            arrays, history = module.arrays(), tuple(course.history)
            identities = {s.name: s.backbone.identity_now.digest for s in modalities}
            return JointResult(arrays, history, spec, settings, _arrays(modalities), identities)


def _arrays(modalities: Sequence[RawModality]) -> dict[str, NDArray[Any]]:
    """Weights and buffers of all backbones by name."""
    return {
        f"{modality.backbone.name}/{name}": tensor.detach().float().cpu().numpy().copy()
        if tensor.dtype in (torch.bfloat16, torch.float16)
        else tensor.detach().cpu().numpy().copy()
        for modality in modalities
        for name, tensor in modality.backbone.module.state_dict().items()
    }
