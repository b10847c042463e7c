"""One step for backbones and fusion network: a rate for each, along one gradient."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]
from torch.utils.checkpoint import checkpoint

from ...compiler.targets.torch.module import FusionModule
from ..data.batches import Batches
from ..settings import Settings
from ..training.averages import Averages
from ..training.fitting import predict_all
from ..training.optimisers import WeightOptimiser
from .modalities import Extractor
from .settings import JointSettings

WITHIN = "backbones."
"""What names of backbones' numbers begin with beside those of the network."""


class JointOptimiser(WeightOptimiser):
    """Adam on the weights of a fusion network and, at a rate of their own, on its backbones.

    `held` is all that moves, by name.
    """

    def __init__(
        self,
        module: FusionModule,
        extractor: Extractor,
        settings: Settings,
        joint: JointSettings,
        batches: int,
    ) -> None:
        super().__init__(module, settings, batches)
        self.extractor, self._whole = extractor, _Whole(module, extractor)
        self._ratio = joint.backbone_learning_rate / settings.max_learning_rate
        moving = list(extractor.parameters()) if self._ratio else []
        for parameter in extractor.parameters():
            parameter.requires_grad_(bool(moving))
        if moving and self.adam is not None:
            self.adam.add_param_group({"params": moving, "lr": joint.backbone_learning_rate})
            self.parameters += moving
            self.names += [f"{WITHIN}{name}" for name, _ in extractor.named_parameters()]
        if self.averages_weights:
            self.averages = Averages(self._averaged() | _numbers(extractor))
        self.held: Mapping[str, Tensor] = dict(module.state_dict())
        if moving:
            self.held |= {f"{WITHIN}{name}": t for name, t in extractor.state_dict().items()}

    def logits(self, inputs: Mapping[str, Tensor]) -> Tensor:
        logits: Tensor = self._whole(inputs)
        return logits

    def outputs(self, batches: Batches) -> Tensor:
        """Logits (samples, K) in evaluation mode, after which backbones are as they were."""
        modes = [(module, module.training) for module in self.extractor.modules()]
        try:
            return predict_all(self._whole, batches)
        finally:
            for module, was_training in modes:
                module.training = was_training

    @property
    def resting(self) -> set[str]:
        """And those of backbones: of what stands behind the last tap, none is moved."""
        return super().resting | {name for name in self.names if name.startswith(WITHIN)}

    def step(self, loss: Tensor) -> None:
        if self.adam is not None and len(self.adam.param_groups) > 1:
            self.adam.param_groups[1]["lr"] = self.rate * self._ratio
        super().step(loss)


class _Whole(nn.Module):
    """Backbones and the fusion network behind them, on raw inputs."""

    def __init__(self, module: FusionModule, extractor: Extractor) -> None:
        super().__init__()
        self.module, self.extractor = module, extractor

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Logits (batch, K)."""
        logits: Tensor = self.module({**inputs, **self.extractor.silenced(inputs)})
        return logits


def _numbers(extractor: Extractor) -> dict[str, Tensor]:
    """What of backbones an average can be kept of."""
    state = chain(extractor.named_parameters(), extractor.named_buffers())
    return {f"{WITHIN}{name}": t.data for name, t in state if t.is_floating_point()}


def begin_training(extractor: Extractor, joint: JointSettings) -> None:
    """Sets the modes of backbones for training, as the settings say."""
    extractor.train(joint.backbone_learning_rate > 0)
    for module in extractor.modules():
        if isinstance(module, _BatchNorm) and joint.batch_norm == "frozen":
            module.eval()
    if joint.checkpointing:
        for module in extractor.modules():
            if isinstance(module, (nn.ModuleList, nn.Sequential)):
                for layer in module.children():
                    _compute_twice(layer)


def _compute_twice(layer: nn.Module) -> None:
    """Lets a layer keep its inputs alone while it is trained, and be computed again for gradients.

    Layers of one part, and those within layers that are computed twice already, stay as they are.
    """
    if not any(layer.children()) or "forward" in layer.__dict__:
        return
    forward = layer.forward

    def again(*arguments: Any, **named: Any) -> Any:
        if not torch.is_grad_enabled():
            return forward(*arguments, **named)
        return checkpoint(forward, *arguments, use_reentrant=False, **named)

    layer.__dict__["forward"] = again
