"""More small backbones, beside those of the demo: for sequences, for vectors and for glyphs."""

from torch import Tensor, nn

from fusewright.runtime.demo.backbones import Backbone, PictureBackbone, Staged


class SequenceBackbone(Backbone):
    """Convolutional stages along time; each halves it.

    Input (n, c, t) with any number of channels. Stage i (n, `channels[i]`, t / 2^(i + 1)).
    """

    def __init__(
        self, inward: int, channels: tuple[int, ...], classes: int, dropout: float = 0.3
    ) -> None:
        super().__init__()
        self.stages = nn.ModuleList(map(_convolution, (inward, *channels), channels))
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(channels[-1], classes))

    def forward(self, inputs: Tensor) -> Staged:
        """Input (n, c, t)."""
        outputs: list[Tensor] = []
        for stage in self.stages:
            inputs = stage(inputs)
            outputs.append(inputs)
        return Staged(tuple(outputs), self.head(inputs.mean(2)))


class GlyphBackbone(PictureBackbone):
    """The demo's picture backbone for one channel: input (n, 1, 32, 32), the opacity of ink."""

    def forward(self, inputs: Tensor) -> Staged:
        """Input (n, 1, 32, 32)."""
        return super().forward(inputs.expand(-1, 4, -1, -1))


class VectorBackbone(Backbone):
    """Fully connected stages. Input (n, c); the stages are the input and (n, `channels[i]`)."""

    def __init__(
        self, inward: int, channels: tuple[int, ...], classes: int, dropout: float = 0.3
    ) -> None:
        super().__init__()
        self.stages = nn.ModuleList(map(_linear, (inward, *channels), channels))
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(channels[-1], classes))

    def forward(self, inputs: Tensor) -> Staged:
        """Input (n, c)."""
        outputs = [inputs]
        for stage in self.stages:
            inputs = stage(inputs)
            outputs.append(inputs)
        return Staged(tuple(outputs), self.head(inputs))


def _convolution(inward: int, outward: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv1d(inward, outward, 5, padding=2, bias=False),
        nn.BatchNorm1d(outward),
        nn.ReLU(),
        nn.MaxPool1d(2),
    )


def _linear(inward: int, outward: int) -> nn.Module:
    return nn.Sequential(nn.Linear(inward, outward), nn.BatchNorm1d(outward), nn.ReLU())
