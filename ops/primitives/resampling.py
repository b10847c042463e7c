"""`resample`: any declared axes to length L, on the channels the feature has.

With `t`, space is pooled away and time brought to L; with `h`, `w` alone, they are pooled to a
grid read row by row; a bare vector is repeated. By `pool` (adaptive max pooling) and by `mean` bin
i of n covers floor(i T / n) to ceil((i + 1) T / n); by `linear` time is interpolated between the
midpoints of its samples, and space pooled by max. Lengths of samples are read here and nowhere
else: a length below zero means that the whole axis counts, and of an empty sample the first place
does.

NOTE: max and mean are separable, so a grid is pooled along one axis after the other. For max a bin
is a list of indices, padded by its last one, so ONNX needs one Gather and one ReduceMax for each
axis; what is linear in time, `mean` too, is a product with a matrix of weights.
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


def _hat(size: int, length: int) -> list[list[float]]:
    """Weights (length, size) of linear interpolation between midpoints, clamped at the ends."""
    midpoints = ((i + 0.5) * size / length - 0.5 for i in range(length))
    places = (min(max(at, 0.0), size - 1.0) for at in midpoints)
    return [[max(0.0, 1 - abs(at - time)) for time in range(size)] for at in places]


def _shares(size: int, length: int) -> list[list[float]]:
    """Weights (length, size) of the mean over each bin."""
    return [[(at in b) / len(b) for at in range(size)] for b in bins(size, length)]


_MATRICES = {"linear": _hat, "mean": _shares}
"""The weights of what is linear in time."""


# numpy: the obvious reference, a loop over samples and bins


def _numpy(np: Any, x: Any, *lengths: Any, length: int, by: str, axes: Axes) -> Any:
    order, sizes = _order(axes)
    pooled = np.mean if by == "mean" else np.max
    x = x.transpose(order)
    if "t" in sizes:
        x = pooled(x, axis=tuple(range(2, x.ndim - 1))) if x.ndim > 3 else x
        counts = np.broadcast_to(lengths[0] if lengths else -1, (len(x),)).astype(int)
        parts = [s[: max(1, n) if n >= 0 else len(s)] for s, n in zip(x, counts, strict=True)]
        if by == "linear":
            return np.stack([np.array(_hat(len(s), length)) @ s for s in parts])
        return np.stack([[pooled(s[list(b)], 0) for b in bins(len(s), length)] for s in parts])
    if x.ndim == 2:
        return np.repeat(x[:, None], length, axis=1)
    rows, columns = grid(length)
    x = x.reshape(len(x), x.shape[1] if "h" in sizes else 1, -1, x.shape[-1])
    cells = [
        pooled(x[:, r.start : r.stop, c.start : c.stop], (1, 2))
        for r in bins(x.shape[1], rows)
        for c in bins(x.shape[2], columns)
    ]
    return np.stack(cells, axis=1)


# torch: adaptive pooling kernels, masks only where samples have lengths


def _torch(torch: Any, x: Any, *lengths: Any, length: int, by: str, axes: Axes) -> Any:
    order, sizes = _order(axes)
    if order != sorted(order):
        x = x.permute(order)
    kind = "avg" if by == "mean" else "max"
    if "t" in sizes:
        over = torch.mean if by == "mean" else torch.amax
        x = over(x, tuple(range(2, len(order) - 1))) if len(order) > 3 else x
        if lengths:
            return _torch_masked(torch, x, lengths[0], length, by)
        if by == "linear":
            weights = _torch_hat(torch, x, x.new_full((1,), x.shape[1]), length)
            return torch.matmul(weights, x)
        if sizes["t"] == length:
            return x
        pool = getattr(torch.nn.functional, f"adaptive_{kind}_pool1d")
        return pool(x.transpose(1, 2), length).transpose(1, 2)
    if len(order) == 2:
        return x.unsqueeze(1).expand(-1, length, -1)
    if len(order) == 3:
        x = x.unsqueeze(2 if "h" in sizes else 1)
    if (sizes.get("h", 1), sizes.get("w", 1)) == grid(length):
        return x.flatten(1, 2)
    pool = getattr(torch.nn.functional, f"adaptive_{kind}_pool2d")
    return pool(x.permute(0, 3, 1, 2), grid(length)).flatten(2).transpose(1, 2)


def _torch_hat(torch: Any, x: Any, counts: Any, length: int) -> Any:
    """Weights (1 or batch, length, time) of linear interpolation over `counts` samples each."""
    counts = counts.to(x.dtype)[:, None]
    steps = torch.arange(length, device=x.device, dtype=x.dtype)
    at = torch.clamp((steps + 0.5) * counts / length - 0.5, min=0)
    at = torch.minimum(at, counts - 1)[:, :, None]
    times = torch.arange(x.shape[1], device=x.device, dtype=x.dtype)
    return torch.relu(1 - torch.abs(at - times))


def _torch_masked(torch: Any, x: Any, lengths: Any, length: int, by: str) -> Any:
    counts = torch.where(lengths < 0, x.shape[1], lengths).clamp(1, x.shape[1])
    if by == "pool":
        return _torch_bins(torch, x, counts[:, None], length)
    weights = (_torch_hat if by == "linear" else _torch_shares)(torch, x, counts, length)
    times = torch.arange(x.shape[1], device=x.device)
    valid = (times < counts[:, None])[:, :, None]
    return torch.matmul(weights, torch.where(valid, x, 0.0))


def _torch_ends(torch: Any, x: Any, counts: Any, length: int) -> Any:
    """Where the bins of `counts` (batch, 1) start and stop, (batch, length, 1) each."""
    steps = torch.arange(length, device=x.device)
    start = torch.div(steps * counts, length, rounding_mode="floor")
    stop = torch.div((steps + 1) * counts + length - 1, length, rounding_mode="floor")
    return start[:, :, None], stop[:, :, None]


def _torch_shares(torch: Any, x: Any, counts: Any, length: int) -> Any:
    """Weights (batch, length, time) of the mean over each bin."""
    start, stop = _torch_ends(torch, x, counts[:, None], length)
    times = torch.arange(x.shape[1], device=x.device)
    inside = torch.logical_and(times >= start, times < stop)
    return inside.to(x.dtype) / (stop - start).to(x.dtype)


def _torch_bins(torch: Any, x: Any, counts: Any, length: int) -> Any:
    """Maxima (batch, length, c) of `x` (batch, time, c) over the bins of `counts` (batch, 1).

    Each bin takes as many places as the widest may have; those after its end do not count.
    """
    start, stop = _torch_ends(torch, x, counts, length)
    times = start + torch.arange(x.shape[1] // length + 2, device=x.device)
    samples = torch.arange(x.shape[0], device=x.device)[:, None, None]
    places = x[samples, times.clamp(max=x.shape[1] - 1)]
    return torch.amax(torch.where((times < stop)[..., None], places, -torch.inf), 2)


# ONNX: a table of the indices that each bin covers, known at compile time or computed


def _onnx(g: Any, x: str, *lengths: str, length: int, by: str, axes: Axes) -> Any:
    order, sizes = _order(axes)
    reduction = "ReduceMean" if by == "mean" else "ReduceMax"
    if "t" not in sizes and "h" in sizes:
        x = _onnx_rows(g, reduction, x, axes, grid(length)[0])
    if order != sorted(order):
        x = g.Transpose(x, perm=order)
    if "t" not in sizes:
        return _onnx_grid(g, reduction, x, sizes, length)
    if len(order) > 3:
        x = g.reduce(reduction, x, range(2, len(order) - 1), keepdims=False)
    if by in _MATRICES:
        return _onnx_matrix(g, by, x, lengths, sizes["t"], length)
    if lengths:
        return _onnx_lengths(g, x, lengths[0], length)
    return _onnx_pool(g, x, 1, sizes["t"], length)


def _onnx_grid(g: Any, reduction: str, x: str, sizes: Mapping[str, int | None], length: int) -> Any:
    """`x` (batch, rows and/or w, c), or (batch, c), to (batch, L, c); rows are pooled already."""
    rows, columns = grid(length)
    if "w" in sizes:
        axis = 2 if "h" in sizes else 1
        x = _onnx_along(g, reduction, x, (axis, axis + 2), sizes["w"], columns)
    if "h" in sizes and "w" in sizes:
        return g.Reshape(x, g.constant([0, length, sizes["c"]]))
    if "h" not in sizes and "w" not in sizes:
        return g.Gather(g.Unsqueeze(x, g.constant([1])), g.constant([0] * length), axis=1)
    places = [r if "h" in sizes else c for r in range(rows) for c in range(columns)]
    return g.Gather(x, g.constant(places), axis=1)


def _onnx_rows(g: Any, reduction: str, x: str, axes: Axes, count: int) -> str:
    """Pools the outer axis of an image where it is, before the channels are moved: slices, since
    what lies in one is contiguous."""
    axis, size = next((i, a.size) for i, a in enumerate(axes, start=1) if a.name == "h")
    if size is None or size == count:
        return _onnx_along(g, reduction, x, (axis, len(axes) + 1), size, count)
    place = g.constant([axis])
    slices = (
        g.Slice(x, g.constant([b.start]), g.constant([b.stop]), place) for b in bins(size, count)
    )
    parts = [g.reduce(reduction, part, [axis]) for part in slices]
    return parts[0] if count == 1 else str(g.Concat(*parts, axis=axis))


def _onnx_along(
    g: Any, reduction: str, x: str, place: tuple[int, int], size: int | None, count: int
) -> str:
    """Pools an axis of an image, which stands at its `place` of so many, to `count` places."""
    axis, rank = place
    if reduction == "ReduceMax" or size == count:
        return _onnx_pool(g, x, axis, size, count)
    if size is None:
        now = _onnx_size(g, x, axis)
        weights = _onnx_shares(g, now, _onnx_times(g, now), count)
    else:
        weights = g.constant(_shares(size, count))
    order = list(range(rank))
    order[axis], order[-2] = order[-2], order[axis]
    if axis == rank - 2:
        return str(g.MatMul(weights, x))
    return str(g.Transpose(g.MatMul(weights, g.Transpose(x, perm=order)), perm=order))


def _onnx_pool(g: Any, x: str, axis: int, size: int | None, count: int) -> str:
    """Pools an axis, of a size known at compile time or not, to `count` places by max."""
    if size == count:
        return x
    if size is None:
        now = g.Gather(g.Shape(x), g.constant([axis]))
        table = g.Squeeze(_onnx_table(g, now, now, count), g.constant([0]))
    else:
        covered = bins(size, count)
        widest = max(len(b) for b in covered)
        rows = [[b[min(i, len(b) - 1)] for i in range(widest)] for b in covered]
        if widest == 1:
            return str(g.Gather(x, g.constant([row[0] for row in rows]), axis=axis))
        table = g.constant(rows)
    return str(g.reduce("ReduceMax", g.Gather(x, table, axis=axis), [axis + 1], keepdims=False))


def _onnx_table(g: Any, counts: str, size: str, count: int) -> str:
    """Indices (n, count, width) of the bins of `counts` (n,) places in an axis of `size` (1,).

    Every bin has as many as the widest may have: its last index is repeated.
    """
    start, stop = _onnx_ends(g, counts, count)
    width = g.Squeeze(g.Add(g.Div(size, g.constant(count)), g.constant(2)), g.constant([0]))
    offsets = g.Range(g.constant(0), width, g.constant(1))
    return str(g.Min(g.Add(start, offsets), g.Sub(stop, g.constant(1))))


def _onnx_ends(g: Any, counts: str, count: int) -> tuple[str, str]:
    """Where the bins of `counts` (n,) places start and stop, (n, count, 1) each."""
    counts = g.Unsqueeze(counts, g.constant([1]))
    start = g.Div(g.Mul(counts, g.constant(list(range(count)))), g.constant(count))
    following = g.Mul(counts, g.constant(list(range(1, count + 1))))
    stop = g.Div(g.Add(following, g.constant(count - 1)), g.constant(count))
    return g.Unsqueeze(start, g.constant([2])), g.Unsqueeze(stop, g.constant([2]))


def _onnx_lengths(g: Any, x: str, lengths: str, length: int) -> Any:
    """Maxima (batch, L, c) of `x` (batch, t, c) over the bins of each sample's own length."""
    size = _onnx_size(g, x)
    table = _onnx_table(g, _onnx_counts(g, lengths, size), size, length)
    batch = g.Gather(g.Shape(x), g.constant([0]))
    table = g.Expand(table, g.Concat(batch, g.constant([1, 1]), axis=0))
    places = g.GatherND(x, g.Unsqueeze(table, g.constant([3])), batch_dims=1)
    return g.reduce("ReduceMax", places, [2], keepdims=False)


