"""Rows of residual blocks with three convolutions each, over time and space."""

from __future__ import annotations

from torch import Tensor, nn

Stride = tuple[int, int, int]


class Bottleneck(nn.Module):
    """A block (batch, c, t, h, w): to `inner` channels, a convolution of 3 × 3 × 3 there, back.

    What comes in is added, through a convolution of its own where the shape changes.
    """

    def __init__(
        self, inward: int, inner: int, outward: int, stride: Stride, groups: int, *, reshapes: bool
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(inward, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm3d(inner)
        self.conv2 = nn.Conv3d(inner, inner, 3, stride=stride, padding=1, groups=groups, bias=False)
        self.bn2 = nn.BatchNorm3d(inner)
        self.conv3 = nn.Conv3d(inner, outward, 1, bias=False)
        self.bn3 = nn.BatchNorm3d(outward)
        self.relu = nn.ReLU(inplace=True)
        self.downsample: nn.Module | None = None
        if reshapes:
            convolution = nn.Conv3d(inward, outward, 1, stride=stride, bias=False)
            self.downsample = nn.Sequential(convolution, nn.BatchNorm3d(outward))

    def forward(self, inputs: Tensor) -> Tensor:
        outputs = self.relu(self.bn1(self.conv1(inputs)))
        outputs = self.relu(self.bn2(self.conv2(outputs)))
        outputs = self.bn3(self.conv3(outputs))
        kept = inputs if self.downsample is None else self.downsample(inputs)
        added: Tensor = self.relu(outputs + kept)
        return added


def stage(
    blocks: int, inward: int, inner: int, outward: int, stride: Stride, groups: int = 1
) -> nn.Sequential:
    """So many blocks, of which the first changes channels and size."""
    first = Bottleneck(inward, inner, outward, stride, groups, reshapes=True)
    more = (
        Bottleneck(outward, inner, outward, (1, 1, 1), groups, reshapes=False)
        for _ in range(blocks - 1)
    )
    return nn.Sequential(first, *more)


class MeanOfSpace(nn.Module):
    """The mean (batch, c, t) over the first `most` rows and columns of maps (batch, c, t, h, w)."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def forward(self, maps: Tensor) -> Tensor:
        return maps[..., : self.most, : self.most].mean((3, 4))


class MeanOfTime(nn.Module):
    """The mean (batch, c) of (batch, c, t)."""

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs.mean(2)
