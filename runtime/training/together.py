"""Training several networks as one Program, each as `train` trains it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from math import isfinite
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...compiler.check.check import checked, require_no_holes
from ...compiler.language.spec import Spec
from ...compiler.network.network import Network
from ...compiler.program.hoist import Hoisted
from ...compiler.program.program import Program
from ..data.batches import Batches
from ..data.classes import with_names
from ..data.dataset import Dataset
from ..data.files import Source, arrays_of
from ..data.parts import Parts
from ..data.seen import Readings
from ..data.sources import Data, source_of
from ..data.split import TRAIN, VALIDATION
from ..metrics import TRAIN_LOSS
from ..parallel.interrupt import Interrupt
from ..parallel.processes import join, joined
from ..parallel.threads import computing
from ..progress import Progress, no_progress
from ..settings import Settings
from .course import weight_pass
from .epoch import Epoch
from .finite import no_finite_loss, not_finite_at
from .fitting import device_of, require_trainable
from .memory import bytes_of, parts_that_fit
from .modality_dropout import ModalityDropout
from .objective import Objective
from .own_functions import NO_FUNCTIONS, OwnFunctions, functions_in
from .population import (
    OWN,
    Population,
    PopulationOptimiser,
    member_program,
)
from .prepare import prepared
from .train import TrainResult, train_network

DEFAULTS: dict[str, Any] = {f.name: f.default for f in fields(Settings) if f.name in OWN}


def train_seeds(
    spec: Spec,
    data: Data,
    seeds: Sequence[int],
    *,
    settings: Settings | None = None,
    **options: Any,
) -> tuple[TrainResult, ...]:
    """What `train` gives with each of the seeds, trained together as one Program.

    Each seed has its own initial values, draws, and order of samples; that of the settings is not
    read. Raises what `train` does.
    """
    functions, options = functions_in(options)
    settings = (settings or Settings()).with_options(**options)
    each = [settings.with_options(seed=seed) for seed in seeds]
    return train_all([spec] * len(seeds), source_of(data), each, functions=functions)


def train_all(
    specs: Sequence[Spec],
    data: Source,
    each: Sequence[Settings],
    progress: Progress = no_progress,
    functions: OwnFunctions = NO_FUNCTIONS,
) -> tuple[TrainResult, ...]:
    """What `train` gives for every specification with its settings, in that order.

    Those whose settings differ in no more than `OWN`, and that predict the same, train together as
    one Program, as many as fit in memory. `progress` receives how many epochs of networks are done,
    of how many. Raises what `train` does.
    """
    return train_members(members_of(specs, data, each, functions), progress)


def members_of(
    specs: Sequence[Spec],
    data: Source,
    each: Sequence[Settings],
    functions: OwnFunctions = NO_FUNCTIONS,
) -> tuple[Member, ...]:
    """The networks of specifications with what they learn; those that read the same share it.

    Raises what `train` does.
    """
    arrays = arrays_of(data)
    networks, readings = dict[str, Network](), Readings()
    members: list[Member] = []
    for spec, settings in zip(specs, each, strict=True):
        if (text := str(spec)) not in networks:
            require_no_holes(network := checked(spec))
            networks[text] = with_names(network, arrays)
        network = networks[text]
        samples = readings.weighted(arrays, network, settings)
        here = settings.for_samples(samples.learned).with_options(device=join(settings.device))
        device_of(here)
        members.append(Member(network, samples, here, functions=functions))
    return tuple(members)


def train_members(
    members: Sequence[Member], progress: Progress = no_progress
) -> tuple[TrainResult, ...]:
    """What `train_all` gives for these."""
    with computing(members[0].settings.threads if members else 1):
        return train_networks(members, progress)


def train_networks(
    members: Sequence[Member], progress: Progress = no_progress
) -> tuple[TrainResult, ...]:
    """As `train_members`, with as many threads as compute already.

    Members may learn other samples of the same data, by their splits: a pass over these is as long
    as one over the fewest.
    """
    epochs = _Epochs(progress, sum(member.settings.epochs for member in members))
    found: dict[int, TrainResult] = {}
    for group in _alike(members):
        results = _train_group([members[place] for place in group], epochs)
        found |= zip(group, results, strict=True)
    return tuple(found[place] for place in range(len(members)))


@dataclass
class _Epochs:
    """Counts epochs of networks."""

    progress: Progress
    count: int
    done: int = 0

    def pass_by(self, networks: int = 1) -> None:
        """Another epoch of so many networks is done."""
        self.done += networks
        self.progress(self.done, self.count)


@dataclass(frozen=True)
class Member:
    """A network that is checked, the samples that it learns, and its settings.

    `program` is the network's before any pass, where there is one already; `functions` are what the
    settings have by name alone.
    """

    network: Network
    data: Dataset
    settings: Settings
    program: Program | None = None
    functions: OwnFunctions = NO_FUNCTIONS

    @property
    def kind(self) -> Any:
        """Equal for members that can train together."""
        dropout = ModalityDropout.of(self.network, self.settings)
        modalities = () if dropout is None else dropout.modalities
        return self.network.head, modalities, replace(self.settings, **DEFAULTS)


def trains_apart(settings: Settings) -> bool:
    """Whether networks with these settings train one by one.

    With patience one stops before another, processes share the samples of a network, float16
    scales all gradients by one number, and on a CPU what torch.compile makes of a large population
    may crash (torch 2.13).
    """
    on_cpu = torch.device(settings.device).type == "cpu"
    if settings.patience > 0:
        return True
    return joined() or settings.precision == "float16" or (settings.compile and on_cpu)


def _alike(members: Sequence[Member]) -> Iterator[list[int]]:
    """The places of members that train together."""
    groups: dict[Any, list[int]] = defaultdict(list)
    for place, member in enumerate(members):
        groups[(place if trains_apart(member.settings) else -1, member.kind)].append(place)
    yield from groups.values()


def _train_group(members: Sequence[Member], epochs: _Epochs) -> list[TrainResult]:
    """As many together as fit in memory; one that is left over trains alone."""
    if len(members) == 1:
        return [_train_alone(members[0], epochs)]
    settings = members[0].settings
    device = device_of(settings)
    dropout = ModalityDropout.of(members[0].network, settings)
    programs: dict[str, Hoisted] = {}
    for member in members:
        text = str(member.network.spec)
        if text not in programs:
            programs[text] = member_program(member.network, dropout, member.program)
    hoisted = [programs[str(member.network.spec)] for member in members]
    features = {name: a for member in members for name, a in member.data.features.items()}
    whole = replace(members[0].data, features=features)
    data = prepared([*programs.values()], whole, device, dropout)
    pairs = zip(hoisted, members, strict=True)
    needs = [bytes_of(one.program, member.settings) for one, member in pairs]
    results: list[TrainResult] = []
    for part in parts_that_fit(needs, device, settings.memory):
        if len(part) == 1:
            results.append(_train_alone(members[part[0]], epochs))
            continue
        chosen, parts = [members[place] for place in part], [hoisted[place] for place in part]
        results += _train_together(chosen, parts, data, device, epochs)
    return results


def _train_alone(member: Member, epochs: _Epochs) -> TrainResult:
    def told(record: dict[str, Any]) -> None:
        epochs.pass_by()

    settings = member.settings
    result = train_network(
        member.network,
        member.data,
        settings,
        told,
        None,
        member.program,
        functions=member.functions,
    )
    if left := settings.epochs - len(result.history):
        epochs.pass_by(left)
    return result


def _batches(
    data: Dataset, orders: Sequence[NDArray[np.int64]], size: int, device: torch.device
) -> Batches:
    """Batches of samples that are read in several orders, or of parts of the data beside others."""
    if len({part.tobytes() for part in orders}) == 1:
        return Batches(data, orders[0], size, device)
    return Parts(data, orders, size, device)


def _train_together(
    members: Sequence[Member],
    hoisted: Sequence[Hoisted],
    data: Dataset,
    device: torch.device,
    epochs: _Epochs,
) -> Iterator[TrainResult]:
    """Members with one seed, and the same split, read the same samples; others have their own."""
    each = [member.settings for member in members]
    head, settings = members[0].network.head, each[0]
    learned = [require_trainable(one.data, (TRAIN, VALIDATION), settings) for one in members]
    keys = [(one.seed, part.tobytes()) for one, part in zip(each, learned, strict=True)]
    orders = dict(zip(keys, learned, strict=True))
    rows = [[*orders].index(key) for key in keys] if len(orders) > 1 else None
    seeds = [seed for seed, _ in orders]
    population = Population([one.program for one in hoisted], each, device, rows)
    batches = _batches(data, [*orders.values()], settings.batch, device)
    objective = Objective.of(head, batches.labels, settings, members[0].functions)
    for place in range(len(each)):
        population.load(place, objective.statistics)
    optimiser = PopulationOptimiser(population, len(batches), [0] * len(each))
    epoch = Epoch(seeds, Interrupt())
    histories: list[list[dict[str, Any]]] = [[] for _ in each]
    for number in range(1, settings.epochs + 1):
        (losses,) = epoch.run([weight_pass(optimiser, objective, batches)])
        for history, loss in zip(histories, losses.tolist(), strict=True):
            history.append({"epoch": number, TRAIN_LOSS: loss})
        epochs.pass_by(len(members))
    for member, history in zip(members, histories, strict=True):
        if not isfinite(history[-1][TRAIN_LOSS]):
            raise no_finite_loss(f"{not_finite_at(None)}, with the seed {member.settings.seed}")
    with optimiser.averages.in_place():
        found = [population.tensors(place) for place in range(len(each))]
    for member, tensors, history in zip(members, found, histories, strict=True):
        weights = {name: t.numpy() for name, t in tensors.items()}
        yield TrainResult(weights, tuple(history), member.network.space, member.settings)
