"""A small ResNet for pictures of one colour, with random weights: `module:resnet`.

A backbone of one's own is a function that takes nothing and gives a module of torch. What that
takes stands in `inputs`, and how pictures become that in `transform`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

WIDTHS = (16, 32, 64)
SIZE = 32


class Block(nn.Module):
    """Two convolutions beside a shortcut; height and width are halved.

    Units leak, since of random ones that do not many would never give anything.
    """

    def __init__(self, inward: int, outward: int) -> None:
        super().__init__()
        self.shortcut = nn.Conv2d(inward, outward, 1, stride=2)
        self.convolutions = nn.Sequential(
            nn.Conv2d(inward, outward, 3, stride=2, padding=1),
            nn.BatchNorm2d(outward),
            nn.LeakyReLU(0.1),
            nn.Conv2d(outward, outward, 3, padding=1),
            nn.BatchNorm2d(outward),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """(n, inward, h, w) to (n, outward, h / 2, w / 2)."""
        sums = self.convolutions(inputs) + self.shortcut(inputs)
        outputs: Tensor = nn.functional.leaky_relu(sums, 0.1)
        return outputs


class ResNet(nn.Module):
    """Pictures (n, 1, 32, 32) in three stages, to (n, 64)."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs = {"pictures": {"kind": "picture", "shape": [1, SIZE, SIZE]}}
        self.transform = {
            "kind": "picture",
            "colours": 1,
            "resize": [SIZE, SIZE],
            "interpolation": "bilinear",
            "mean": [0.3],
            "std": [0.35],
        }
        self.stages = nn.Sequential(*map(Block, (1, *WIDTHS), WIDTHS))

    def forward(self, pictures: Tensor) -> Tensor:
        """The mean of the last stage over its places."""
        outputs: Tensor = self.stages(pictures).mean((2, 3))
        return outputs


def resnet() -> nn.Module:
    """The network, with the same random weights each time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return ResNet()
