"""VGG-19, the convolutions of it: posters of MM-IMDB, to 23 genres.

Simonyan and Zisserman 2015, configuration E. `features` is numbered as torchvision numbers it; the
head over averages of the last maps is that of `GP_VGG` in the published code.
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

STAGES = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))
"""Channels of each stage, and its convolutions; maps are half as large after each."""
LABELS = 23


def _layers() -> Iterator[nn.Module]:
    before = 3
    for channels, convolutions in STAGES:
        for _ in range(convolutions):
            yield nn.Conv2d(before, channels, 3, padding=1)
            yield nn.ReLU(inplace=True)
            before = channels
        yield nn.MaxPool2d(2)


class Vgg19(nn.Module):
    """Pictures (batch, 3, h, w) to logits (batch, 23).

    `features.20` and `features.26` give (batch, 512, h / 8, w / 8), `features.33` a quarter of
    these maps and `features.36` a sixteenth.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(*_layers())
        channels = STAGES[-1][0]
        self.bn4 = nn.BatchNorm1d(channels)
        self.classifier: nn.Module = nn.Linear(channels, LABELS)
        for module in self.features:
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                assert module.bias is not None
                nn.init.zeros_(module.bias)

    def forward(self, pictures: Tensor) -> Tensor:
        maps: Tensor = self.features(pictures)
        logits: Tensor = self.classifier(self.bn4(maps.mean((2, 3))))
        return logits
