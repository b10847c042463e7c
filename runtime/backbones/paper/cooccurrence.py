"""Co-occurrence network (HCN): skeletons of NTU RGB+D, to 60 actions.

Li et al. 2018, as `Skeleton` in the published code has it, for 32 frames: joints are the channels
from the third convolution on, so that all of them meet; positions and motion are seen apart, and
the persons of a recording by the same weights, of which the maximum is taken.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

CLASSES = 60
FRAMES, JOINTS, PERSONS = 32, 25, 2
_WIDTH = 64
_HIDDEN = 512


class MaximumOfPersons(nn.Module):
    """The maximum (batch, …) over the persons of (batch × persons, …)."""

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs.reshape(-1, PERSONS, *inputs.shape[1:]).amax(1)


def _point() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, _WIDTH, 1), nn.ReLU())


def _time() -> nn.Conv2d:
    return nn.Conv2d(_WIDTH, FRAMES, (3, 1), padding=(1, 0))


def _joints() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(JOINTS, _WIDTH // 2, 3, padding=1), nn.MaxPool2d(2))


def _wider(dropout: float) -> nn.Sequential:
    convolution = nn.Conv2d(_WIDTH // 2, _WIDTH, 3, padding=1)
    return nn.Sequential(convolution, nn.Dropout2d(dropout), nn.MaxPool2d(2))


def _both(inward: int, outward: int, dropout: float) -> nn.Sequential:
    convolution = nn.Conv2d(inward, outward, 3, padding=1)
    return nn.Sequential(convolution, nn.ReLU(), nn.Dropout2d(dropout), nn.MaxPool2d(2))


class Cooccurrence(nn.Module):
    """Skeletons (batch, 3, 32, 25 × 2), joint by joint with its persons, to logits (batch, 60).

    `most5` gives (batch, 128, 4, 4) and `most6` (batch, 256, 2, 2), the maxima over persons of the
    last two convolutions; `flat` (batch, 1024), and `fc7` (batch, 512).
    """

    def __init__(self, dropout: float = 0.2) -> None:
        super().__init__()
        self.conv1, self.conv2 = _point(), _time()
        self.conv3, self.conv4 = _joints(), _wider(dropout)
        self.conv1m, self.conv2m = _point(), _time()
        self.conv3m, self.conv4m = _joints(), _wider(dropout)
        self.conv5 = _both(2 * _WIDTH, 2 * _WIDTH, dropout)
        self.conv6 = _both(2 * _WIDTH, 4 * _WIDTH, dropout)
        self.most5, self.most6 = MaximumOfPersons(), MaximumOfPersons()
        self.flat = nn.Flatten()
        last = 4 * _WIDTH * (FRAMES // 16) ** 2
        self.fc7 = nn.Sequential(nn.Linear(last, _HIDDEN), nn.ReLU(), nn.Dropout(dropout))
        self.fc8: nn.Module = nn.Linear(_HIDDEN, CLASSES)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                assert module.bias is not None
                nn.init.zeros_(module.bias)

    def forward(self, skeletons: Tensor) -> Tensor:
        by_person = skeletons.reshape(*skeletons.shape[:3], JOINTS, PERSONS)
        apart = by_person.permute(0, 4, 1, 2, 3).flatten(0, 1)
        places = self.conv2(self.conv1(apart)).transpose(1, 3)
        moves = self.conv2m(self.conv1m(_motion(apart))).transpose(1, 3)
        places, moves = self.conv4(self.conv3(places)), self.conv4m(self.conv3m(moves))
        fifth = self.conv5(torch.cat([places, moves], 1))
        self.most5(fifth)
        sixth = self.most6(self.conv6(fifth))
        logits: Tensor = self.fc8(self.fc7(self.flat(sixth)))
        return logits


def _motion(places: Tensor) -> Tensor:
    """Differences from frame to frame of (batch, 3, t, joints), brought to its length."""
    steps = places[:, :, 1:] - places[:, :, :-1]
    size = places.shape[2:]
    return functional.interpolate(steps, size=size, mode="bilinear", align_corners=False)
