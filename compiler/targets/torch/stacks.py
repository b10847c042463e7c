"""What runs on stacks, and would be slow as torch's own operations: rows, norms, masks.

torch's indexing fills a whole stack with zeros for the gradient of every row that is read. Here
rows are copied together, and gradients go back to where they came from, in a few operations,
however many rows there are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor
from torch.autograd import Function

from ....ops.batching import everywhere
from ....ops.primitive import primitives
from ....ops.primitives.batch import Places
from ....ops.primitives.draws import threshold

Parts: TypeAlias = tuple[tuple[int, ...], ...]


class _Rows(NamedTuple):
    """Rows of a stack, and how a gradient for them becomes one for the stack.

    `readers` is the place, among the rows, of the first that reads each row of the stack, `unread`
    which rows nothing reads, and `again` the further places that read some, and which these are.
    """

    side_by_side: tuple[int, int] | None
    """The first of the rows and how many they are, where they stand side by side."""
    taken: Tensor
    readers: Tensor
    unread: Tensor | None
    again: tuple[Tensor, Tensor] | None

    def take(self, stack: Tensor) -> Tensor:
        """The rows, as a view where that is possible."""
        if self.side_by_side is not None:
            return stack.narrow(0, *self.side_by_side)
        return stack.index_select(0, self.taken)

    def give(self, gradient: Tensor) -> Tensor:
        """The gradient of the stack from that of the rows."""
        if self.side_by_side == (0, len(self.readers)):
            return gradient
        whole = gradient.index_select(0, self.readers)
        if self.unread is not None:
            whole.index_fill_(0, self.unread, 0)
        if self.again is not None:
            places, rows = self.again
            whole.index_add_(0, rows, gradient.index_select(0, places))
        return whole


def _rows(taken: Sequence[int], count: int, device: torch.device) -> _Rows:
    side_by_side = [*taken] == [*range(taken[0], taken[0] + len(taken))]
    first: dict[int, int] = {}
    again: list[tuple[int, int]] = []
    for place, row in enumerate(taken):
        if first.setdefault(row, place) != place:
            again.append((place, row))

    def numbers(values: Sequence[int]) -> Tensor:
        return torch.tensor(values, device=device)

    unread = [row for row in range(count) if row not in first]
    return _Rows(
        (taken[0], len(taken)) if side_by_side else None,
        numbers(taken),
        numbers([first.get(row, 0) for row in range(count)]),
        numbers(unread) if unread else None,
        (numbers([p for p, _ in again]), numbers([r for _, r in again])) if again else None,
    )


@lru_cache(maxsize=4096)
def _plan(
    places: Places, counts: tuple[int, ...], device: torch.device
) -> tuple[list[_Rows], _Rows]:
    """The rows of each stack, and then the order of all of them together."""
    rows: list[_Rows] = []
    order: list[int] = []
    for number, count in enumerate(counts):
        own = [place for place, (stack, _) in enumerate(places) if stack == number]
        rows.append(_rows([places[place][1] for place in own], count, device))
        order += own
    at = {place: position for position, place in enumerate(order)}
    return rows, _rows([at[place] for place in range(len(places))], len(places), device)


class _Gather(Function):
    @staticmethod
    def forward(ctx: Any, places: Places, *stacks: Tensor) -> Tensor:
        counts = tuple(len(stack) for stack in stacks)
        ctx.plan = rows, order = _plan(places, counts, stacks[0].device)
        taken = [one.take(stack) for one, stack in zip(rows, stacks, strict=True)]
        ctx.sizes = [len(one) for one in taken]
        return order.take(torch.cat(taken) if len(taken) > 1 else taken[0])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        rows, order = ctx.plan
        parts = order.give(gradients[0]).split(ctx.sizes)
        given = zip(rows, parts, ctx.needs_input_grad[1:], strict=True)
        return None, *(one.give(part) if needed else None for one, part, needed in given)


class _Deal(Function):
    @staticmethod
    def forward(ctx: Any, parts: Parts, stack: Tensor) -> tuple[Tensor, ...]:
        ctx.parts, ctx.count = parts, len(stack)
        return tuple(one.take(stack) for one in _dealt(parts, ctx.count, stack.device))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor]:
        every = tuple(row for part in ctx.parts for row in part)
        (rows,) = _dealt((every,), ctx.count, gradients[0].device)
        return None, rows.give(torch.cat(gradients))


@lru_cache(maxsize=4096)
def _dealt(parts: Parts, count: int, device: torch.device) -> list[_Rows]:
    return [_rows(part, count, device) for part in parts]


_gather: Callable[..., Tensor] = _Gather.apply
_deal: Callable[..., tuple[Tensor, ...]] = _Deal.apply


def gather(*stacks: Tensor, places: Places) -> Tensor:
    """Rows of stacks, as one stack."""
    return _gather(places, *stacks)


def deal(stack: Tensor, parts: Parts) -> tuple[Tensor, ...]:
    """The rows of each part, as a stack."""
    return _deal(parts, stack)


class _Normalised(Function):
    """Batch norm of every row of a stack, (rows, batch, …, channels), in training.

    Where a sample has several channels in a row of memory, all of it is one run of numbers: what
    is one for each channel is repeated along it.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, scale: Tensor, shift: Tensor, epsilon: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        channels = x.shape[-1]
        times = x[0, 0].numel() // channels
        flat = x.reshape(len(x), -1, times * channels)
        mean = _over_channels(flat.mean(1), channels)
        normal = flat - _along(mean, times)
        variance = _over_channels(torch.mul(normal, normal).mean(1), channels)
        inverse = torch.rsqrt(variance + epsilon)
        normal.mul_(_along(inverse, times))
        ctx.save_for_backward(normal, inverse, scale)
        ctx.times = times
        ctx.mark_non_differentiable(mean, variance)
        y = torch.addcmul(_along(shift, times), normal, _along(scale, times))
        return y.view(x.shape), mean, variance

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        normal, inverse, scale = ctx.saved_tensors
        channels, times = scale.shape[-1], ctx.times
        given = gradients[0].reshape(normal.shape)
        count = normal.shape[1] * times
        of_shift = _over_channels(given.mean(1), channels)
        of_scale = _over_channels(torch.mul(given, normal).mean(1), channels)
        of_x = torch.addcmul(
            given - _along(of_shift, times), normal, _along(of_scale, times), value=-1
        )
        of_x.mul_(_along(inverse * scale, times))
        return of_x.view(gradients[0].shape), of_scale * count, of_shift * count, None


