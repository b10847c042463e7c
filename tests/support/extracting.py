"""Small backbones, a specification over them, and extractions of it, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import fusewright as fw
from fusewright.runtime.backbones.options import BackboneOptions
from fusewright.runtime.extract.extract import Extracted, extract

from .raw import table

SEEDS = {"picture": 1, "text": 2}
"""What decides the weights of the backbones."""


class Picture(nn.Sequential):
    """Two layers of convolutions, with a normalisation that would change while training."""

    inputs = {"x": {"kind": "picture", "shape": [3, 12, 12]}}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 4, 3, padding=1),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Conv2d(4, 6, 3, stride=2, padding=1),
        )


class Text(nn.Module):
    """Words that see the mean of all words that count."""

    inputs = {  # noqa: RUF012
        "ids": {"kind": "text", "shape": [None], "below": 300},
        "mask": {"kind": "mask", "shape": [None]},
    }

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(300, 5)
        self.mix = nn.Linear(10, 7)

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        words: Tensor = self.words(ids)
        counts = torch.ones_like(ids) if mask is None else mask
        mean = (words * counts[..., None]).sum(1) / counts.sum(1, keepdim=True)
        mixed = torch.cat([words, mean[:, None].expand_as(words)], -1)
        return torch.tanh(self.mix(mixed))


class Alone(nn.Module):
    """Words that see all places of their batch: without a mask, none may be padded."""

    inputs = {"ids": {"kind": "text", "shape": [None], "below": 300}}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(300, 5)

    def forward(self, ids: Tensor) -> Tensor:
        words: Tensor = self.words(ids)
        return words + words.mean(1, keepdim=True)


class Heard(nn.Conv1d):
    """Spectrograms of sounds, whose lengths stay."""

    inputs = {"bands": {"kind": "spectrogram", "shape": [8, None]}}  # noqa: RUF012
    transform = {  # noqa: RUF012
        "kind": "spectrogram",
        "rate": 4000,
        "window": 64,
        "hop": 32,
        "mels": 8,
    }

    def __init__(self) -> None:
        super().__init__(8, 3, 1)


def picture() -> nn.Module:
    return _seeded("picture", Picture)


def text() -> nn.Module:
    return _seeded("text", Text)


def alone() -> nn.Module:
    return _seeded("text", Alone)


def heard() -> nn.Module:
    return _seeded("text", Heard)


def _seeded(name: str, kind: Any) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(SEEDS[name])
        module: nn.Module = kind()
    return module


BACKBONES = BackboneOptions(
    backbone=tuple(f"{name}={__name__}:{name}" for name in ("picture", "text", "alone", "heard"))
)
SPEC = """
network small(C = 4, L = 4)
modality image optional from "module:picture" { Low at "0" High at "3" }
modality text from "module:text" { Words }
modality numbers { Number[c 1] }
pool Sum, ConcatFC
cell Cell(?, ?) { Step = ?(x, y) }
predict 3 classes
"""
QUICK = {"shard_samples": 4, "batch": 3, "workers": 1}


def extracted(folder: Path, spec: str = SPEC, raw: Any = None, **options: Any) -> Extracted:
    """An extraction into `folder/store`, from a table beside it that is made if need be."""
    if raw is None:
        raw = folder / "raw/data.csv"
        if not raw.exists():
            table(folder / "raw", 10, missing=(3, 4))
    given: dict[str, Any] = {**QUICK, **options}
    return extract(fw.loads(spec), raw, folder / "store", backbones=BACKBONES, **given)


def shards(folder: Path, *modalities: str) -> dict[str, bytes]:
    """The files of a store by name, of some modalities or of all."""
    files = sorted((folder / "store").iterdir())
    chosen: Sequence[Path] = [f for f in files if not modalities or f.name.startswith(modalities)]
    return {file.name: file.read_bytes() for file in chosen}
