"""`resample`: any declared axes to length L, on the channels the feature has.

With `t`, space is pooled away by max and time brought to L; with `h`, `w` alone, they are pooled
to a grid read row by row; a bare vector is repeated. By `pool` (adaptive max pooling) bin i of n
covers floor(i T / n) to ceil((i + 1) T / n); by `linear` time is interpolated between the
midpoints of its samples. Lengths of samples are read here and nowhere else: a length below zero
means that the whole axis counts.

NOTE: with a size known at compile time a bin is a list of indices, so ONNX needs one Gather and
one ReduceMax; with a size known at run time only, the bins are masks computed where it runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isqrt
from typing import Any

from ..primitive import Attribute, Primitive
from ..types import CHANNELS, FEATURE_AXES, LENGTH, Axis, ShapeError, TensorType

Axes = tuple[Axis, ...]


def grid(length: int) -> tuple[int, int]:
    """Rows and columns of the grid of `length` places: rows is its largest divisor ≤ √length."""
    rows = next(r for r in range(isqrt(length), 0, -1) if length % r == 0)
    return rows, length // rows


def bins(size: int, count: int) -> list[range]:
    """The range of indices that each of `count` bins covers in an axis of `size`."""
    return [range(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]


def _type(x: TensorType, *lengths: TensorType, length: int, by: str, axes: Axes) -> TensorType:
    unknown = [a.name for a in x.axes if a.name not in FEATURE_AXES and a.name != LENGTH]
    if unknown and x.names != (LENGTH, CHANNELS):
        raise ShapeError(f"`resample` does not know the axis `{unknown[0]}` of {x}")
    channels = x.size(CHANNELS if x.names[-1] == CHANNELS else "c")
    if channels is None:
        raise ShapeError(f"the channels of {x} are known only at run time")
    return TensorType((Axis(LENGTH, length), Axis(CHANNELS, channels)), x.batched)


def _derive(x: TensorType, *lengths: TensorType, **_: Any) -> Mapping[str, Any]:
    inner = {LENGTH: "t", CHANNELS: "c"}
    return {"axes": tuple(Axis(inner.get(a.name, a.name), a.size) for a in x.axes)}


def _order(axes: Axes) -> tuple[list[int], dict[str, int | None]]:
    """The permutation to (batch, t, h, w, c), and the sizes of the axes there are."""
    sizes = {a.name: a.size for a in axes}
    places = {a.name: i + 1 for i, a in enumerate(axes)}
    return [0, *(places[n] for n in ("t", "h", "w", "c") if n in places)], sizes


def _hat(np: Any, size: Any, length: int) -> Any:
    """Weights (length, size) of linear interpolation between midpoints, clamped at the ends."""
    at = np.clip((np.arange(length) + 0.5) * size / length - 0.5, 0, size - 1)
    return np.maximum(0, 1 - np.abs(at[:, None] - np.arange(size)))


# numpy: the obvious reference, a loop over samples and bins


def _numpy(np: Any, x: Any, *lengths: Any, length: int, by: str, axes: Axes) -> Any:
    order, sizes = _order(axes)
    x = x.transpose(order)
    if "t" in sizes:
        x = x.max(axis=tuple(range(2, x.ndim - 1))) if x.ndim > 3 else x
        counts = np.broadcast_to(lengths[0] if lengths else -1, (len(x),)).astype(int)
        parts = [s[: n if n >= 0 else len(s)] for s, n in zip(x, counts, strict=True)]
        if by == "linear":
            return np.stack([_hat(np, len(s), length) @ s for s in parts])
        return np.stack([[s[list(b)].max(0) for b in bins(len(s), length)] for s in parts])
    if x.ndim == 2:
        return np.repeat(x[:, None], length, axis=1)
    rows, columns = grid(length)
    x = x.reshape(len(x), x.shape[1] if "h" in sizes else 1, -1, x.shape[-1])
    cells = [
        x[:, r.start : r.stop, c.start : c.stop].max((1, 2))
        for r in bins(x.shape[1], rows)
        for c in bins(x.shape[2], columns)
    ]
    return np.stack(cells, axis=1)


# torch: adaptive pooling kernels, masks only where samples have lengths


def _torch(torch: Any, x: Any, *lengths: Any, length: int, by: str, axes: Axes) -> Any:
    order, sizes = _order(axes)
    x = x.permute(order)
    if "t" in sizes:
        x = torch.amax(x, tuple(range(2, len(order) - 1))) if len(order) > 3 else x
        if lengths:
            return _torch_masked(torch, x, lengths[0], length, by)
        if by == "linear":
            weights = _torch_hat(torch, x, x.new_full((1,), x.shape[1]), length)
            return torch.matmul(weights, x)
        if sizes["t"] == length:
            return x
        return torch.nn.functional.adaptive_max_pool1d(x.transpose(1, 2), length).transpose(1, 2)
    if len(order) == 2:
        return x.unsqueeze(1).expand(-1, length, -1)
    if len(order) == 3:
        x = x.unsqueeze(2 if "h" in sizes else 1)
    pooled = torch.nn.functional.adaptive_max_pool2d(x.permute(0, 3, 1, 2), grid(length))
    return pooled.flatten(2).transpose(1, 2)


def _torch_hat(torch: Any, x: Any, counts: Any, length: int) -> Any:
    """Weights (1 or batch, length, time) of linear interpolation over `counts` samples each."""
    counts = counts.to(x.dtype)[:, None]
    steps = torch.arange(length, device=x.device, dtype=x.dtype)
    at = torch.clamp((steps + 0.5) * counts / length - 0.5, min=0)
    at = torch.minimum(at, counts - 1)[:, :, None]
    times = torch.arange(x.shape[1], device=x.device, dtype=x.dtype)
    return torch.relu(1 - torch.abs(at - times))


def _torch_masked(torch: Any, x: Any, lengths: Any, length: int, by: str) -> Any:
    counts = torch.where(lengths < 0, x.shape[1], lengths).clamp(max=x.shape[1])
    times = torch.arange(x.shape[1], device=x.device)
    if by == "linear":
        valid = (times < counts[:, None])[:, :, None]
        return torch.matmul(_torch_hat(torch, x, counts, length), torch.where(valid, x, 0.0))
    parts = []
    for i in range(length):
        start = torch.div(i * counts, length, rounding_mode="floor")[:, None]
        stop = torch.div((i + 1) * counts + length - 1, length, rounding_mode="floor")[:, None]
        inside = ((times >= start) & (times < stop))[:, :, None]
        parts.append(torch.amax(torch.where(inside, x, -torch.inf), 1))
    return torch.stack(parts, 1)


# ONNX: indices for sizes known at compile time, masks for the others


def _onnx(g: Any, x: str, *lengths: str, length: int, by: str, axes: Axes) -> Any:
    order, sizes = _order(axes)
    if order != sorted(order):
        x = g.Transpose(x, perm=order)
    if "t" in sizes:
        if len(order) > 3:
            space = g.constant(list(range(2, len(order) - 1)))
            x = g.ReduceMax(x, space, keepdims=0)
        if by == "linear":
            return _onnx_linear(g, x, lengths, sizes["t"], length)
        if sizes["t"] is not None and not lengths:
            return _onnx_gather(g, x, bins(sizes["t"], length))
        counts, times = _onnx_times(g, x, lengths, axis=1)
        return _onnx_masked(g, x, _onnx_mask(g, counts, times, length))
    if len(order) == 2:
        return _onnx_gather(g, g.Unsqueeze(x, g.constant([1])), [range(1)] * length)
    return _onnx_grid(g, x, sizes, length)


def _onnx_gather(g: Any, x: str, places: list[Any]) -> Any:
    """Maxima (batch, bins, c) of `x` (batch, n, c) over the indices of each bin."""
    widest = max(len(p) for p in places)
    if widest == 1 and [p[0] for p in places] == list(range(len(places))) and len(places) > 1:
        return x
    table = [[p[min(i, len(p) - 1)] for i in range(widest)] for p in places]
    if widest == 1:
        return g.Gather(x, g.constant([row[0] for row in table]), axis=1)
    return g.ReduceMax(g.Gather(x, g.constant(table), axis=1), g.constant([2]), keepdims=0)


def _onnx_times(g: Any, x: str, lengths: tuple[str, ...], axis: int) -> tuple[str, str]:
    """How many places of an axis count, (1 or batch,), and their numbers, (size,)."""
    size = g.Gather(g.Shape(x), g.constant([axis]))
    times = g.Range(g.constant(0), g.Squeeze(size), g.constant(1))
    if not lengths:
        return size, times
    counts = g.Where(g.Less(lengths[0], g.constant(0)), size, lengths[0])
    return g.Min(counts, size), times


def _onnx_mask(g: Any, counts: str, times: str, count: int) -> str:
    """Which places each of `count` bins covers: (1 or batch, count, size)."""
    counts = g.Unsqueeze(counts, g.constant([1]))
    steps = g.constant(list(range(count)))
    start = g.Div(g.Mul(counts, steps), g.constant(count))
    following = g.Mul(counts, g.Add(steps, g.constant(1)))
    stop = g.Div(g.Add(following, g.constant(count - 1)), g.constant(count))
    start, stop = (g.Unsqueeze(v, g.constant([2])) for v in (start, stop))
    return str(g.And(g.GreaterOrEqual(times, start), g.Less(times, stop)))


def _onnx_masked(g: Any, x: str, mask: str) -> Any:
    """Maxima (batch, bins, c) of `x` (batch, n, c) where `mask` (1 or batch, bins, n) holds."""
    spread = g.Unsqueeze(x, g.constant([1]))
    inside = g.Where(g.Unsqueeze(mask, g.constant([3])), spread, g.constant(float("-inf")))
    return g.ReduceMax(inside, g.constant([2]), keepdims=0)


def _onnx_linear(g: Any, x: str, lengths: tuple[str, ...], size: int | None, length: int) -> Any:
    counts, times = _onnx_times(g, x, lengths, axis=1)
    if lengths:
        valid = g.Less(times, g.Unsqueeze(counts, g.constant([1])))
        x = g.Where(g.Unsqueeze(valid, g.constant([2])), x, g.constant(0.0))
    counts = g.Unsqueeze(g.Cast(counts, to=g.FLOAT), g.constant([1]))
    steps = g.constant([(i + 0.5) / length for i in range(length)])
    at = g.Max(g.Sub(g.Mul(counts, steps), g.constant(0.5)), g.constant(0.0))
    at = g.Unsqueeze(g.Min(at, g.Sub(counts, g.constant(1.0))), g.constant([2]))
    distance = g.Abs(g.Sub(at, g.Cast(times, to=g.FLOAT)))
    return g.MatMul(g.Relu(g.Sub(g.constant(1.0), distance)), x)


def _onnx_grid(g: Any, x: str, sizes: Mapping[str, int | None], length: int) -> Any:
    """`x` (batch, h and/or w, c) to (batch, L, c)."""
    rows, columns = grid(length)
    height, width = sizes.get("h", 1), sizes.get("w", 1)
    channels = sizes["c"]
    if height is not None and width is not None:
        flat = g.Reshape(x, g.constant([0, height * width, channels]))
        places = [
            [r * width + c for r in row for c in column]
            for row in bins(height, rows)
            for column in bins(width, columns)
        ]
        return _onnx_gather(g, flat, places)
    if "h" not in sizes or "w" not in sizes:
        x = g.Unsqueeze(x, g.constant([1 if "w" in sizes else 2]))
    row_mask = _onnx_mask(g, *_onnx_times(g, x, (), axis=1), rows)
    column_mask = _onnx_mask(g, *_onnx_times(g, x, (), axis=2), columns)
    row_mask = g.Unsqueeze(row_mask, g.constant([2, 4]))
    column_mask = g.Unsqueeze(column_mask, g.constant([1, 3]))
    mask = g.Reshape(g.And(row_mask, column_mask), g.constant([1, length, -1]))
    return _onnx_masked(g, g.Reshape(x, g.constant([0, -1, channels])), mask)


resample = Primitive(
    name="resample",
    inputs=(1, 2),
    attributes=(
        Attribute("length", "count", "L"),
        Attribute("by", "word", "pool", words=("pool", "linear")),
    ),
    derive=_derive,
    type=_type,
    numpy=_numpy,
    torch=_torch,
    onnx=_onnx,
    latex=lambda x, **_: rf"\operatorname{{resample}}\left({x}\right)",
    zero=lambda zero: zero[0],
    reads_lengths=True,
)
