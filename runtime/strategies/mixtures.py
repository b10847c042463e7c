"""From architecture parameters, or a choice, to the weights of a hypernet's mixtures.

A one-dimensional parameter chooses among candidates; a two-dimensional one has a row of two logits,
Zero and Identity, for each predecessor (`compiler/lower.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...compiler.fill import CellChoice
from ...compiler.lower import Relaxation, architecture_name
from ...compiler.network import Network, Slot, union
from ...compiler.targets.torch.module import FusionModule

Weights: TypeAlias = Mapping[str, Tensor]
IDENTITY = 1
"""The place of Identity beside Zero."""


class Architecture:
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
        weights = np.exp(array - array.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        logs = np.log(np.where(weights > 0, weights, 1.0))
        found[name] = float(-(weights * logs).sum(-1).mean())
    return found


def one_hot(
    network: Network, choices: Sequence[CellChoice], relax: Relaxation
) -> dict[str, NDArray[np.float32]]:
    """The weights under which a hypernet computes a choice, and nothing else.

    Under `shared` a place mixes its chosen inputs with weight 1 each, in every slot.
    """
    found: dict[str, NDArray[np.float32]] = {}
    for cell, choice in zip(network.cells, choices, strict=True):
        place: tuple[str, ...] = (cell.name,)
        found |= _slots(cell.slots, choice.inputs, place, "alpha", relax)
        for step, chosen in zip(cell.steps, choice.steps, strict=True):
            place = (cell.name, step.name)
            found |= _slots(step.slots, chosen.inputs, place, "beta", relax)
            if step.open:
                row = np.zeros(len(step.operations), np.float32)
                row[chosen.operation] = 1
                found[architecture_name(place, "gamma")] = row
    return found


def _slots(
    slots: Sequence[Slot],
    inputs: Sequence[str],
    place: tuple[str, ...],
    letter: str,
    relax: Relaxation,
) -> dict[str, NDArray[np.float32]]:
    opened = [(n, s, i) for n, (s, i) in enumerate(zip(slots, inputs, strict=True), 1) if s.open]
    if relax == "per_input":
        return {
            architecture_name(place, letter, number): np.array(
                [c == taken for c in slot.candidates], np.float32
            )
            for number, slot, taken in opened
        }
    if not opened:
        return {}
    taken_here = {taken for _, _, taken in opened}
    rows = np.array([c in taken_here for c in union(slots)], np.float32)
    return {architecture_name(place, letter): rows}
