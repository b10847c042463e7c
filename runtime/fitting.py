"""What search and training share: optimisers, batches, weights to start from, and scoring."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import isfinite
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Adam
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts

from ..compiler.diagnostics import fail
from ..compiler.network import Head
from ..compiler.program import INPUT, PARAMETER
from ..compiler.targets.torch.module import FusionModule
from .batches import Batch, Batches
from .data import SPLIT_NAMES, Dataset
from .finite import not_finite
from .objective import loss_of, metrics_of
from .predictor import Progress, no_progress
from .processes import average, rank
from .settings import Settings

Betas: TypeAlias = tuple[float, float]
WEIGHT_BETAS: Betas = (0.9, 0.999)
ARCHITECTURE_BETAS: Betas = (0.5, 0.999)
DTYPES: Mapping[str, torch.dtype | None] = {
    "float32": None,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
BETWEEN_PROCESSES = 1_000_003
"""How far apart the seeds are that processes of one run draw with."""
NONE: Mapping[str, Tensor] = {}
Report = Callable[[dict[str, Any]], None]
"""Receives a record for every finished epoch."""


class Optimiser:
    """Adam on those of some parameters that a module's output depends on, which may be none."""

    def __init__(
        self,
        module: FusionModule,
        parameters: Iterator[nn.Parameter],
        rate: float,
        decay: float,
        betas: Betas,
        settings: Settings,
    ) -> None:
        read = {v.name for v in module.program.values if v.primitive in (PARAMETER, INPUT)}
        moving = {id(p) for name, p in module.named_parameters() if name in read}
        self.module, self.parameters = module, [p for p in parameters if id(p) in moving]
        self._precision = DTYPES[settings.precision]
        self.device = torch.device(settings.device)
        self._scaler = torch.amp.GradScaler(
            self.device.type, enabled=self._precision is torch.float16
        )
        self.adam = (
            Adam(self.parameters, rate, betas, weight_decay=decay, fused=True)
            if self.parameters
            else None
        )

    @contextmanager
    def stepping(self) -> Generator[None]:
        """Within, gradients of the other parameters are not computed."""
        own = {id(p) for p in self.parameters}
        before = [(p, p.requires_grad) for p in self.module.parameters()]
        for parameter, was_moving in before:
            parameter.requires_grad_(was_moving and id(parameter) in own)
        try:
            yield
        finally:
            for parameter, was_moving in before:
                parameter.requires_grad_(was_moving)

    def loss(self, head: Head, batch: Batch, weights: Mapping[str, Tensor] = NONE) -> Tensor:
        """The mean loss of a batch, in the precision of the run; `weights` are its mixtures'.

        Where processes share a batch, it is scaled so that its mean over them is that of the batch.

        Raises DiagnosticError where it is not finite; on other devices nothing is read that early,
        and a pass finds out at its end.
        """
        lower = self._precision is not None
        with torch.autocast(self.device.type, self._precision, enabled=lower):
            logits = self.module({**batch.features, **weights})
        loss = loss_of(head, logits.float(), batch.labels)
        if self.device.type == "cpu" and not isfinite(loss.item()):
            raise not_finite(self.module, {**batch.features, **weights})
        return loss * batch.share

    def state(self) -> dict[str, Any]:
        """What `restore` goes on from; the module's parameters are not in it."""
        return {
            "adam": self.adam.state_dict() if self.adam else {},
            "scaler": self._scaler.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on from another optimiser's state."""
        if self.adam is not None:
            self.adam.load_state_dict(state["adam"])
        self._scaler.load_state_dict(state["scaler"])

    def step(self, loss: Tensor) -> None:
        """A step along the gradient of a loss; none where nothing that moves makes a difference."""
        if self.adam is not None and loss.requires_grad:
            self.adam.zero_grad()
            scaled: Any = self._scaler.scale(loss)
            scaled.backward()
            average(p.grad for p in self.parameters if p.grad is not None)
            self._scaler.step(self.adam)
            self._scaler.update()

    def follow(self, gradients: Sequence[Tensor]) -> None:
        """A step along gradients, one for each parameter."""
        if self.adam is not None:
            for parameter, gradient in zip(self.parameters, gradients, strict=True):
                parameter.grad = gradient
            self.adam.step()


class WeightOptimiser(Optimiser):
    """Adam on the weights, cosine annealing with warm restarts, a step for every batch."""

    def __init__(self, module: FusionModule, settings: Settings, batches: int) -> None:
        super().__init__(
            module,
            module.weight_parameters(),
            settings.max_learning_rate,
            settings.weight_decay,
            WEIGHT_BETAS,
            settings,
        )
        self._first_rate = settings.max_learning_rate
        self._schedule = self.adam and CosineAnnealingWarmRestarts(
            self.adam,
            settings.first_restart * batches,
            settings.restart_multiplier,
            settings.min_learning_rate,
        )

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        return float(self.adam.param_groups[0]["lr"]) if self.adam else self._first_rate

    def step(self, loss: Tensor) -> None:
        super().step(loss)
        if self._schedule is not None and loss.requires_grad:
            self._schedule.step()

    def state(self) -> dict[str, Any]:
        schedule = self._schedule.state_dict() if self._schedule else {}
        return {**super().state(), "schedule": schedule}

    def restore(self, state: dict[str, Any]) -> None:
        super().restore(state)
        if self._schedule is not None:
            self._schedule.load_state_dict(state["schedule"])


class ArchitectureOptimiser(Optimiser):
    """Adam on the architecture parameters, at one rate."""

    def __init__(self, module: FusionModule, settings: Settings) -> None:
        super().__init__(
            module,
            module.architecture_parameters(),
            settings.arch_learning_rate,
            settings.arch_weight_decay,
            ARCHITECTURE_BETAS,
            settings,
        )


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
    remedy = "give weights of the same specification, such as RUN/found.safetensors"
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
    """Logits (samples, K) in evaluation mode, on the CPU; `weights` are the mixtures'."""
    module.eval()
    found, done = list[Tensor](), 0
    for batch in batches.in_order():
        found.append(module({**batch.features, **weights}))
        done += len(batch.labels)
        progress(done, len(batches.labels))
    return batches.joined(torch.cat(found)).cpu()


def score(
    module: nn.Module, batches: Batches, head: Head, weights: Mapping[str, Tensor] = NONE
) -> dict[str, float]:
    """The head's metrics over all samples of `batches`, and their mean `loss`."""
    logits = predict_all(module, batches, weights=weights)
    labels = batches.labels.cpu()
    return {**metrics_of(head, logits, labels), "loss": float(loss_of(head, logits, labels))}


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
