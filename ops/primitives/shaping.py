"""Primitives that arrange values: joined, halved, flattened, with some dropped, or zeros."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..batching import Kinds, aligned, everywhere
from ..primitive import Attribute, Primitive
from ..types import CHANNELS, LENGTH, Axis, ShapeError, TensorType


def _concat_type(*inputs: TensorType) -> TensorType:
    first = inputs[0]
    for other in inputs[1:]:
        if other.axes[:-1] != first.axes[:-1] or other.batched != first.batched:
            raise ShapeError(f"`concat` joins channels, but {first} and {other} differ elsewhere")
    return first.with_channels(sum(x.channels() for x in inputs))


def _concat_latex(*inputs: str) -> str:
    parts = r" \,\|\, ".join(inputs)
    return rf"\left[{parts}\right]"


def _append_type(*inputs: TensorType) -> TensorType:
    first = inputs[0]
    for x in inputs:
        alike = x.batched == first.batched and x.channels() == first.channels()
        if not alike or x.names != (LENGTH, CHANNELS):
            raise ShapeError(f"`append` joins the length, but {first} and {x} differ elsewhere")
    length = sum(x.axes[0].size or 0 for x in inputs)
    return TensorType((Axis(LENGTH, length), first.axes[1]), first.batched)


def _first_type(x: TensorType) -> TensorType:
    if x.names != (LENGTH, CHANNELS):
        raise ShapeError(f"`first` takes a value of length and channels, not {x}")
    return TensorType((Axis(LENGTH, 1), x.axes[1]), x.batched)


def _glu_type(x: TensorType) -> TensorType:
    if x.channels() % 2:
        raise ShapeError(f"`glu` halves the channels, but {x} has an odd number of them")
    return x.with_channels(x.channels() // 2)


def _numpy_glu(np: Any, x: Any) -> Any:
    a, b = np.split(x, 2, axis=-1)
    return a / (1 + np.exp(-b))


def _onnx_glu(g: Any, x: str) -> Any:
    a, b = g.halves(x)
    return g.Mul(a, g.Sigmoid(b))


def _flatten_type(x: TensorType, first: str) -> TensorType:
    if not x.batched:
        raise ShapeError(f"`flatten` takes a value of the samples, not a parameter {x}")
    if any(axis.size is None for axis in x.axes):
        raise ShapeError(f"`flatten` needs sizes, but {x} has an axis known only at run time")
    return TensorType((Axis(CHANNELS, x.elements()),), x.batched)


def _numpy_flatten(np: Any, x: Any, first: str) -> Any:
    return (x.swapaxes(1, -1) if first == CHANNELS else x).reshape(len(x), -1)


def _torch_flatten(torch: Any, x: Any, first: str) -> Any:
    return torch.flatten(x.transpose(1, -1) if first == CHANNELS else x, 1)


def _onnx_flatten(g: Any, x: str, first: str) -> Any:
    if first == CHANNELS and g.rank(x) == 3:
        x = g.Transpose(x, perm=[0, 2, 1])
    return g.Flatten(x, axis=1)


def dropout_type(x: TensorType, rate: float) -> TensorType:
    if not 0 <= rate < 1:
        raise ShapeError(f"the rate of `dropout` is at least 0 and below 1, not {rate:g}")
    return x


def numpy_dropout(np: Any, x: Any, rate: float, training: bool) -> Any:
    if training and rate > 0:
        raise ValueError("the numpy target draws no random numbers: train with dropout 0")
    return x


def _batched_join(
    torch: Any, record: Any, arguments: Sequence[Any], of: Kinds, settings: dict[str, Any]
) -> Any:
    return record.torch(torch, *everywhere(arguments, of))


def _batched_flatten(
    torch: Any, record: Any, arguments: Sequence[Any], of: Kinds, settings: dict[str, Any]
) -> Any:
    (x,) = arguments
    return (x.transpose(2, -1) if settings["first"] == CHANNELS else x).flatten(2)


concat = Primitive(
    name="concat",
    inputs=(1, None),
    type=_concat_type,
    numpy=lambda np, *inputs: np.concatenate(inputs, axis=-1),
    torch=lambda torch, *inputs: torch.cat(inputs, -1),
    onnx=lambda g, *inputs: g.Concat(*inputs, axis=-1),
    latex=_concat_latex,
    zero=all,
    batched=_batched_join,
)
append = Primitive(
    name="append",
    inputs=(1, None),
    type=_append_type,
    numpy=lambda np, *inputs: np.concatenate(inputs, axis=-2),
    torch=lambda torch, *inputs: torch.cat(inputs, -2),
    onnx=lambda g, *inputs: g.Concat(*inputs, axis=-2),
    latex=lambda *inputs: rf"\operatorname{{append}}\left({', '.join(inputs)}\right)",
    zero=all,
    batched=_batched_join,
)
first = Primitive(
    name="first",
    type=_first_type,
    numpy=lambda np, x: x[..., :1, :],
    torch=lambda torch, x: x[..., :1, :],
    onnx=lambda g, x: g.Slice(x, g.constant([0]), g.constant([1]), g.constant([-2])),
    latex=lambda x: rf"\operatorname{{first}}\left({x}\right)",
    zero=all,
    batched=aligned,
)
glu = Primitive(
    name="glu",
    type=_glu_type,
    numpy=_numpy_glu,
    torch=lambda torch, x: torch.nn.functional.glu(x, -1),
    onnx=_onnx_glu,
    latex=lambda x: rf"\operatorname{{GLU}}\left({x}\right)",
    zero=all,
    batched=aligned,
)
zeros = Primitive(
    name="zeros",
    type=lambda x: x,
    numpy=lambda np, x: np.zeros_like(x),
    torch=lambda torch, x: torch.zeros_like(x),
    onnx=lambda g, x: g.Expand(g.constant(0.0), g.Shape(x)),
    latex=lambda x: r"\mathbf{0}",
    zero=lambda zero: True,
    batched=aligned,
)
flatten = Primitive(
    name="flatten",
    attributes=(Attribute("first", "word", LENGTH, words=(LENGTH, CHANNELS)),),
    type=_flatten_type,
    numpy=_numpy_flatten,
    torch=_torch_flatten,
    onnx=_onnx_flatten,
    latex=lambda x, **_: rf"\operatorname{{vec}}\left({x}\right)",
    zero=all,
    batched=_batched_flatten,
)
dropout = Primitive(
    name="dropout",
    attributes=(Attribute("rate", "number", "dropout", otherwise=0.0),),
    type=dropout_type,
    numpy=numpy_dropout,
    torch=lambda torch, x, rate, training: torch.nn.functional.dropout(x, rate, training),
    onnx=lambda g, x, rate: x,
    latex=lambda x, **_: x,
    zero=all,
    modal=True,
    random=True,
)
