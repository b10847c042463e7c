"""The second-order architecture step of Liu et al., "DARTS", section 2.3.

The gradient of the validation loss is taken after one weight step w' = w - ξ ∇_w L_train(w, α):

    ∇_α L_val(w', α) - ξ (∇_α L_train(w⁺, α) - ∇_α L_train(w⁻, α)) / 2ε,  w± = w ± ε ∇_w' L_val

with ε = 0.01 / |∇_w' L_val|. ξ is the learning rate of the weights. The two losses at w± share
every draw, of dropout and of mixtures: their difference would be that of the draws otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ...data.batches import Batch
from ...parallel.processes import average
from ...training.optimisers import ArchitectureOptimiser
from .hypernet import Hypernet
from .mixtures import Weights

FINITE_DIFFERENCE = 0.01


def unrolled_step(
    hypernet: Hypernet,
    optimiser: ArchitectureOptimiser,
    mixing: Callable[[], Weights],
    penalty: Callable[[Weights], Tensor],
    validation: Batch,
    training: Batch,
) -> Tensor:
    """A step of the architecture parameters; returns the validation loss after the weight step."""
    weights, logits = hypernet.weights.parameters, optimiser.parameters
    objective = hypernet.objective
    before = [p.detach().clone() for p in weights]
    rate = hypernet.weights.rate

    def loss(batch: Batch, mixed: Weights | None = None, *, again: bool = False) -> Tensor:
        return optimiser.loss(objective, batch, mixing() if mixed is None else mixed, again=again)

    def moved(directions: Sequence[Tensor], by: Tensor | float) -> None:
        with torch.no_grad():
            for parameter, start, direction in zip(weights, before, directions, strict=True):
                parameter.copy_(start + by * direction)

    for parameter in weights:
        parameter.requires_grad_(True)
    moved(_gradients(loss(training), weights), -rate)
    mixed = mixing()
    found = optimiser.loss(objective, validation, mixed) + penalty(mixed)
    both = _gradients(found, [*logits, *weights])
    own, direction = both[: len(logits)], both[len(logits) :]
    norm = torch.sqrt(
        sum((d.square().sum() for d in direction), torch.zeros((), device=found.device))
    )
    epsilon = FINITE_DIFFERENCE / norm.clamp_min(torch.finfo(norm.dtype).tiny)
    drawn = mixing()
    moved(direction, epsilon)
    above = _gradients(loss(training, drawn), logits, keep=True)
    moved(direction, -epsilon)
    below = _gradients(loss(training, drawn, again=True), logits)
    with torch.no_grad():
        for parameter, start in zip(weights, before, strict=True):
            parameter.copy_(start).requires_grad_(False)
    optimiser.follow(
        [g - rate * (a - b) / (2 * epsilon) for g, a, b in zip(own, above, below, strict=True)]
    )
    return found.detach()


def _gradients(loss: Tensor, parameters: Sequence[Tensor], *, keep: bool = False) -> list[Tensor]:
    """The gradient for each parameter, over all processes; zero where there is none."""
    if not parameters or not loss.requires_grad:
        return [torch.zeros_like(p) for p in parameters]
    given: Any = torch.autograd.grad(loss, list(parameters), retain_graph=keep, allow_unused=True)
    found = [
        torch.zeros_like(p) if g is None else g for g, p in zip(given, parameters, strict=True)
    ]
    average(found)
    return found
