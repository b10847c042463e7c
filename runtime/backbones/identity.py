"""Which backbone it is: where it comes from, and a digest of its structure and all its weights."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import chain

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells a backbone from every other; `version` is that of the library, without builds."""

    provider: str
    model: str
    version: str
    structure: str
    weights: str

    def record(self) -> dict[str, str]:
        """The identity as texts by name."""
        return asdict(self)

    @property
    def digest(self) -> str:
        """The SHA-256 of all of it."""
        return sha256(json.dumps(self.record(), sort_keys=True).encode()).hexdigest()


def structure_digest(module: nn.Module) -> str:
    """The SHA-256 of a module as it prints: its tree, with the numbers of each layer."""
    return sha256(repr(module).encode()).hexdigest()


def weights_digest(module: nn.Module) -> str:
    """The SHA-256 over all weights and buffers by name, in the order of their names.

    Of each: name, type, shape, and its numbers, in the order of the last axis, little-endian.
    """
    digest = sha256()
    tensors = dict(chain(module.named_parameters(), module.named_buffers()))
    for name in sorted(tensors):
        tensor = tensors[name].detach().to("cpu").contiguous()
        kind = str(tensor.dtype).removeprefix("torch.")
        digest.update(f"{name}\0{kind}\0{tuple(tensor.shape)}\0".encode())
        digest.update(_little_endian(tensor))
    return digest.hexdigest()


def _little_endian(tensor: Tensor) -> memoryview | bytes:
    """The bytes of a contiguous tensor; those of a machine that begins with the largest turned."""
    array = tensor.reshape(-1).view(torch.uint8).numpy()
    if torch.tensor([1], dtype=torch.int16).view(torch.uint8)[0] == 1:
        return array.data
    size = tensor.element_size() // (2 if tensor.is_complex() else 1)
    return array.reshape(-1, size)[:, ::-1].tobytes()