def _over_channels(means: Tensor, channels: int) -> Tensor:
    """(rows, times · channels) as the mean of each channel, (rows, channels)."""
    return means.view(len(means), -1, channels).mean(1)


def _along(channels: Tensor, times: int) -> Tensor:
    """(rows, channels), repeated as often as they stand in a sample, with an axis for the batch."""
    return channels.repeat(1, times).unsqueeze(1)


_normalised: Callable[..., tuple[Tensor, Tensor, Tensor]] = _Normalised.apply


def _batch_norm(
    x: Tensor, bias: Tensor | None, owned: Sequence[Tensor], epsilon: float, momentum: float
) -> Tensor:
    """The batch norm of a stack in training; running statistics are moved."""
    scale, shift, mean, variance = owned
    given = x.dtype
    if given.itemsize == 2:
        x = x.float()
    y, found, spread = _normalised(x, scale, shift, epsilon)
    count = x[0].numel() // x.shape[-1]
    with torch.no_grad():
        mean.lerp_(found if bias is None else found + bias, momentum)
        variance.lerp_(spread * (count / max(1, count - 1)), momentum)
    return y.to(given)


class _Masked(Function):
    """Keeps the mask alone, or where a ReLU came before it the result, which says as much."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, bits: Tensor, rate: float, relu: bool, axes: int) -> Tensor:
        least, scale = threshold(rate)
        lanes = bits.view(torch.int16).narrow(-1, 0, x.shape[axes:].numel()).reshape(x.shape)
        mask = torch.empty_like(x)
        torch.ge(lanes, least, out=mask)
        ctx.relu, ctx.scale = relu, scale
        if relu:
            y = torch.relu(x).mul_(mask).mul_(scale)
            ctx.save_for_backward(y)
            return y
        ctx.save_for_backward(mask.mul_(scale))
        return x * mask

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (kept,) = ctx.saved_tensors
        if not ctx.relu:
            return gradients[0] * kept, None, None, None, None
        passed = torch.ops.aten.threshold_backward(gradients[0], kept, 0)
        return passed.mul_(ctx.scale), None, None, None, None


_masked: Callable[..., Tensor] = _Masked.apply
_WITH_TORCH: Callable[..., Tensor] = primitives()["batched"].torch


def masked(x: Tensor, bits: Tensor, rate: float, relu: bool) -> Tensor:
    """A value whose elements are dropped by keyed draws."""
    return _masked(x, bits, rate, relu, 1)


def batched(
    *arguments: Tensor, primitive: str, of: Any, attributes: tuple[tuple[str, Any], ...]
) -> Tensor:
    """A primitive over stacks in training."""
    settings = dict(attributes)
    match primitive:
        case "masked":
            x, bits = everywhere(arguments, of)
            return _masked(x, bits, settings["rate"], settings["relu"], 2)
        case "normalised":
            x, bias, *owned = everywhere(arguments, of)
            return _batch_norm(x, bias, owned, settings["epsilon"], settings["momentum"])
        case "batchnorm":
            x, *owned = everywhere(arguments, of)
            return _batch_norm(x, None, owned, settings["epsilon"], settings["momentum"])
        case _:
            return _WITH_TORCH(
                torch, *arguments, primitive=primitive, of=of, attributes=attributes, training=True
            )
