"""Batch norm over the samples of all processes, as if they were one batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from ...ops.primitive import primitives
from .processes import total


def batch_norm(
    rows: Tensor,
    mean: Tensor,
    variance: Tensor,
    scale: Tensor,
    shift: Tensor,
    training: bool,
    momentum: float,
    epsilon: float,
) -> Tensor:
    """torch's batch norm of (rows, channels) in training, over the rows of all processes."""
    dtype = rows.dtype
    if dtype in (torch.float16, torch.bfloat16):
        rows = rows.float()
    sums = all_reduce(torch.cat([rows.new_full((1,), len(rows)), rows.sum(0)]))
    size, center = sums[0], sums[1:] / sums[0]
    centered = rows - center
    squares = all_reduce(centered.square().sum(0))
    spread = squares / size
    with torch.no_grad():
        mean.lerp_(center, momentum)
        variance.lerp_(squares / (size - 1), momentum)
    return (centered * torch.rsqrt(spread + epsilon) * scale + shift).to(dtype)


class _Sum(Function):
    """The sum over the processes; each one's gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:
        return total(tensor.clone())

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return total(gradients[0].clone())


def all_reduce(tensor: Tensor) -> Tensor:
    """The sum over the processes, with its gradient."""
    function: Any = _Sum.apply
    total: Tensor = function(tensor)
    return total


class _Torch:
    """torch, but for its batch norm."""

    nn = SimpleNamespace(functional=SimpleNamespace(batch_norm=batch_norm))

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)


def _synchronised(primitive: str) -> Callable[..., Tensor]:
    def computed(*arguments: Any, **attributes: Any) -> Tensor:
        torch_form: Callable[..., Tensor] = primitives()[primitive].torch
        return torch_form(_Torch(), *arguments, training=True, **attributes)

    return computed


SYNCHRONISED: Mapping[str, Callable[..., Tensor]] = {
    name: _synchronised(name) for name in ("batchnorm", "normalised")
}
"""By primitive, what replaces its torch form while several processes train."""
