"""The loss of evidence for classes: logits are log α, the parameters of a Dirichlet distribution.

It is equation (7) of TMC (Han et al., ICLR 2021), after Sensoy et al. (NeurIPS 2018): the expected
cross-entropy, Σ y (ψ(Σ α) - ψ(α)), and what evidence for wrong classes costs,
λ KL(Dir(α̃) ‖ Dir(1)) with α̃ = y + (1 - y) α. There λ grows from 0 to 1 over epochs; here it is a
constant, since a loss knows no epochs.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

PENALTY = 0.1
"""λ, what evidence for wrong classes counts."""
LARGEST = 20.0
"""The largest |log α| that the loss tells apart, so that it is finite."""


def evidential(logits: Tensor, labels: Tensor) -> Tensor:
    """The mean loss of logits (batch, K), or that of each network of (networks, batch, K).

    Labels are (batch,) whole numbers, or probabilities (batch, K).
    """
    count = logits.shape[-1]
    truth = labels if labels.is_floating_point() else functional.one_hot(labels, count)
    truth = truth.to(logits.dtype)
    alpha = torch.exp(logits.clamp(-LARGEST, LARGEST))
    entropy = truth * (torch.digamma(alpha.sum(-1, keepdim=True)) - torch.digamma(alpha))
    losses = entropy.sum(-1) + PENALTY * _from_uniform(truth + (1 - truth) * alpha)
    return losses.mean(-1)


def _from_uniform(alpha: Tensor) -> Tensor:
    """KL(Dir(α) ‖ Dir(1)), (…), of α (…, K)."""
    total = alpha.sum(-1)
    constant = torch.lgamma(torch.tensor(float(alpha.shape[-1]), device=alpha.device))
    scale = torch.lgamma(total) - constant - torch.lgamma(alpha).sum(-1)
    moved = torch.digamma(alpha) - torch.digamma(total).unsqueeze(-1)
    return scale + ((alpha - 1) * moved).sum(-1)
