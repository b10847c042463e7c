"""Checkpoints: states as trees with tensors in them, changed and packed again."""

from __future__ import annotations

from io import BytesIO
from random import Random
from typing import Any

import torch

from . import Mutation, either
from .archive import mutated_archive
from .raw import mutated_bytes
from .tree import mutated_tree, places_of


def mutated_state(original: bytes, random: Random) -> bytes:
    """A checkpoint with values or tensors that are changed."""
    tree: Any = torch.load(BytesIO(original), weights_only=True)
    if random.random() < 0.7 and isinstance(tree, dict):
        tree["state"] = mutated_tree(tree["state"], random)
    else:
        tree = mutated_tree(tree, random)
    for container, key in places_of(tree):
        if isinstance(container[key], torch.Tensor) and random.random() < 0.02:
            container[key] = _changed(container[key], random)
    stream = BytesIO()
    torch.save(tree, stream)
    return stream.getvalue()


def _changed(tensor: torch.Tensor, random: Random) -> torch.Tensor:
    match random.choice(("type", "shape", "empty", "nan", "more")):
        case "type":
            return tensor.to(random.choice((torch.float64, torch.int64, torch.bool, torch.uint8)))
        case "shape":
            return tensor.reshape(-1)[None]
        case "empty":
            return tensor.reshape(-1)[:0]
        case "nan" if tensor.is_floating_point():
            return torch.full_like(tensor, float("nan"))
        case _:
            return torch.cat([tensor.reshape(-1)] * 2)


mutated_checkpoint: Mutation = either(
    mutated_state, mutated_state, mutated_state, mutated_archive, mutated_bytes
)
