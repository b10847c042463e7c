"""`mean`, `max`, `sum` and `softmax`.

With `over` a reduction runs over axes of its one input and keeps them with size 1; without, it
runs over its inputs, element by element: `sum(*s)`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from typing import Any

from ..batching import aligned
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


def _either(joined: Callable[..., Any], reduction: Callable[[Any], Any], **keep: bool) -> Any:
    """Without `over` what `joined` makes of all inputs, with it the target's own `reduction`."""

    def build(target: Any, *inputs: Any, over: Positions) -> Any:
        return joined(target, *inputs) if over is None else reduction(target)(*inputs, over, **keep)

    return build


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
    numpy=_either(lambda np, *x: sum(x) / len(x), lambda np: np.mean, keepdims=True),
    torch=_either(
        lambda torch, *x: reduce(torch.add, x) / len(x), lambda torch: torch.mean, keepdim=True
    ),
    onnx=_either(lambda g, *x: g.Mean(*x), lambda g: partial(g.reduce, "ReduceMean")),
    latex=_latex(r"\operatorname{mean}"),
    zero=all,
    batched=aligned,
)
maximum = Primitive(
    name="max",
    inputs=(1, None),
    attributes=_OVER,
    type=_type,
    numpy=_either(lambda np, *x: reduce(np.maximum, x), lambda np: np.max, keepdims=True),
    torch=_either(
        lambda torch, *x: reduce(torch.maximum, x), lambda torch: torch.amax, keepdim=True
    ),
    onnx=_either(lambda g, *x: g.Max(*x), lambda g: partial(g.reduce, "ReduceMax")),
    latex=_latex(r"\max"),
    zero=all,
    batched=aligned,
)
total = Primitive(
    name="sum",
    inputs=(1, None),
    attributes=_OVER,
    type=_type,
    numpy=_either(lambda np, *x: sum(x), lambda np: np.sum, keepdims=True),
    torch=_either(lambda torch, *x: reduce(torch.add, x), lambda torch: torch.sum, keepdim=True),
    onnx=_either(lambda g, *x: g.Sum(*x), lambda g: partial(g.reduce, "ReduceSum")),
    latex=_latex(r"\sum"),
    zero=all,
    batched=aligned,
)
softmax = Primitive(
    name="softmax",
    attributes=(Attribute("over", "axes", ("channels",)),),
    type=_softmax_type,
    numpy=numpy_softmax,
    torch=lambda torch, x, over: torch.softmax(x, over[0]),
    onnx=lambda g, x, over: g.Softmax(x, axis=over[0]),
    latex=_latex(r"\operatorname{softmax}"),
    batched=aligned,
)
