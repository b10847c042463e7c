"""What trains faster on the CPU than torch's own: linear maps, and dropout.

Linear maps go to oneDNN, which computes them with AVX-512 where there is any; torch itself calls
MKL, which does so on Intel's processors alone and takes twice as long on others.

torch's dropout draws a uniform number for each element, which takes longer than a linear map. Here
one random word of 64 bits serves four elements: an element is dropped if its 16 bits are below
`rate · 2^16`, so that the rate is right to 2^-17, and what is kept is scaled by the exact share.

On other devices, in other types and under autocast these are torch's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.autograd import Function

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


Places: TypeAlias = tuple[tuple[int, int], ...]


class _Gather(Function):
    """Copies rows together, and takes each row's gradient from where it went.

    torch's own indexing would fill a whole stack with zeros for every row that is read.
    """

    @staticmethod
    def forward(ctx: Any, places: Places, *stacks: Tensor) -> Tensor:
        ctx.places, ctx.counts = places, tuple(len(s) for s in stacks)
        rows = [s.unbind(0) for s in stacks]
        return torch.stack([rows[stack][row] for stack, row in places])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        parts = gradients[0].unbind(0)
        nothing = torch.zeros_like(parts[0])
        found: list[Tensor | None] = [None]
        for number, readers in enumerate(_readers(ctx.places, ctx.counts)):
            if not ctx.needs_input_grad[1 + number]:
                found.append(None)
                continue
            found.append(torch.stack([_total(parts, r) if r else nothing for r in readers]))
        return tuple(found)


Parts: TypeAlias = tuple[tuple[int, ...], ...]


class _Deal(Function):
    """Copies the rows of each part, and joins the gradients of all parts once."""

    @staticmethod
    def forward(ctx: Any, parts: Parts, stack: Tensor) -> tuple[Tensor, ...]:
        ctx.parts, ctx.count = parts, len(stack)
        rows = stack.unbind(0)
        return tuple(torch.stack([rows[row] for row in part]) for part in parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor]:
        given = [row for gradient in gradients for row in gradient.unbind(0)]
        nothing = torch.zeros_like(given[0])
        readers = _dealt_to(ctx.parts, ctx.count)
        return None, torch.stack([_total(given, r) if r else nothing for r in readers])


@lru_cache(maxsize=4096)
def _dealt_to(parts: Parts, count: int) -> list[list[int]]:
    """By row, the places among all parts, one after the other, that it was dealt to."""
    readers: list[list[int]] = [[] for _ in range(count)]
    for place, row in enumerate(row for part in parts for row in part):
        readers[row].append(place)
    return readers


_deal: Callable[..., tuple[Tensor, ...]] = _Deal.apply


def deal(stack: Tensor, parts: Parts) -> tuple[Tensor, ...]:
    """The rows of each part, as a stack."""
    return _deal(parts, stack)


@lru_cache(maxsize=4096)
def _readers(places: Places, counts: tuple[int, ...]) -> list[list[list[int]]]:
    """By stack and row, the places that read it."""
    readers: list[list[list[int]]] = [[[] for _ in range(count)] for count in counts]
    for place, (stack, row) in enumerate(places):
        readers[stack][row].append(place)
    return readers


def _total(parts: Sequence[Tensor], readers: Sequence[int]) -> Tensor:
    first, *others = (parts[r] for r in readers)
    for other in others:
        first = first + other
    return first


_gather: Callable[..., Tensor] = _Gather.apply


def gather(*stacks: Tensor, places: Places) -> Tensor:
    """Rows of stacks, as one stack."""
    return _gather(places, *stacks)


Kernels: TypeAlias = Mapping[str, Callable[..., Tensor]]
NO_KERNELS: Kernels = {}
KERNELS: Kernels = {
    "dropout": dropout,
    "linear": linear,
    "relu_dropout": relu_dropout,
}
"""By primitive, what replaces its torch form while training, where nothing compiles the graph."""
OPAQUE: Mapping[str, Callable[..., Any]] = {"gather": gather, "deal": deal}
"""What is never looked into, since it would be as many operations as there are rows."""
