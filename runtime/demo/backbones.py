"""The demo's two backbones, one per modality. Both are small and are trained from scratch.

A backbone classifies alone; its stage outputs are the features that a fusion network draws on.
Shapes: `n` the batch, `k` the number of classes, `t` words, `g` word pieces.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import torch
from torch import Tensor, nn

WORDS = 8
PIECES = 16
BUCKETS = 4096


@dataclass(frozen=True)
class Staged:
    """A backbone's output: `stages`, shallow to deep, each (n, ...), and `logits` (n, k)."""

    stages: tuple[Tensor, ...]
    logits: Tensor


class Backbone(nn.Module):
    """A module whose forward pass returns `Staged`."""

    def forward(self, inputs: Tensor) -> Staged:
        """Stage outputs and logits of a batch."""
        raise NotImplementedError


class PictureBackbone(Backbone):
    """Four convolutional stages; each halves height and width.

    Input (n, 4, 32, 32): colour premultiplied by opacity, and opacity, in [0, 1]. Stages
    (n, 16, 16, 16), (n, 32, 8, 8), (n, 48, 4, 4), (n, 64, 2, 2).
    """

    CHANNELS = (16, 32, 48, 64)

    def __init__(self, classes: int, dropout: float = 0.3) -> None:
        super().__init__()
        inward = (4, *self.CHANNELS)
        self.stages = nn.ModuleList(map(_convolutions, inward, self.CHANNELS))
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(self.CHANNELS[-1], classes))

    def forward(self, inputs: Tensor) -> Staged:
        """Input (n, 4, 32, 32)."""
        outputs: list[Tensor] = []
        for stage in self.stages:
            inputs = stage(inputs)
            outputs.append(inputs)
        return Staged(tuple(outputs), self.head(inputs.mean((2, 3))))


class TextBackbone(Backbone):
    """Words from their pieces, words among their neighbours, then the whole text.

    Input (n, t, g): hashed pieces of words as `hash_pieces` gives them. Stages (n, t, 48): each
    word alone; (n, t, 64): each word with the words next to it; (n, 64): the strongest response of
    any word. Where a text has no word, the stages are zero.
    """

    CHANNELS = (48, 64, 64)

    def __init__(self, classes: int, dropout: float = 0.5) -> None:
        super().__init__()
        word, context, text = self.CHANNELS
        self.pieces = nn.Embedding(BUCKETS, word, padding_idx=0)
        self.word = nn.Sequential(nn.LayerNorm(word), nn.Dropout(dropout))
        self.context = nn.Sequential(nn.Conv1d(word, context, 3, padding=1), nn.ReLU())
        self.text = nn.Sequential(nn.Dropout(dropout), nn.Linear(context, text), nn.ReLU())
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(text, classes))

    def forward(self, inputs: Tensor) -> Staged:
        """Input (n, t, g)."""
        count = (inputs != 0).sum(2, keepdim=True)
        present = (count > 0).float()
        mean = self.pieces(inputs).sum(2) / count.clamp(min=1)
        word = self.word(mean) * present
        context = self.context(word.transpose(1, 2)).transpose(1, 2) * present
        text = self.text(context.amax(1))
        return Staged((word, context, text), self.head(text))


def hash_pieces(texts: Sequence[str], words: int = WORDS) -> Tensor:
    """Integers (n, `words`, `PIECES`): for each word itself and its runs of 3 to 5 characters.

    Runs are those of the word between `<` and `>`: `ox` gives `<ox>`, `<ox`, `ox>`. A piece is its
    CRC-32 folded to 1 .. `BUCKETS` - 1; 0 fills up. Further words and pieces are dropped.
    """
    hashed = torch.zeros(len(texts), words, PIECES, dtype=torch.int64)
    for i, text in enumerate(texts):
        for j, word in enumerate(text.split(" ")[:words]):
            pieces = [1 + crc32(piece.encode()) % (BUCKETS - 1) for piece in _pieces(word)]
            hashed[i, j, : len(pieces)] = torch.tensor(pieces[:PIECES])
    return hashed


def _pieces(word: str) -> list[str]:
    marked = f"<{word}>"
    runs = (marked[i : i + size] for size in (3, 4, 5) for i in range(len(marked) - size + 1))
    return list(dict.fromkeys((marked, *runs)))


def _convolutions(inward: int, outward: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inward, outward, 3, padding=1, bias=False),
        nn.BatchNorm2d(outward),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(outward, outward, 3, padding=1, bias=False),
        nn.BatchNorm2d(outward),
        nn.ReLU(),
    )
