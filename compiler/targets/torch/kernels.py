"""What trains faster on the CPU than torch's own: linear maps, and dropout.

Linear maps go to oneDNN, which computes them with AVX-512 where there is any; torch itself calls
MKL, which does so on Intel's processors alone and takes twice as long on others.

torch's dropout draws a uniform number for each element, which takes longer than a linear map. Here
one random word of 64 bits serves four elements: an element is dropped if its 16 bits are below
`rate · 2^16`, so that the rate is right to 2^-17, and what is kept is scaled by the exact share.

On other devices, in other types and under autocast these are torch's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.autograd import Function

from ....ops.primitives.draws import GOLDEN, Of, mix_in_place, mixed
from .stacks import batched, deal, gather, masked

_STEPS = 1 << 16
_LANES = 4


def keep_mask(like: Tensor, rate: float) -> tuple[Tensor, float]:
    """1 where an element is kept and 0 where not, and what the kept ones are scaled by."""
    dropped = round(rate * _STEPS)
    count = like.numel()
    words = torch.empty(-(-count // _LANES), dtype=torch.int64)
    words.random_(-(2**63), None)  # all 64 bits: without bounds, the highest stays zero
    lanes = words.view(torch.int16)[:count].view(like.shape)
    mask = torch.empty(like.shape, dtype=like.dtype)
    torch.ge(lanes, dropped - _STEPS // 2, out=mask)
    return mask, _STEPS / (_STEPS - dropped)


class _Dropout(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, rate: float) -> Tensor:
        mask, scale = keep_mask(x, rate)
        ctx.save_for_backward(mask.mul_(scale))
        return x * mask

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (mask,) = ctx.saved_tensors
        return gradients[0] * mask, None


class _ReluDropout(Function):
    """Keeps its result alone: where that is zero, so is the gradient, whichever made it so."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, rate: float) -> Tensor:
        mask, scale = keep_mask(x, rate)
        y = torch.relu(x).mul_(mask).mul_(scale)
        ctx.save_for_backward(y)
        ctx.scale = scale
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (y,) = ctx.saved_tensors
        passed = torch.ops.aten.threshold_backward(gradients[0], y, 0)
        return passed.mul_(ctx.scale), None


_dropout: Callable[..., Tensor] = _Dropout.apply
_relu_dropout: Callable[..., Tensor] = _ReluDropout.apply


_CHUNK = 1 << 15
"""Words that are mixed at a time, so that they stay in the cache."""


def draws(keys: Tensor, samples: Tensor, of: Of, width: int) -> Tensor:
    """The draws of `ops/primitives/draws.py`, in place."""
    members, places = _of(of, keys.device)
    bases = mixed(keys.index_select(0, members) ^ places)
    counters = torch.arange(len(samples) * width, device=keys.device) * GOLDEN
    if keys.device.type != "cpu":
        drawn: Tensor = mixed(bases[:, None, None] + counters.view(-1, width))
        return drawn
    words = torch.empty(len(of), len(counters), dtype=torch.int64)
    step = max(1, _CHUNK // max(1, len(counters)))
    shifted = torch.empty(min(step, len(of)), len(counters), dtype=torch.int64)
    for start in range(0, len(of), step):
        chunk = words[start : start + step]
        torch.add(bases[start : start + step, None], counters, out=chunk)
        mix_in_place(torch, chunk, shifted[: len(chunk)])
    return words.view(len(of), -1, width)


@lru_cache(maxsize=1024)
def _of(of: Of, device: torch.device) -> tuple[Tensor, Tensor]:
    """Members and places on a device, where they stay."""
    members, places = ([one[i] for one in of] for i in (0, 1))
    return torch.tensor(members, device=device), torch.tensor(places, device=device)


def _is_drawn(x: Tensor, rate: float) -> bool:
    """Whether the mask is drawn here; a rate that 16 bits cannot hold is left to torch."""
    return x.device.type == "cpu" and 0 < round(rate * _STEPS) < _STEPS


def dropout(x: Tensor, rate: float) -> Tensor:
    """`x` with elements set to zero at a rate, the others scaled so that the mean stays."""
    if rate == 0:
        return x
    if not _is_drawn(x, rate):
        return torch.nn.functional.dropout(x, rate)
    return _dropout(x, rate)


def relu_dropout(x: Tensor, rate: float) -> Tensor:
    """The dropout of the ReLU of `x`."""
    if rate == 0:
        return torch.relu(x)
    if not _is_drawn(x, rate):
        return torch.nn.functional.dropout(torch.relu(x), rate)
    return _relu_dropout(x, rate)


def product(x: Tensor, w: Tensor) -> Tensor:
    """`x @ w` for matrices, by oneDNN; either may be a transposed view."""
    multiply: Callable[..., Tensor] = torch.ops.mkldnn._linear_pointwise
    return multiply(x, w.t(), None, "none", [], "")


class _Linear(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor) -> Tensor:
        ctx.save_for_backward(x, w)
        return product(x.reshape(-1, x.shape[-1]), w).view(*x.shape[:-1], w.shape[-1])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, w = ctx.saved_tensors
        given = gradients[0].reshape(-1, w.shape[-1])
        of_x, of_w = None, None
        if ctx.needs_input_grad[0]:
            of_x = _linear(given, w.t()).view(x.shape)
        if ctx.needs_input_grad[1]:
            of_w = _of_weights(x.reshape(-1, x.shape[-1]), given)
        return of_x, of_w


def _of_weights(x: Tensor, given: Tensor) -> Tensor:
    """`xᵀ given`; oneDNN copies what stands transposed on its left, so the narrower one does."""
    return _linear(given.t(), x).t() if given.shape[1] < x.shape[1] else _linear(x.t(), given)


_linear: Callable[..., Tensor] = _Linear.apply
_onednn: Any = torch.backends.mkldnn
_HAS_ONEDNN: bool = _onednn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def linear(x: Tensor, w: Tensor) -> Tensor:
    """`x` (…, channels) times a matrix (channels, results)."""
    own = (
        _HAS_ONEDNN
        and x.dtype == w.dtype == torch.float32
        and x.device.type == "cpu"
        and x.numel() > 0
        and not torch.is_autocast_enabled("cpu")
    )
    return _linear(x, w) if own else torch.matmul(x, w)


Kernels: TypeAlias = Mapping[str, Callable[..., Any]]
NO_KERNELS: Kernels = {}
KERNELS: Kernels = {
    "batched": batched,
    "deal": deal,
    "draws": draws,
    "dropout": dropout,
    "gather": gather,
    "linear": linear,
    "masked": masked,
    "relu_dropout": relu_dropout,
}
"""By primitive, what replaces its torch form while training, where nothing compiles the graph."""
IN_BOTH_MODES = ("gather", "deal")
"""Kernels that give the same in training and evaluation."""
