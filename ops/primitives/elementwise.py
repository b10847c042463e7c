"""Functions of one tensor, element by element."""

from __future__ import annotations

from math import sqrt as root
from typing import Any

from ..batching import aligned
from ..primitive import Primitive
from ..types import TensorType


def _type(x: TensorType) -> TensorType:
    return x


def _operator(name: str) -> Any:
    return lambda x: rf"\operatorname{{{name}}}\left({x}\right)"


def _numpy_sigmoid(np: Any, x: Any) -> Any:
    return np.exp(-np.logaddexp(0, -x))


def _numpy_erf(np: Any, x: Any) -> Any:
    from math import erf

    return np.vectorize(erf, otypes=[float])(x)


def _onnx_gelu(g: Any, x: str) -> str:
    erf = g.Erf(g.Mul(x, g.constant(1 / root(2))))
    return str(g.Mul(g.Mul(x, g.constant(0.5)), g.Add(erf, g.constant(1.0))))


relu = Primitive(
    name="relu",
    type=_type,
    numpy=lambda np, x: np.maximum(x, 0),
    torch=lambda torch, x: torch.relu(x),
    onnx=lambda g, x: g.Relu(x),
    latex=_operator("ReLU"),
    zero=all,
    batched=aligned,
)
gelu = Primitive(
    name="gelu",
    type=_type,
    numpy=lambda np, x: x * (1 + _numpy_erf(np, x / root(2))) / 2,
    torch=lambda torch, x: torch.nn.functional.gelu(x),
    onnx=_onnx_gelu,
    latex=_operator("GELU"),
    zero=all,
    batched=aligned,
)
silu = Primitive(
    name="silu",
    type=_type,
    numpy=lambda np, x: x * _numpy_sigmoid(np, x),
    torch=lambda torch, x: torch.nn.functional.silu(x),
    onnx=lambda g, x: g.Mul(x, g.Sigmoid(x)),
    latex=_operator("SiLU"),
    zero=all,
    batched=aligned,
)
tanh = Primitive(
    name="tanh",
    type=_type,
    numpy=lambda np, x: np.tanh(x),
    torch=lambda torch, x: torch.tanh(x),
    onnx=lambda g, x: g.Tanh(x),
    latex=lambda x: rf"\tanh\left({x}\right)",
    zero=all,
    batched=aligned,
)
sigmoid = Primitive(
    name="sigmoid",
    type=_type,
    numpy=_numpy_sigmoid,
    torch=lambda torch, x: torch.sigmoid(x),
    onnx=lambda g, x: g.Sigmoid(x),
    latex=lambda x: rf"\sigma\left({x}\right)",
    batched=aligned,
)
exp = Primitive(
    name="exp",
    type=_type,
    numpy=lambda np, x: np.exp(x),
    torch=lambda torch, x: torch.exp(x),
    onnx=lambda g, x: g.Exp(x),
    latex=lambda x: rf"\exp\left({x}\right)",
    batched=aligned,
)
log = Primitive(
    name="log",
    type=_type,
    numpy=lambda np, x: np.log(x),
    torch=lambda torch, x: torch.log(x),
    onnx=lambda g, x: g.Log(x),
    latex=lambda x: rf"\log\left({x}\right)",
    batched=aligned,
)
softplus = Primitive(
    name="softplus",
    type=_type,
    numpy=lambda np, x: np.logaddexp(0, x),
    torch=lambda torch, x: torch.nn.functional.softplus(x),
    onnx=lambda g, x: g.Softplus(x),
    latex=_operator("softplus"),
    batched=aligned,
)
sqrt = Primitive(
    name="sqrt",
    type=_type,
    numpy=lambda np, x: np.sqrt(x),
    torch=lambda torch, x: torch.sqrt(x),
    onnx=lambda g, x: g.Sqrt(x),
    latex=lambda x: rf"\sqrt{{{x}}}",
    zero=all,
    batched=aligned,
)
absolute = Primitive(
    name="abs",
    type=_type,
    numpy=lambda np, x: np.abs(x),
    torch=lambda torch, x: torch.abs(x),
    onnx=lambda g, x: g.Abs(x),
    latex=lambda x: rf"\left|{x}\right|",
    zero=all,
    batched=aligned,
)
negative = Primitive(
    name="negative",
    type=_type,
    numpy=lambda np, x: -x,
    torch=lambda torch, x: torch.neg(x),
    onnx=lambda g, x: g.Neg(x),
    latex=lambda x: f"-{x}",
    zero=all,
    public=False,
    batched=aligned,
)
