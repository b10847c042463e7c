"""From architecture parameters, or a choice, to the weights of a hypernet's mixtures.

A one-dimensional parameter chooses among candidates; a two-dimensional one has a row of two logits,
Zero and Identity, for each predecessor (`compiler/lowering/lower.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ....compiler.targets.torch.module import FusionModule
from ....ops.primitives.reductions import numpy_softmax

Weights: TypeAlias = Mapping[str, Tensor]
IDENTITY = 1
"""The place of Identity beside Zero."""


class ArchitectureParameters:
    """The architecture parameters that a hypernet depends on, by name."""

    def __init__(self, module: FusionModule) -> None:
        read = {i.name for i in module.program.inputs if i.kind == "weights"}
        self.logits: dict[str, nn.Parameter] = {
            name: parameter for name, parameter in module.named_parameters() if name in read
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """A copy as numpy arrays."""
        return {n: p.detach().cpu().numpy().copy() for n, p in self.logits.items()}

    def softmax(self) -> Weights:
        """Equations (1) and (10)."""
        return {n: _identity(torch.softmax(p, -1)) for n, p in self.logits.items()}

    def gumbel(self, temperature: float, generator: torch.Generator) -> Weights:
        """A sample: one candidate alone, with the gradient of the tempered softmax.

        Equations (4) to (7) of Dong and Yang, "Searching for a Robust Neural Architecture in Four
        GPU Hours". The generator is one of the CPU, so that every process draws the same.
        """
        found: dict[str, Tensor] = {}
        for name, logits in self.logits.items():
            noise = -torch.empty(logits.shape).exponential_(generator=generator).log()
            soft = torch.softmax((logits + noise.to(logits)) / temperature, -1)
            hard = torch.zeros_like(soft).scatter(-1, soft.argmax(-1, keepdim=True), 1.0)
            found[name] = _identity(hard + soft - soft.detach())
        return found


def _identity(weights: Tensor) -> Tensor:
    return weights[:, IDENTITY] if weights.dim() == 2 else weights


def entropies(logits: Mapping[str, NDArray[Any]]) -> dict[str, float]:
    """The mean entropy of each architecture parameter's softmaxes, in nats."""
    found: dict[str, float] = {}
    for name, array in logits.items():
        weights = numpy_softmax(np, array)
        logs = np.log(np.where(weights > 0, weights, 1.0))
        found[name] = float(-(weights * logs).sum(-1).mean())
    return found
