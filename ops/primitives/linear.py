"""`x @ W[i, o]`: a linear map of the channels."""

from __future__ import annotations

from ..primitive import Primitive
from ..types import ShapeError, TensorType


def _type(x: TensorType, w: TensorType) -> TensorType:
    if w.batched or len(w.axes) != 2:
        raise ShapeError(f"`@` takes a parameter of two axes on its right, not {w}")
    rows, columns = (axis.size for axis in w.axes)
    if x.channels() != rows:
        raise ShapeError(f"`@` cannot contract the {x.channels()} channels of {x} with {rows} rows")
    return x.with_channels(columns or 0)


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
)
