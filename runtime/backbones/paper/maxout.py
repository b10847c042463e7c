"""Maxout MLP: texts of MM-IMDB as vectors of 300 numbers, to 23 genres.

Goodfellow et al. 2013; the sizes are those of MFAS and of the published BM-NAS code, `MaxOut_MLP`.
"""

from __future__ import annotations

from torch import Tensor, nn

NUMBERS, HIDDEN, PIECES, LABELS = 300, 64, 5, 23


class Maxout(nn.Module):
    """The largest of so many linear maps: (batch, inward) to (batch, outward)."""

    def __init__(self, inward: int, outward: int, pieces: int = PIECES) -> None:
        super().__init__()
        self.pieces = pieces
        self.lin = nn.Linear(inward, outward * pieces)

    def forward(self, inputs: Tensor) -> Tensor:
        pieces: Tensor = self.lin(inputs).unflatten(-1, (-1, self.pieces))
        return pieces.amax(-1)


class MaxoutMlp(nn.Module):
    """Numbers (batch, 300) to logits (batch, 23); `op1` gives (batch, 64), `op3` (batch, 128)."""

    def __init__(self) -> None:
        super().__init__()
        self.op1 = Maxout(NUMBERS, HIDDEN)
        self.op2 = nn.Sequential(nn.BatchNorm1d(HIDDEN), nn.Dropout(0.5))
        self.op3 = Maxout(HIDDEN, 2 * HIDDEN)
        self.op4 = nn.Sequential(nn.BatchNorm1d(2 * HIDDEN), nn.Dropout(0.5))
        self.hid2val = nn.Linear(2 * HIDDEN, LABELS)

    def forward(self, numbers: Tensor) -> Tensor:
        hidden = self.op4(self.op3(self.op2(self.op1(numbers))))
        logits: Tensor = self.hid2val(hidden)
        return logits