def _onnx_size(g: Any, x: str, axis: int = 1) -> str:
    """The size of an axis, that of time unless another is named, (1,)."""
    return str(g.Gather(g.Shape(x), g.constant([axis])))


def _onnx_times(g: Any, size: str) -> str:
    """The places of an axis of a `size` (1,)."""
    return str(g.Range(g.constant(0), g.Squeeze(size), g.constant(1)))


def _onnx_counts(g: Any, lengths: str, size: str) -> str:
    """How many of `size` (1,) places of time count in each sample, (1 or batch,)."""
    counts = g.Where(g.Less(lengths, g.constant(0)), size, lengths)
    return str(g.Min(g.Max(counts, g.constant(1)), size))


def _onnx_matrix(
    g: Any, by: str, x: str, lengths: tuple[str, ...], size: int | None, length: int
) -> Any:
    """`x` (batch, t, c) to (batch, L, c), by weights known at compile time or computed."""
    if size is not None and not lengths:
        return g.MatMul(g.constant(_MATRICES[by](size, length)), x)
    counts = now = _onnx_size(g, x)
    times = _onnx_times(g, now)
    if lengths:
        counts = _onnx_counts(g, lengths[0], now)
        valid = g.Less(times, g.Unsqueeze(counts, g.constant([1])))
        x = g.Where(g.Unsqueeze(valid, g.constant([2])), x, g.constant(0.0))
    weights = _onnx_hat if by == "linear" else _onnx_shares
    return g.MatMul(weights(g, counts, times, length), x)


