"""What search and training share: a pass over batches, and scoring."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from math import isfinite
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.optim import Adam
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts

from ..compiler.diagnostics import fail
from ..compiler.network import Head
from ..compiler.program import PARAMETER
from ..compiler.targets.torch.module import FusionModule
from .batches import Batch, Batches
from .data import SPLIT_NAMES, Dataset
from .objective import loss_of, metrics_of
from .predictor import Progress, no_progress
from .settings import Settings

Betas: TypeAlias = tuple[float, float]
WEIGHT_BETAS: Betas = (0.9, 0.999)
ARCHITECTURE_BETAS: Betas = (0.5, 0.999)
DTYPES: Mapping[str, torch.dtype | None] = {
    "float32": None,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
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
        read = {v.name for v in module.program.values if v.primitive == PARAMETER}
        moving = {id(p) for name, p in module.named_parameters() if name in read}
        self.module, self._own = module, [p for p in parameters if id(p) in moving]
        self._precision = DTYPES[settings.precision]
        self.device = torch.device(settings.device)
        self._scaler = torch.amp.GradScaler(
            self.device.type, enabled=self._precision is torch.float16
        )
        self.adam = (
            Adam(self._own, rate, betas, weight_decay=decay, fused=True) if self._own else None
        )

    @contextmanager
    def stepping(self) -> Generator[None]:
        """Within, gradients of the other parameters are not computed."""
        own = {id(p) for p in self._own}
        before = [(p, p.requires_grad) for p in self.module.parameters()]
        for parameter, was_moving in before:
            parameter.requires_grad_(was_moving and id(parameter) in own)
        try:
            yield
        finally:
            for parameter, was_moving in before:
                parameter.requires_grad_(was_moving)

    def loss(self, head: Head, batch: Batch) -> Tensor:
        """The mean loss of a batch, in the precision of the run."""
        lower = self._precision is not None
        with torch.autocast(self.device.type, self._precision, enabled=lower):
            logits = self.module(batch.features)
        return loss_of(head, logits.float(), batch.labels)

    def step(self, loss: Tensor) -> None:
        """A step along the gradient of a loss; none where nothing that moves makes a difference."""
        if self.adam is not None and loss.requires_grad:
            self.adam.zero_grad()
            scaled: Any = self._scaler.scale(loss)
            scaled.backward()
            self._scaler.step(self.adam)
            self._scaler.update()


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
        self._schedule = self.adam and CosineAnnealingWarmRestarts(
            self.adam,
            settings.first_restart * batches,
            settings.restart_multiplier,
            settings.min_learning_rate,
        )

    def step(self, loss: Tensor) -> None:
        super().step(loss)
        if self._schedule is not None and loss.requires_grad:
            self._schedule.step()


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
    """Batches of a split to train on; raises DiagnosticError where batch norm could not.

    Its statistics need more than one sample in a batch.
    """
    indices = data.indices(*parts)
    if len(indices) < 2:
        names = " and ".join(SPLIT_NAMES[p] for p in parts)
        message = f"the {names} split has one sample, too few to train on"
        raise fail("E503", message, help="give it at least two")
    if settings.batch < 2:
        message = "batches of one sample cannot be trained on"
        raise fail("E506", message, help="use a `batch` of at least 2")
    return Batches(data, indices, settings.batch, device)


def one_pass(batches: Iterator[Batch], head: Head, optimiser: Optimiser) -> float:
    """Takes a step for every batch in training mode; returns the mean loss over samples.

    Nothing is read from the device before the end. Raises DiagnosticError where the loss is not
    finite.
    """
    optimiser.module.train()
    total, samples = torch.zeros((), device=optimiser.device), 0
    with optimiser.stepping():
        for batch in batches:
            loss = optimiser.loss(head, batch)
            optimiser.step(loss)
            total += loss.detach() * len(batch.labels)
            samples += len(batch.labels)
    mean = float(total) / samples
    if not isfinite(mean):
        message = "the loss is no longer a finite number"
        raise fail("E508", message, help="lower `max_learning_rate`, or scale the features")
    return mean


@torch.no_grad()
def predict_all(module: nn.Module, batches: Batches, progress: Progress = no_progress) -> Tensor:
    """Logits (samples, K) in evaluation mode, on the CPU."""
    module.eval()
    found, done = list[Tensor](), 0
    for batch in batches.in_order():
        found.append(module(batch.features).cpu())
        done += len(batch.labels)
        progress(done, len(batches.labels))
    return torch.cat(found)


def score(module: nn.Module, batches: Batches, head: Head) -> dict[str, float]:
    """The head's metrics over all samples of `batches`."""
    return metrics_of(head, predict_all(module, batches), batches.labels.cpu())


@contextmanager
def seeded(seed: int, device: torch.device) -> Generator[torch.Generator]:
    """Random numbers that depend on the seed; those of the caller go on afterwards as before."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
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
