"""Scaled dot-product attention, equation (6): softmax(q kᵀ / √d) v, with d channels per head."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

from ..batching import Kinds, everywhere
from ..primitive import Attribute, Primitive
from ..types import ShapeError, TensorType
from .reductions import numpy_softmax

ATTENTION_SINCE = 23
"""The operator set of ONNX that has an attention of its own; before, it is decomposed."""


def _type(q: TensorType, k: TensorType, v: TensorType, heads: int) -> TensorType:
    for name, x in (("query", q), ("key", k), ("value", v)):
        if len(x.axes) != 2 or not x.batched:
            raise ShapeError(f"the {name} of `attention` is {x}, not (batch, length, channels)")
    if q.channels() != k.channels():
        raise ShapeError(f"query {q} and key {k} of `attention` differ in channels")
    if k.axes[0] != v.axes[0]:
        raise ShapeError(f"key {k} and value {v} of `attention` differ in length")
    for x in (q, v):
        if x.channels() % heads:
            channels = x.channels()
            fitting = ", ".join(str(n) for n in range(1, 17) if channels % n == 0)
            message = f"{heads} heads do not divide the {channels} channels of {x}"
            raise ShapeError(message, f"write `heads` as a number that does: {fitting}")
    return q.with_channels(v.channels())


def _split(x: Any, heads: int) -> Any:
    """(batch, length, channels) to (batch, heads, length, channels per head)."""
    batch, length, channels = x.shape
    return x.reshape(batch, length, heads, channels // heads).swapaxes(1, 2)


def _merge(x: Any) -> Any:
    batch, heads, length, width = x.shape
    return x.swapaxes(1, 2).reshape(batch, length, heads * width)


def _numpy(np: Any, q: Any, k: Any, v: Any, heads: int) -> Any:
    q, k, v = (_split(x, heads) for x in (q, k, v))
    scores = q @ k.swapaxes(-1, -2) / sqrt(q.shape[-1])
    return _merge(numpy_softmax(np, scores) @ v)


def _torch(torch: Any, q: Any, k: Any, v: Any, heads: int) -> Any:
    def split(x: Any) -> Any:
        return x.unflatten(-1, (heads, -1)).transpose(1, 2)

    attend = torch.nn.functional.scaled_dot_product_attention
    if heads == 1:  # four axes: with three, torch takes a slower path
        return attend(q.unsqueeze(1), k.unsqueeze(1), v.unsqueeze(1)).squeeze(1)
    return attend(split(q), split(k), split(v)).transpose(1, 2).flatten(2)


def _onnx(g: Any, q: str, k: str, v: str, heads: int) -> Any:
    if g.opset >= ATTENTION_SINCE:
        return g.Attention(q, k, v, q_num_heads=heads, kv_num_heads=heads)
    width = g.channels(q) // heads
    if heads > 1:
        q, k, v = (
            g.Transpose(g.Reshape(x, g.constant([0, 0, heads, -1])), perm=[0, 2, 1, 3])
            for x in (q, k, v)
        )
    turned = g.Transpose(k, perm=[0, 2, 1] if heads == 1 else [0, 1, 3, 2])
    # NOTE: scaled after the product: before it, ONNX Runtime 1.32 loses a query that is itself a
    # multiple of a constant.
    scores = g.Mul(g.MatMul(q, turned), g.constant(1 / sqrt(width)))
    attended = g.MatMul(g.Softmax(scores, axis=-1), v)
    if heads == 1:
        return attended
    return g.Reshape(g.Transpose(attended, perm=[0, 2, 1, 3]), g.constant([0, 0, -1]))


def _batched(
    torch: Any, record: Any, arguments: Sequence[Any], of: Kinds, settings: dict[str, Any]
) -> Any:
    """Rows are more samples."""
    wide = everywhere(arguments, of)
    count = wide[0].shape[0]
    attended = record.torch(torch, *(x.flatten(0, 1) for x in wide), **settings)
    return attended.unflatten(0, (count, -1))


attention = Primitive(
    name="attention",
    inputs=(3, 3),
    attributes=(Attribute("heads", "count", 1),),
    type=_type,
    numpy=_numpy,
    torch=_torch,
    onnx=_onnx,
    latex=lambda q, k, v, heads=None: (
        rf"\operatorname{{softmax}}\left(\frac{{{q} {k}^\top}}{{\sqrt{{d}}}}\right) {v}"
    ),
    macs=lambda result, q, k, v, heads: (
        (q.elements() + result.elements()) * (k.elements() // k.channels())
    ),
    zero=lambda zero: zero[2],
    batched=_batched,
)