def _onnx_hat(g: Any, counts: str, times: str, length: int) -> str:
    """Weights (n, L, t) of linear interpolation over `counts` (n,) samples each."""
    counts = g.Unsqueeze(g.Cast(counts, to=g.FLOAT), g.constant([1]))
    steps = g.constant([(i + 0.5) / length for i in range(length)])
    at = g.Max(g.Sub(g.Mul(counts, steps), g.constant(0.5)), g.constant(0.0))
    at = g.Unsqueeze(g.Min(at, g.Sub(counts, g.constant(1.0))), g.constant([2]))
    distance = g.Abs(g.Sub(at, g.Cast(times, to=g.FLOAT)))
    return str(g.Relu(g.Sub(g.constant(1.0), distance)))


def _onnx_shares(g: Any, counts: str, times: str, length: int) -> str:
    """Weights (n, L, t) of the mean over the bins of `counts` (n,) places."""
    start, stop = _onnx_ends(g, counts, length)
    inside = g.And(g.Not(g.Less(times, start)), g.Less(times, stop))
    return str(g.Div(g.Cast(inside, to=g.FLOAT), g.Cast(g.Sub(stop, start), to=g.FLOAT)))


resample = Primitive(
    name="resample",
    inputs=(1, 2),
    attributes=(
        Attribute("length", "count", "L"),
        Attribute("by", "word", "pool", words=("pool", "mean", "linear")),
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
