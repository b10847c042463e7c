"""A network and its data made ready for many passes: what is the same in each is computed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch

from ...compiler.graph.build import build
from ...compiler.lowering.lower import lower
from ...compiler.network.holes import Relaxation
from ...compiler.network.network import Network
from ...compiler.passes import optimise
from ...compiler.program.draws import with_draws
from ...compiler.program.given_weights import with_given_weights
from ...compiler.program.hoist import NOT_APART, Hoisted, hoist
from ...compiler.program.program import Program
from ...compiler.targets.torch.kernels import KERNELS, NO_KERNELS
from ...compiler.targets.torch.module import FusionModule
from ..data.absence import Absence
from ..data.dataset import Dataset
from ..data.rows import Array, Rows
from ..parallel.processes import joined
from ..parallel.synchronised import SYNCHRONISED
from ..settings import Settings
from .computed import ComputedRows
from .memory import require_room
from .modality_dropout import ModalityDropout


def prepare(
    network: Network,
    data: Dataset,
    settings: Settings,
    device: torch.device,
    relax: Relaxation = "shared",
    *,
    program: Program | None = None,
    given_weights: bool = False,
) -> tuple[FusionModule, Dataset]:
    """The module to train on the device, and the data that it takes.

    Its `state_dict` is that of the network; its inputs are what depends on features alone, which
    stands in the data instead of the features, and with `given_weights` those of its mixtures.
    `program` is the network's before any pass, where there is one already.
    """
    program = program or lower(build(network), relax)
    if given_weights:
        program = with_given_weights(program)
    dropout = ModalityDropout.of(network, settings)
    program = optimise(program, "compiled" if settings.compile else "training")
    hoisted = hoist(program, dropout.owners if dropout else NOT_APART)
    batch = min(settings.batch, len(data.labels))
    module = module_of(with_draws(hoisted.program), settings, device, batch)
    return module, prepared([hoisted], data, device, dropout)


def module_of(
    program: Program, settings: Settings, device: torch.device, batch: int
) -> FusionModule:
    """The module of a Program that passes are done with, ready to train on the device.

    Raises DiagnosticError where it needs more memory than there is, for a batch of so many samples.
    """
    require_room(program, batch, settings, device)
    kernels = NO_KERNELS if settings.compile else KERNELS
    if joined():
        kernels = {**kernels, **SYNCHRONISED}
    module = FusionModule(program, settings.seed, kernels=kernels).to(device)
    if settings.compile:
        module.compile_graphs()
    return module


def prepared(
    networks: Sequence[Hoisted],
    data: Dataset,
    device: torch.device,
    dropout: ModalityDropout | None = None,
) -> Dataset:
    """The data with what the networks read: some features, and what depends on features alone.

    This is computed once, where there is room to keep it, and else of each batch.
    With `dropout`, whose owners are apart in the networks, they say what samples may lack.
    """
    data = dropout.with_presence(data) if dropout else data
    inputs = {item.name for one in networks for item in one.program.inputs}
    features = {name: a for name, a in data.features.items() if name in inputs}
    for one in networks:
        for name, before in one.before.items():
            if name not in features:
                computed = ComputedRows(before, data.features, len(data.labels), device)
                features[name] = data.kept.held((name, device), computed)
    absence = _absence(dropout, networks, data, features, device) if dropout else None
    return replace(data, features=features, absence=absence)


def _absence(
    dropout: ModalityDropout,
    networks: Sequence[Hoisted],
    data: Dataset,
    features: Mapping[str, Rows],
    device: torch.device,
) -> Absence:
    """What each of the prepared features is of a sample that lacks its modality."""
    values, modalities = dict[str, Array](), dict[str, int]()
    for one in networks:
        given = {item.name: [item] for item in one.program.inputs if item.name in data.features}
        read = given | {name: [*program.inputs] for name, program in one.before.items()}
        for name in read.keys() & features.keys() - values.keys():
            known = [item for item in read[name] if item.name in data.features]
            nothing = {item.name: dropout.nothing(item, data.features[item.name]) for item in known}
            before = one.before.get(name)
            rows = nothing[name] if before is None else ComputedRows(before, nothing, 1, device)
            values[name], modalities[name] = rows[:1][0, ...], dropout.place(read[name])
    return Absence(dropout.probability, dropout.present(data), modalities, values)
