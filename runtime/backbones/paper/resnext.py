"""3-D ResNeXt-101: colour or depth videos of EgoGesture, to 83 gestures.

Hara et al. 2018, cardinality 32; as the published code has it for 32 frames of 112 × 112: of colour
the first convolution is 3 frames long, of depth 7.
"""

from __future__ import annotations

from torch import Tensor, nn

from .residual import MeanOfSpace, MeanOfTime, stage

CLASSES, CARDINALITY = 83, 32
_BLOCKS, _INNER, _EXPANSION = (3, 4, 23, 3), (128, 256, 512, 1024), 2
_MOST = 4
"""Rows and columns that are averaged: all of frames of 112 × 112."""


class ResNeXt101(nn.Module):
    """Videos (batch, channels, t, h, w) to logits (batch, 83).

    `layer2`, `layer3` and `layer4` give (batch, 512, t / 4, h / 8, w / 8), (batch, 1024, t / 8,
    h / 16, w / 16) and (batch, 2048, t / 16, h / 32, w / 32), rounded up; `space` (batch, 2048,
    t / 16), and `average` (batch, 2048). `first` is the length of the first convolution, and `pad`
    how many frames of nothing stand at each end of it.
    """

    def __init__(self, channels: int, first: int, pad: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(
            channels, 64, (first, 7, 7), stride=(1, 2, 2), padding=(pad, 3, 3), bias=False
        )
        self.bn1 = nn.BatchNorm3d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool3d(3, stride=2, padding=1)
        rows: list[nn.Sequential] = []
        before = 64
        for number, (blocks, inner) in enumerate(zip(_BLOCKS, _INNER, strict=True)):
            side = 1 if number == 0 else 2
            outward = _EXPANSION * inner
            rows.append(stage(blocks, before, inner, outward, (side, side, side), CARDINALITY))
            before = outward
        self.layer1, self.layer2, self.layer3, self.layer4 = rows
        self.space = MeanOfSpace(_MOST)
        self.average = MeanOfTime()
        self.fc: nn.Module = nn.Linear(before, CLASSES)
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    def forward(self, videos: Tensor) -> Tensor:
        maps = self.maxpool(self.relu(self.bn1(self.conv1(videos))))
        maps = self.layer4(self.layer3(self.layer2(self.layer1(maps))))
        logits: Tensor = self.fc(self.average(self.space(maps)))
        return logits


def rgb() -> ResNeXt101:
    """Of colour."""
    return ResNeXt101(3, first=3, pad=1)


def depth() -> ResNeXt101:
    """Of depth."""
    return ResNeXt101(1, first=7, pad=3)
