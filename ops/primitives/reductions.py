"""`mean`, `max`, `sum` and `softmax`.

With `over` a reduction runs over axes of its one input and keeps them with size 1; without, it
runs over its inputs, element by element: `sum(*s)`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

from ..primitive import Attribute, Primitive
from ..types import Axis, ShapeError, TensorType, broadcast

Positions = tuple[int, ...] | None


def _type(*inputs: TensorType, over: Positions) -> TensorType:
    if over is None:
        return broadcast(inputs)
    if len(inputs) != 1:
        raise ShapeError(f"a reduction with `over` takes one input, not {len(inputs)}")
    axes = list(inputs[0].axes)
    for position in over:
        axes[position] = Axis(axes[position].name, 1)
    return TensorType(tuple(axes), inputs[0].batched)


def _latex(symbol: str) -> Callable[..., str]:
    def write(*inputs: str, over: Any = None) -> str:
        below = f"_{{\\mathrm{{{', '.join(over)}}}}}" if over else ""
        return rf"{symbol}{below}\left({', '.join(inputs)}\right)"

    return write


def _numpy_mean(np: Any, *inputs: Any, over: Positions) -> Any:
    return sum(inputs) / len(inputs) if over is None else np.mean(inputs[0], over, keepdims=True)


def _torch_mean(torch: Any, *inputs: Any, over: Positions) -> Any:
    if over is None:
        return reduce(torch.add, inputs) / len(inputs)
    return torch.mean(inputs[0], over, keepdim=True)


def _onnx_mean(g: Any, *inputs: str, over: Positions) -> Any:
    return g.Mean(*inputs) if over is None else g.reduce("ReduceMean", inputs[0], over)


def _numpy_max(np: Any, *inputs: Any, over: Positions) -> Any:
    return reduce(np.maximum, inputs) if over is None else np.max(inputs[0], over, keepdims=True)


def _torch_max(torch: Any, *inputs: Any, over: Positions) -> Any:
    if over is None:
        return reduce(torch.maximum, inputs)
    return torch.amax(inputs[0], over, keepdim=True)


def _onnx_max(g: Any, *inputs: str, over: Positions) -> Any:
    return g.Max(*inputs) if over is None else g.reduce("ReduceMax", inputs[0], over)


def _numpy_sum(np: Any, *inputs: Any, over: Positions) -> Any:
    return sum(inputs) if over is None else np.sum(inputs[0], over, keepdims=True)


def _torch_sum(torch: Any, *inputs: Any, over: Positions) -> Any:
    return reduce(torch.add, inputs) if over is None else torch.sum(inputs[0], over, keepdim=True)


def _onnx_sum(g: Any, *inputs: str, over: Positions) -> Any:
    return g.Sum(*inputs) if over is None else g.reduce("ReduceSum", inputs[0], over)


def numpy_softmax(np: Any, x: Any, over: int | tuple[int, ...] = -1) -> Any:
    """The softmax of an array over an axis, by default the last."""
    e = np.exp(x - np.max(x, over, keepdims=True))
    return e / np.sum(e, over, keepdims=True)


def _softmax_type(x: TensorType, over: tuple[int, ...]) -> TensorType:
    if len(over) != 1:
        raise ShapeError("`softmax` runs over one axis")
    return x


_OVER = (Attribute("over", "axes"),)

mean = Primitive(
    name="mean",
    inputs=(1, None),
    attributes=_OVER,
    type=_type,
    numpy=_numpy_mean,
    torch=_torch_mean,
    onnx=_onnx_mean,
    latex=_latex(r"\operatorname{mean}"),
    zero=all,
)
maximum = Primitive(
    name="max",
    inputs=(1, None),
    attributes=_OVER,
    type=_type,
    numpy=_numpy_max,
    torch=_torch_max,
    onnx=_onnx_max,
    latex=_latex(r"\max"),
    zero=all,
)
total = Primitive(
    name="sum",
    inputs=(1, None),
    attributes=_OVER,
    type=_type,
    numpy=_numpy_sum,
    torch=_torch_sum,
    onnx=_onnx_sum,
    latex=_latex(r"\sum"),
    zero=all,
)
softmax = Primitive(
    name="softmax",
    attributes=(Attribute("over", "axes", ("channels",)),),
    type=_softmax_type,
    numpy=numpy_softmax,
    torch=lambda torch, x, over: torch.softmax(x, over[0]),
    onnx=lambda g, x, over: g.Softmax(x, axis=over[0]),
    latex=_latex(r"\operatorname{softmax}"),
)
