"""Trains a backbone alone: cross entropy, a fixed number of epochs, no choice by any score."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .backbones import Backbone

Augment = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Schedule:
    """How to train: Adam with decoupled weight decay; the rate rises and falls once.

    `augment` changes each batch of inputs at random, `rate` is the highest learning rate,
    `smoothing` the share of a label that goes to all classes alike.
    """

    epochs: int
    batch: int
    decay: float
    augment: Augment
    rate: float = 4e-3
    smoothing: float = 0.1


def train(
    backbone: Backbone,
    inputs: Tensor,
    labels: Tensor,
    schedule: Schedule,
    progress: Callable[[float], None],
) -> None:
    """Trains in place on `inputs` (n, ...) and `labels` (n,); leaves `backbone` in eval mode.

    Draws from PyTorch's default generator. `progress` gets the share done after each epoch.
    """
    optimizer = torch.optim.AdamW(
        backbone.parameters(), lr=schedule.rate, weight_decay=schedule.decay
    )
    batches = -(-len(labels) // schedule.batch)
    rates = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, schedule.rate, total_steps=schedule.epochs * batches
    )
    backbone.train()
    for epoch in range(schedule.epochs):
        for rows in torch.randperm(len(labels)).chunk(batches):
            logits: Tensor = backbone(schedule.augment(inputs[rows])).logits
            loss = functional.cross_entropy(
                logits, labels[rows], label_smoothing=schedule.smoothing
            )
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            rates.step()
        progress((epoch + 1) / schedule.epochs)
    backbone.eval()


def warp(pictures: Tensor) -> Tensor:
    """Each picture (n, c, h, w) mirrored or not, turned, scaled, shifted and tinted a little.

    Up to 0.25 radians, 15 %, a sixteenth of the side, 15 % per channel, each drawn uniformly.
    """
    n, channels = pictures.shape[:2]
    angle = _around_zero(n) * 0.25
    scale = 1 + _around_zero(n) * 0.15
    mirror = torch.where(torch.rand(n) < 0.5, -1.0, 1.0)
    x, y = _around_zero(2, n) * 0.125
    cosine, sine = scale * angle.cos(), scale * angle.sin()
    moves = torch.stack([mirror * cosine, -sine, x, mirror * sine, cosine, y], 1).view(n, 2, 3)
    grid = functional.affine_grid(moves, list(pictures.shape), align_corners=False)
    moved = functional.grid_sample(pictures, grid, align_corners=False)
    return moved * (1 + _around_zero(n, channels, 1, 1) * 0.15)


def drop_words(pieces: Tensor) -> Tensor:
    """Hashed texts (n, t, g) without two fifths of the words and seven tenths of the other pieces.

    A held-out text has few pieces that the training texts have; so has what this returns.
    """
    words = torch.rand(*pieces.shape[:2], 1) >= 0.4
    return pieces * words * (torch.rand(pieces.shape) >= 0.7)


def _around_zero(*shape: int) -> Tensor:
    return 2 * torch.rand(shape) - 1
