"""`average`: the mean of what several networks say, each with a weight: a linear opinion pool.

Of classes and labels the probabilities are averaged, and what comes out are logits that have this
mean: the logarithm of the mean for classes, that of its odds for labels. All of it is computed of
logarithms, so that no probability is too small for float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import Any, Literal

from ..primitive import Primitive
from ..types import TensorType, same

Kind = Literal["classes", "labels", "values"]


def _numpy_pooled(np: Any, logs: Sequence[Any], shares: Sequence[float]) -> Any:
    weighted = [log(share) + one for share, one in zip(shares, logs, strict=True)]
    return np.logaddexp.reduce(weighted, 0)


def _numpy(np: Any, *outputs: Any, kind: Kind, shares: Sequence[float]) -> Any:
    if kind == "values":
        return sum(share * one for share, one in zip(shares, outputs, strict=True))
    if kind == "labels":
        yes, no = ([-np.logaddexp(0, sign * x) for x in outputs] for sign in (-1, 1))
        return _numpy_pooled(np, yes, shares) - _numpy_pooled(np, no, shares)
    logs = [x - np.logaddexp.reduce(x, -1, keepdims=True) for x in outputs]
    return _numpy_pooled(np, logs, shares)


def _torch_pooled(torch: Any, logs: Sequence[Any], shares: Sequence[float]) -> Any:
    weighted = [one + log(share) for share, one in zip(shares, logs, strict=True)]
    return torch.logsumexp(torch.stack(weighted), 0)


def _torch(torch: Any, *outputs: Any, kind: Kind, shares: Sequence[float]) -> Any:
    if kind == "values":
        return sum(share * one for share, one in zip(shares, outputs, strict=True))
    if kind == "labels":
        logsigmoid = torch.nn.functional.logsigmoid
        yes, no = ([logsigmoid(sign * x) for x in outputs] for sign in (1, -1))
        return _torch_pooled(torch, yes, shares) - _torch_pooled(torch, no, shares)
    return _torch_pooled(torch, [torch.log_softmax(x, -1) for x in outputs], shares)


def _onnx_pooled(g: Any, logs: Sequence[str], shares: Sequence[float]) -> str:
    weighted = [g.Add(one, g.constant(log(s))) for s, one in zip(shares, logs, strict=True)]
    stack = g.Concat(*(g.Unsqueeze(one, g.constant([0])) for one in weighted), axis=0)
    return str(g.reduce("ReduceLogSumExp", stack, [0], keepdims=False))


def _onnx(g: Any, *outputs: str, kind: Kind, shares: Sequence[float]) -> Any:
    if kind == "values":
        return g.Sum(*(g.Mul(x, g.constant(s)) for s, x in zip(shares, outputs, strict=True)))
    if kind == "labels":
        yes = [g.Neg(g.Softplus(g.Neg(x))) for x in outputs]
        no = [g.Neg(g.Softplus(x)) for x in outputs]
        return g.Sub(_onnx_pooled(g, yes, shares), _onnx_pooled(g, no, shares))
    return _onnx_pooled(g, [g.LogSoftmax(x, axis=-1) for x in outputs], shares)


def _type(*outputs: TensorType, kind: Kind, shares: Sequence[float]) -> TensorType:
    return same(outputs)


average = Primitive(
    name="average",
    inputs=(1, None),
    type=_type,
    numpy=_numpy,
    torch=_torch,
    onnx=_onnx,
    latex=lambda *outputs, **_: rf"\operatorname{{average}}\left({', '.join(outputs)}\right)",
    macs=lambda result, *outputs, **_: result.elements() * len(outputs),
    public=False,
)
