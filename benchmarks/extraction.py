"""Training on stored features against training with backbones in the loop: numbers and times.

`python -m benchmarks.extraction`: a hypernet over two stages of a ResNet of 18 layers, frozen, in
inference mode. Both trainings take the same batches in the same order; what differs is where the
features of a batch come from. Weights are random, which times do not depend on, and pictures are
noise.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import Dataset

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.graph.build import build
from fusewright.compiler.lowering.lower import lower
from fusewright.compiler.passes import optimise
from fusewright.compiler.targets.torch.module import FusionModule
from fusewright.runtime.backbones.options import BackboneOptions
from fusewright.runtime.extract.extract import extract
from fusewright.runtime.store.read import Store

from .machine import machine

SPEC = """
network benchmark(C = 64, L = 4)
use bmnas
modality picture from "module:resnet" { Middle at "stages.2" Deep at "stages.3" }
modality numbers { Number[c 8] }
pool Sum, ConcatFC, LinearGLU
cell Cell[2](?, ?) { Step[2] = ?(?, ?) }
predict 10 classes
"""
RATE = 0.01
Features = Callable[[NDArray[np.int64]], dict[str, Tensor]]


class Block(nn.Module):
    """A block of a ResNet of 18 layers."""

    def __init__(self, inward: int, outward: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inward, outward, 3, stride, 1, bias=False)
        self.second = nn.Conv2d(outward, outward, 3, 1, 1, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm2d(outward) for _ in range(3))
        shortcut = nn.Conv2d(inward, outward, 1, stride, bias=False)
        self.shortcut = nn.Identity() if (inward, stride) == (outward, 1) else shortcut

    def forward(self, x: Tensor) -> Tensor:
        first, second, side = self.norms
        inner = second(self.second(torch.relu(first(self.first(x)))))
        outputs: Tensor = torch.relu(inner + side(self.shortcut(x)))
        return outputs


class ResNet(nn.Module):
    """11 million weights; stages of 64, 128, 256 and 512 channels."""

    size = 112

    def __init__(self) -> None:
        super().__init__()
        self.inputs = {"x": {"kind": "picture", "shape": [3, self.size, self.size]}}
        self.stem = nn.Sequential(
            nn.Conv2d(3, 64, 7, 2, 3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, 1),
        )
        widths = (64, 128, 256, 512)
        self.stages = nn.Sequential(
            *(
                nn.Sequential(Block(before, after, 1 + (before < after)), Block(after, after, 1))
                for before, after in zip((64, *widths), widths, strict=False)
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        outputs: Tensor = self.stages(self.stem(x))
        return outputs


def resnet() -> nn.Module:
    """The same weights each time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return ResNet()


class Samples(Dataset[dict[str, Any]]):
    """Pictures of noise, numbers and labels."""

    def __init__(self, count: int) -> None:
        generator = np.random.default_rng(0)
        size = ResNet.size
        self.pictures = generator.integers(0, 256, (count, size, size, 3), np.uint8)
        self.numbers = generator.normal(size=(count, 8)).astype(np.float32)
        self.labels = generator.integers(0, 10, count)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, sample: int) -> dict[str, Any]:
        return {
            "picture": self.pictures[sample],
            "numbers": self.numbers[sample],
            "labels": int(self.labels[sample]),
        }


@dataclass(frozen=True)
class Trained:
    """The mean loss of each epoch, and how many seconds all of them took."""

    losses: list[float]
    seconds: float


def trained(
    spec: fw.Spec, samples: Samples, features: Features, epochs: int, batch: int
) -> Trained:
    """The hypernet of a specification, weights and architecture parameters together."""
    program = optimise(lower(build(checked(spec)), "per_input"), "training")
    module = FusionModule(program, seed=0).train()
    optimiser = torch.optim.SGD(module.parameters(), RATE)
    generator = np.random.default_rng(1)
    losses: list[float] = []
    started = perf_counter()
    for _ in range(epochs):
        total = 0.0
        order = generator.permutation(len(samples))
        for start in range(0, len(samples), batch):
            rows = order[start : start + batch]
            logits = module(features(rows))
            loss = nn.functional.cross_entropy(logits, torch.from_numpy(samples.labels[rows]))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += float(loss) * len(rows)
        losses.append(total / len(samples))
    return Trained(losses, perf_counter() - started)


def from_store(store: Store) -> Features:
    """Features of samples as they are stored."""
    names = ("Middle", "Deep", "Number")
    return lambda rows: {name: torch.from_numpy(store.array(name).rows(rows)) for name in names}


def from_backbone(samples: Samples) -> Features:
    """Features of samples, each time anew."""
    module: Any = resnet().eval()

    def features(rows: NDArray[np.int64]) -> dict[str, Tensor]:
        pictures = torch.from_numpy(samples.pictures[rows]).permute(0, 3, 1, 2) / 255
        with torch.no_grad():
            middle = module.stages[:3](module.stem(pictures))
            deep = module.stages[3](middle)
        return {"Middle": middle, "Deep": deep, "Number": torch.from_numpy(samples.numbers[rows])}

    return features


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument(
        "--size", type=int, default=ResNet.size, help="sides of a picture, in pixels"
    )
    given = parser.parse_args()
    ResNet.size = given.size
    samples = Samples(given.samples)
    own = BackboneOptions(backbone=("resnet=benchmarks.extraction:resnet",))
    with tempfile.TemporaryDirectory() as folder:
        started = perf_counter()
        result = extract(fw.loads(SPEC), samples, Path(folder) / "store", backbones=own)
        extraction = perf_counter() - started
        store = Store.open(Path(folder) / "store")
        stored = trained(result.spec, samples, from_store(store), given.epochs, given.batch)
    looped = trained(result.spec, samples, from_backbone(samples), given.epochs, given.batch)
    apart = max(abs(a - b) for a, b in zip(stored.losses, looped.losses, strict=True))
    print(machine("torch", "numpy"))
    print(f"{given.samples} pictures of {given.size} × {given.size}, {given.epochs} epochs")
    print(f"last loss: {stored.losses[-1]:.6f} stored, {looped.losses[-1]:.6f} in the loop")
    first = abs(stored.losses[0] - looped.losses[0])
    print(f"difference of the first epoch's loss: {first:.1e}")
    print(f"largest difference of any epoch's loss: {apart:.1e}")
    print(f"seconds: {stored.seconds:.1f} stored, {looped.seconds:.1f} in the loop")
    print(f"seconds to extract: {extraction:.1f}")
    print(f"ratio: {looped.seconds / stored.seconds:.1f}")
    print(f"ratio with the extraction: {looped.seconds / (stored.seconds + extraction):.1f}")
    sys.stdout.flush()


if __name__ == "__main__":
    import_module("benchmarks.extraction").main()  # by the name that the backbone has
