"""Inflated ResNet-50: colour videos of NTU RGB+D, to 60 actions.

He et al. 2016, with convolutions of 3 × 3 inflated to 3 × 3 × 3 (Baradel et al. 2018); as `Visual`
in the published code: the first convolution sees single frames, and time keeps its length.
"""

from __future__ import annotations

from torch import Tensor, nn

from .residual import MeanOfSpace, MeanOfTime, stage

CLASSES = 60
_BLOCKS, _INNER, _EXPANSION = (3, 4, 6, 3), (64, 128, 256, 512), 4
_MOST = 7
"""Rows and columns that are averaged: of frames of 256 × 256 the published code drops an eighth."""


class InflatedResNet50(nn.Module):
    """Videos (batch, 3, t, h, w) to logits (batch, 60).

    `layer2`, `layer3` and `layer4` give (batch, 512, t, h / 8, w / 8), (batch, 1024, t, h / 16,
    w / 16) and (batch, 2048, t, h / 32, w / 32), `space` (batch, 2048, t), and `average`
    (batch, 2048).
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(3, 64, (1, 7, 7), stride=(1, 2, 2), padding=(0, 3, 3), bias=False)
        self.bn1 = nn.BatchNorm3d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1))
        rows: list[nn.Sequential] = []
        before = 64
        for number, (blocks, inner) in enumerate(zip(_BLOCKS, _INNER, strict=True)):
            side = 1 if number == 0 else 2
            rows.append(stage(blocks, before, inner, _EXPANSION * inner, (1, side, side)))
            before = _EXPANSION * inner
        self.layer1, self.layer2, self.layer3, self.layer4 = rows
        self.space = MeanOfSpace(_MOST)
        self.average = MeanOfTime()
        self.classifier: nn.Module = nn.Linear(before, CLASSES)
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                fan = module.kernel_size[1] * module.kernel_size[2] * module.out_channels
                nn.init.normal_(module.weight, 0, (2 / fan) ** 0.5)

    def forward(self, videos: Tensor) -> Tensor:
        maps = self.maxpool(self.relu(self.bn1(self.conv1(videos))))
        maps = self.layer4(self.layer3(self.layer2(self.layer1(maps))))
        logits: Tensor = self.classifier(self.average(self.space(maps)))
        return logits
