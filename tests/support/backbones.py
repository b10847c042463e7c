"""Small backbones: of our own, as functions that a run may name; of transformers, as folders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fusewright.runtime.backbones.options import BackboneOptions

HERE = __name__


class Block(nn.Module):
    """A convolution that halves height and width, and what follows writes into it."""

    def __init__(self, inward: int, outward: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inward, outward, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(outward)
        self.activation = nn.ReLU(inplace=True)

    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = self.activation(self.norm(self.convolution(inputs)))
        return outputs


class Pictures(nn.Module):
    """Pictures (n, 3, 16, 16) in two stages of (n, 4, 8, 8) and (n, 6, 4, 4), then (n, 5)."""

    inputs: dict[str, Any]
    transform: dict[str, Any]

    def __init__(self) -> None:
        super().__init__()
        self.inputs = {"pixels": {"kind": "picture", "shape": [3, 16, 16]}}
        self.transform = {
            "kind": "picture",
            "colours": 3,
            "resize": [16, 16],
            "crop": [16, 16],
            "interpolation": "bilinear",
            "mean": [0.5, 0.5, 0.5],
            "std": [0.5, 0.5, 0.5],
        }
        self.stages = nn.ModuleList([Block(3, 4), Block(4, 6)])
        self.head = nn.Linear(6, 5)

    def forward(self, pixels: Tensor) -> Tensor:
        for stage in self.stages:
            pixels = stage(pixels)
        outputs: Tensor = self.head(pixels.mean((2, 3)))
        return outputs


class Texts(nn.Module):
    """Tokens (n, t) below 32, with a mask (n, t), in two layers of (n, t, 8)."""

    inputs: dict[str, Any]

    def __init__(self) -> None:
        super().__init__()
        self.inputs = {
            "tokens": {"kind": "text", "shape": [None], "below": 32},
            "mask": {"kind": "mask", "shape": [None]},
        }
        self.embedding = nn.Embedding(32, 8)
        self.layers = nn.ModuleList(
            [nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True) for _ in range(2)]
        )
        self.dropout = nn.Dropout(0.1)

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> dict[str, Tensor]:
        hidden: Tensor = self.embedding(tokens)
        for layer in self.layers:
            hidden = layer(hidden, src_key_padding_mask=None if mask is None else mask == 0)
        return {"hidden": self.dropout(hidden), "first": hidden[:, 0]}


def pictures() -> nn.Module:
    """A backbone of pictures, as `--backbone pictures=…` names it."""
    return Pictures()


def texts() -> nn.Module:
    """A backbone of texts."""
    return Texts()


def seven() -> int:
    """No backbone."""
    return 7


def plain() -> nn.Module:
    """A backbone that does not say what it takes."""
    return nn.ReLU()


def wrong() -> nn.Module:
    """A backbone that says something else."""
    module: Any = nn.ReLU()
    module.inputs = {"x": {"kind": "picture", "shape": [3]}}
    made: nn.Module = module
    return made


OPTIONS = BackboneOptions(
    backbone=(f"pictures={HERE}:pictures", f"texts={HERE}:texts"), initial=True
)
"""Options that name both."""


def bert_folder(folder: Path, **changes: Any) -> Path:
    """The folder of a tiny BERT of transformers: its configuration, and no weights."""
    from transformers import BertConfig

    sizes: dict[str, Any] = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = BertConfig(**sizes, intermediate_size=16, vocab_size=32, max_position_embeddings=64)
    return _folder(folder, config, changes)


def vit_folder(folder: Path, **changes: Any) -> Path:
    """The folder of a tiny ViT of transformers: pictures (3, 16, 16) in 5 tokens of 8."""
    from transformers import ViTConfig

    sizes: dict[str, Any] = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = ViTConfig(**sizes, intermediate_size=16, image_size=16, patch_size=8)
    return _folder(folder, config, changes)


def _folder(folder: Path, config: Any, changes: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    config.save_pretrained(folder)
    file = folder / "config.json"
    values = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**values, **changes}), encoding="utf-8")
    return folder


def seeded(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    """Random numbers of a shape, the same for a seed."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))
