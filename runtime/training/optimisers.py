"""Optimisers of weights and of architecture parameters, with their schedules and precisions."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import repeat
from math import isfinite
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.optim import Adam

from ...compiler.program.draws import KEYS
from ...compiler.program.program import INPUT, PARAMETER
from ...compiler.targets.torch.module import FusionModule
from ..data.batches import Batch
from ..parallel.processes import average, joined, rank
from ..runs.saved import Saved
from ..settings import Settings
from .averages import Averages, newest_share
from .finite import not_finite
from .keys import ARCHITECTURE, WEIGHTS, Keys, seed_of
from .objective import Objective, Smoothing
from .saved import Moments, read_scaler, read_steps, still
from .schedule import rate_at

Betas: TypeAlias = tuple[float, float]
WEIGHT_BETAS: Betas = (0.9, 0.999)
ARCHITECTURE_BETAS: Betas = (0.5, 0.999)
DTYPES: Mapping[str, torch.dtype | None] = {
    "float32": None,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
NONE: Mapping[str, Tensor] = {}


class Optimiser:
    """Adam on those of some parameters that a module's output depends on, which may be none.

    Every loss has new draws of dropout, by the next of the `keys`.
    """

    def __init__(
        self,
        module: FusionModule,
        parameters: Iterator[nn.Parameter],
        rate: float,
        decay: float,
        betas: Betas,
        settings: Settings,
        keys: Keys,
    ) -> None:
        read = {v.name for v in module.program.values if v.primitive in (PARAMETER, INPUT)}
        names = {id(p): name for name, p in module.named_parameters() if name in read}
        self.module, self.parameters = module, [p for p in parameters if id(p) in names]
        self.names = [names[id(p)] for p in self.parameters]
        self.keys, self._draws = keys, KEYS in {i.name for i in module.program.inputs}
        self._precision = DTYPES[settings.precision]
        self.device = torch.device(settings.device)
        self._scaler = scaler_of(settings)
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

    def loss(
        self,
        objective: Objective,
        batch: Batch,
        weights: Mapping[str, Tensor] = NONE,
        *,
        again: bool = False,
    ) -> Tensor:
        """The mean loss of a batch, in the precision of the run; `weights` are its mixtures'.

        Dropout draws anew, or `again` what it drew for the loss before. Of a population it is the
        loss of each network.

        Where processes share a batch, it is scaled so that its mean over them is that of the batch.

        Raises DiagnosticError where it is not finite; on other devices, and where processes share
        a batch, nothing is read that early, and a pass finds out at its end.
        """
        lower, inputs = self._precision is not None, {**batch.features, **weights}
        self.keys.steps += not again
        if self._draws:
            inputs[KEYS] = self.keys.of_step()
        with torch.autocast(self.device.type, self._precision, enabled=lower):
            logits = self.logits(inputs)
        if lower:
            logits = logits.float()
        loss = objective.loss(logits, self.labels_of(batch), self.smoothing)
        reads_early = self.device.type == "cpu" and not loss.dim() and not joined()
        if reads_early and not isfinite(loss.item()):
            raise not_finite(self.module, inputs)
        return loss * batch.share

    def logits(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """What the module gives for inputs of a batch."""
        logits: Tensor = self.module(inputs)
        return logits

    @property
    def smoothing(self) -> Smoothing:
        """The share of labels that is spread evenly."""
        return 0.0

    def labels_of(self, batch: Batch) -> Tensor:
        """The labels that the module's output is compared with."""
        return batch.labels

    def state(self) -> dict[str, Any]:
        """What `restore` goes on from; the module's parameters are not in it."""
        return {
            "moments": self.moments(),
            "scaler": self._scaler.state_dict(),
            "draws": self.keys.steps,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on from another optimiser's state."""
        self.restore_moments(state["moments"])
        self._scaler.load_state_dict(state["scaler"])
        self.keys.steps = int(state["draws"])

    def read(self, saved: Saved) -> dict[str, Any]:
        """A state of this optimiser in a checkpoint; raises DiagnosticError where it is none."""
        pairs = zip(self.names, self.parameters, strict=True)
        shapes = {name: tuple(one.shape) for name, one in pairs}
        is_scaled = self._scaler.is_enabled()
        return {
            **read_steps(saved, shapes, self.resting, is_scaled=is_scaled),
            "scaler": read_scaler(saved.at("scaler"), self._scaler),
        }

    @property
    def resting(self) -> set[str]:
        """The parameters that steps need not move, by name."""
        return still(self.module.program)

    def moments(self) -> dict[str, Moments]:
        """Copies of Adam's moments, and the steps that they are of, by the parameter's name."""
        if self.adam is None:
            return {}
        return {
            name: {key: one.detach().cpu().clone() for key, one in self.adam.state[p].items()}
            for name, p in zip(self.names, self.parameters, strict=True)
            if p in self.adam.state
        }

    def restore_moments(self, moments: Mapping[str, Moments]) -> None:
        """Goes on from moments."""
        if self.adam is not None:
            self.adam.state.clear()
            for name, parameter in zip(self.names, self.parameters, strict=True):
                if name in moments:
                    self.adam.state[parameter] = {
                        key: one.to(parameter.device).clone() for key, one in moments[name].items()
                    }

    def step(self, loss: Tensor) -> None:
        """A step along the gradient of a loss; none where nothing that moves makes a difference."""
        if self.adam is not None and loss.requires_grad:
            self.adam.zero_grad()
            scaled: Any = self._scaler.scale(loss.sum())
            scaled.backward()
            average(p.grad for p in self.parameters if p.grad is not None)
            self.move(self.adam)

    def move(self, adam: Adam) -> None:
        """A step along the gradients that the parameters hold."""
        self._scaler.step(adam)
        self._scaler.update()

    def follow(self, gradients: Sequence[Tensor]) -> None:
        """A step along gradients, one for each parameter."""
        if self.adam is not None:
            for parameter, gradient in zip(self.parameters, gradients, strict=True):
                parameter.grad = gradient
            self.adam.step()


class WeightOptimiser(Optimiser):
    """Adam on the weights; every step has the rate of its place in the schedule.

    Where the settings say so, `averages` follow weights and running statistics (`averages.py`).
    """

    def __init__(
        self, module: FusionModule, settings: Settings, batches: int, number: int = 0
    ) -> None:
        """An epoch has so many `batches`; the network draws by its `number`."""
        super().__init__(
            module,
            module.weight_parameters(),
            settings.max_learning_rate,
            settings.weight_decay,
            WEIGHT_BETAS,
            settings,
            self.keys_of([settings], [number]),
        )
        self.settings, self.batches, self.steps = settings, batches, 0
        self.averages = Averages(self._averaged() if self.averages_weights else {})

    @property
    def averages_weights(self) -> bool:
        """Whether averages are kept of weights."""
        return self.settings.averaging > 0

    def _averaged(self) -> dict[str, Tensor]:
        """What averages are kept of: weights and statistics, by name."""
        state, specs = self.module.state_dict(), self.module.program.parameters
        return {spec.name: state[spec.name] for spec in specs if spec.kind != "architecture"}

    def newest_shares(self) -> Iterable[Tensor | float]:
        """What each tensor counts in its average after the step that is taken."""
        return repeat(newest_share(self.settings.averaging, self.steps))

    @staticmethod
    def keys_of(each: Sequence[Settings], numbers: Sequence[int]) -> Keys:
        """The keys of networks with these settings and numbers."""
        seeds = [seed_of(s.seed, WEIGHTS, rank(), n) for s, n in zip(each, numbers, strict=True)]
        return Keys(seeds, torch.device(each[0].device))

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        return rate_at(self.settings, self.batches, self.steps)

    @property
    def smoothing(self) -> Smoothing:
        return self.settings.smoothing

    def step(self, loss: Tensor) -> None:
        if self.adam is not None:
            self.adam.param_groups[0]["lr"] = self.rate
        super().step(loss)
        if self.averages_weights:
            self.averages.follow(self.newest_shares())
        self.steps += 1

    @torch.no_grad()
    def move(self, adam: Adam) -> None:
        self.shorten(adam)
        if decay := self.rate * self.settings.decoupled_decay:
            for parameter in self.parameters:
                parameter.mul_(1 - decay)
        super().move(adam)

    def shorten(self, adam: Adam) -> None:
        """Makes gradients no longer than the settings allow."""
        if self.settings.clipping:
            self._scaler.unscale_(adam)
            gradients = [p.grad for p in self.parameters if p.grad is not None]
            length = torch.stack([g.square().sum() for g in gradients]).sum().sqrt()
            share = shortened(length, self.settings.clipping)
            for gradient in gradients:
                gradient.mul_(share)

    def state(self) -> dict[str, Any]:
        return {**super().state(), "steps": self.steps, "averages": self.averages.state()}

    def read(self, saved: Saved) -> dict[str, Any]:
        state, steps = super().read(saved), saved.at("steps")
        if steps.integer() != state["draws"]:
            raise steps.wrong("as many as there were losses")
        shapes = {name: tuple(one.shape) for name, one in self.averages.held.items()}
        averages = saved.at("averages").tensors(shapes)
        return {**state, "steps": steps.integer(), "averages": averages}

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on from another optimiser's state; the module is where that one's was."""
        super().restore(state)
        self.averages.restore(state["averages"])
        self.steps = int(state["steps"])


def scaler_of(settings: Settings) -> torch.amp.GradScaler:
    """What scales the losses of a run, those in float16 alone."""
    kind, precision = torch.device(settings.device).type, DTYPES[settings.precision]
    return torch.amp.GradScaler(kind, enabled=precision is torch.float16)


def shortened(length: Tensor, longest: Tensor | float) -> Tensor:
    """What gradients of a length are multiplied with, so that they are no longer than that."""
    return (longest / length.clamp_min(torch.finfo(length.dtype).tiny)).clamp_max(1.0)


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
            Keys([seed_of(settings.seed, ARCHITECTURE, rank())], torch.device(settings.device)),
        )
