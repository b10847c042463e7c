"""`x @ W[i, o]`: a linear map of the channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..batching import SAMPLES, SHARED, WEIGHTS, Kinds, aligned
from ..primitive import Primitive
from ..types import ShapeError, TensorType


def _type(x: TensorType, w: TensorType) -> TensorType:
    if w.batched or len(w.axes) != 2:
        raise ShapeError(f"`@` takes a parameter of two axes on its right, not {w}")
    rows, columns = (axis.size for axis in w.axes)
    if x.channels() != rows:
        raise ShapeError(f"`@` cannot contract the {x.channels()} channels of {x} with {rows} rows")
    return x.with_channels(columns or 0)


def _batched(
    torch: Any, record: Any, arguments: Sequence[Any], of: Kinds, settings: dict[str, Any]
) -> Any:
    """One wide map where all read one value, else a batched product."""
    x, w = arguments
    match of[0][0], of[1][0]:
        case (kind, form) if kind == SHARED and form == WEIGHTS:
            wide = torch.matmul(x, w.transpose(0, 1).flatten(1))
            return wide.unflatten(-1, (w.shape[0], w.shape[2])).movedim(-2, 0).contiguous()
        case (kind, form) if kind == SAMPLES and form == WEIGHTS:
            return torch.bmm(x.flatten(1, -2), w).unflatten(1, x.shape[1:-1])
        case (kind, form) if kind == form == WEIGHTS and of[0][1] == 1:
            return torch.bmm(x.unsqueeze(1), w).squeeze(1)
        case _:
            return aligned(torch, record, arguments, of, settings)


linear = Primitive(
    name="linear",
    inputs=(2, 2),
    type=_type,
    numpy=lambda np, x, w: x @ w,
    torch=lambda torch, x, w: torch.matmul(x, w),
    onnx=lambda g, x, w: g.MatMul(x, w),
    latex=lambda x, w: f"{x} {w}",
    macs=lambda result, x, w: result.elements() * x.channels(),
    zero=any,
    public=False,
    batched=_batched,
)
