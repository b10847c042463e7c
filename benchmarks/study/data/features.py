"""Features from backbones that learn from the training split alone, and from no other modality."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.random import fork_rng

from fusewright.runtime.data.split import TRAIN
from fusewright.runtime.demo.backbones import Backbone
from fusewright.runtime.demo.training import Schedule, train

Arrays: TypeAlias = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Unimodal:
    """One modality: what its backbone reads, and how it is made and trained.

    - `name`: features are `name_1`, `name_2`, …, shallow to deep.
    - `inputs`: (n, ...), all samples.
    - `backbone`: makes it, untrained.
    - `present`: which samples have the modality, (n,); the others' features are zero. None: all.
    """

    name: str
    inputs: Tensor
    backbone: Callable[[], Backbone]
    schedule: Schedule
    present: NDArray[np.bool_] | None = None


def extract(
    modalities: Sequence[Unimodal], targets: NDArray[Any], split: NDArray[Any], seed: int
) -> Arrays:
    """Features by name, float32 (n, ...), of backbones trained with `seed` on the CPU.

    `targets` are (n,) classes or (n, k) shares of each class. PyTorch's own generators are left
    as they were.
    """
    wanted = torch.from_numpy(targets)
    features: Arrays = {}
    with fork_rng(devices=[]):
        for place, one in enumerate(modalities):
            torch.default_generator.manual_seed(1000 * seed + place)
            present = np.ones(len(split), bool) if one.present is None else one.present
            known = torch.from_numpy((split == TRAIN) & present)
            backbone = one.backbone()
            train(backbone, one.inputs[known], wanted[known], one.schedule, lambda share: None)
            features |= _stages(one.name, backbone, one.inputs, present)
    return features


def halved(features: Arrays, left_out: Sequence[str]) -> Arrays:
    """The features in half precision, without some, where a file would become too large."""
    kept = {name: array for name, array in features.items() if name not in left_out}
    return {name: array.astype(np.float16) for name, array in kept.items()}


def standardised(values: NDArray[Any], split: NDArray[Any], axes: tuple[int, ...]) -> NDArray[Any]:
    """`values` with mean 0 and deviation 1 over `axes` of the training samples, float32."""
    known = values[split == TRAIN]
    deviation = known.std(axes, keepdims=True)
    scaled: NDArray[Any] = (values - known.mean(axes, keepdims=True)) / np.where(
        deviation > 0, deviation, 1
    )
    return scaled.astype(np.float32)


def drop_steps(inputs: Tensor) -> Tensor:
    """Sequences (n, c, t) without a quarter of their steps, drawn for each sample."""
    return inputs * (torch.rand(len(inputs), 1, inputs.shape[2]) >= 0.25)


def drop_pieces(inputs: Tensor) -> Tensor:
    """Hashed texts (n, t, g) without three tenths of the words and half of the other pieces."""
    kept = torch.rand(*inputs.shape[:2], 1) >= 0.3
    return inputs * kept * (torch.rand(inputs.shape) >= 0.5)


def jitter(inputs: Tensor) -> Tensor:
    """Standardised inputs (n, c, ...), each sample scaled by up to a fifth, with noise of 0.2."""
    shape = (len(inputs), *[1] * (inputs.ndim - 1))
    return inputs * (1 + 0.4 * (torch.rand(shape) - 0.5)) + 0.2 * torch.randn(inputs.shape)


@torch.no_grad()
def _stages(
    name: str, backbone: Backbone, inputs: Tensor, present: NDArray[np.bool_]
) -> Mapping[str, NDArray[Any]]:
    parts = [backbone(part).stages for part in torch.split(inputs, 256)]
    stages = map(torch.cat, zip(*parts, strict=True))
    found = {f"{name}_{place}": stage.numpy() for place, stage in enumerate(stages, 1)}
    for stage in found.values():
        stage[~present] = 0
    return found
