"""What search and training share: optimisers, batches, weights to start from, and scoring."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.targets.torch.module import FusionModule
from ..data.batches import Batches
from ..data.dataset import Dataset
from ..data.split import SPLIT_NAMES
from ..parallel.processes import rank
from ..progress import Progress, no_progress
from ..runs.names import SEARCH_WEIGHTS
from ..settings import Settings
from .objective import Objective, shares_of
from .optimisers import NONE
from .own_metrics import measured
from .scores import metrics_of

BETWEEN_PROCESSES = 1_000_003
"""How far apart the seeds are that processes of one run draw with."""
Report = Callable[[dict[str, Any]], None]
"""Receives a record for every finished epoch."""


def training_batches(
    data: Dataset, parts: tuple[int, ...], settings: Settings, device: torch.device
) -> Batches:
    """Batches of a split to train on; raises DiagnosticError where batch norm could not."""
    indices = require_trainable(data, parts, settings)
    return Batches(data, indices, settings.batch, device)


def require_trainable(
    data: Dataset, parts: tuple[int, ...], settings: Settings
) -> NDArray[np.int64]:
    """The samples of a split that can be trained on.

    Raises DiagnosticError where the statistics of batch norm have too few, of one sample.
    """
    indices = data.indices(*parts)
    if len(indices) < 2:
        names = " and ".join(SPLIT_NAMES[p] for p in parts)
        message = f"the {names} split has one sample, too few to train on"
        raise fail("E503", message, help="give it at least two")
    if settings.batch < 2:
        message = "batches of one sample cannot be trained on"
        raise fail("E506", message, help="use a `batch` of at least 2")
    return indices


def start_from(module: FusionModule, weights: Mapping[str, NDArray[Any]]) -> None:
    """Copies those weights that the module has, by name.

    Raises DiagnosticError where it has none of them, or one has another shape.
    """
    known = module.state_dict()
    found = {n: torch.from_numpy(weights[n].copy()) for n in known if n in weights}
    remedy = f"give weights of the same specification, such as RUN/{SEARCH_WEIGHTS}"
    if not found:
        raise fail("E505", "the network has none of the weights to start from", help=remedy)
    for name, tensor in found.items():
        if tensor.shape != known[name].shape:
            shapes = f"{tuple(tensor.shape)}, not {tuple(known[name].shape)}"
            raise fail("E505", f"`{name}` to start from is {shapes}", help=remedy)
    module.load_state_dict(found, strict=False)


@torch.no_grad()
def predict_all(
    module: nn.Module,
    batches: Batches,
    progress: Progress = no_progress,
    weights: Mapping[str, Tensor] = NONE,
) -> Tensor:
    """Logits (samples, K) in evaluation mode, on the CPU; `weights` are the mixtures'.

    Those of a population are (networks, samples, K).
    """
    module.eval()
    found, done = list[Tensor](), 0
    for batch in batches.in_order():
        found.append(module({**batch.features, **weights}))
        done += len(batch.labels)
        progress(done, len(batches.labels))
    return batches.joined(torch.cat(found, -2)).cpu()


def scored(logits: Tensor, labels: Tensor, objective: Objective) -> dict[str, float]:
    """The metrics of logits (samples, K), others that are asked for, and their mean `loss`."""
    loss, head = float(objective.loss(logits, labels)), objective.head
    others: dict[str, float] = {}
    if objective.others:
        others = measured(objective.others, head, shares_of(head, logits), labels.cpu().numpy())
    return {**metrics_of(head, logits, labels), **others, "loss": loss}


@torch.no_grad()
def give_statistics(module: FusionModule, objective: Objective) -> None:
    """Lets the head of a network give values as those of the labels are."""
    module.load_state_dict(dict(objective.statistics), strict=False)


@contextmanager
def seeded(seed: int, device: torch.device) -> Generator[torch.Generator]:
    """Random numbers that depend on the seed; those of the caller go on afterwards as before.

    The generator's are the same in every process of a run, torch's own (dropout) are not.
    """
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed + rank() * BETWEEN_PROCESSES)
        yield torch.Generator().manual_seed(seed)


def device_of(settings: Settings) -> torch.device:
    """The device of a run; raises DiagnosticError where there is none."""
    try:
        device = torch.device(settings.device)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError):
        message = f"the device `{settings.device}` is not available"
        raise fail("E506", message, help="use `--device cpu`") from None
    return device
