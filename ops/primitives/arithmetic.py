"""The operators `+ - * /` and the numbers in an equation; axes broadcast by name."""

from __future__ import annotations

from ..batching import aligned
from ..primitive import Primitive
from ..types import TensorType, broadcast


def _type(x: TensorType, y: TensorType) -> TensorType:
    return broadcast((x, y))


add = Primitive(
    name="add",
    inputs=(2, 2),
    type=_type,
    numpy=lambda np, x, y: x + y,
    torch=lambda torch, x, y: torch.add(x, y),
    onnx=lambda g, x, y: g.Add(x, y),
    latex=lambda x, y: f"{x} + {y}",
    zero=all,
    public=False,
    batched=aligned,
)
subtract = Primitive(
    name="subtract",
    inputs=(2, 2),
    type=_type,
    numpy=lambda np, x, y: x - y,
    torch=lambda torch, x, y: torch.sub(x, y),
    onnx=lambda g, x, y: g.Sub(x, y),
    latex=lambda x, y: f"{x} - {y}",
    zero=all,
    public=False,
    batched=aligned,
)
multiply = Primitive(
    name="multiply",
    inputs=(2, 2),
    type=_type,
    numpy=lambda np, x, y: x * y,
    torch=lambda torch, x, y: torch.mul(x, y),
    onnx=lambda g, x, y: g.Mul(x, y),
    latex=lambda x, y: rf"{x} \odot {y}",
    zero=any,
    public=False,
    batched=aligned,
)
divide = Primitive(
    name="divide",
    inputs=(2, 2),
    type=_type,
    numpy=lambda np, x, y: x / y,
    torch=lambda torch, x, y: torch.div(x, y),
    onnx=lambda g, x, y: g.Div(x, y),
    latex=lambda x, y: rf"\frac{{{x}}}{{{y}}}",
    zero=lambda zero: zero[0] and not zero[1],
    public=False,
    batched=aligned,
)
constant = Primitive(
    name="constant",
    inputs=(0, 0),
    type=lambda value: TensorType((), batched=False),
    numpy=lambda np, value: np.float64(value),
    torch=lambda torch, value: value,
    onnx=lambda g, value: g.constant(float(value)),
    latex=lambda value: f"{value:g}",
    public=False,
)
