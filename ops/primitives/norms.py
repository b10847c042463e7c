"""Batch and layer normalisation; each instance owns its scale, shift and statistics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..batching import SAMPLES, SHARED, Kinds, everywhere, spread
from ..primitive import Attribute, Owned, Primitive
from ..types import ShapeError, TensorType, vector

_EPSILON = Attribute("epsilon", "number", 1e-5)


def _batch_owns(x: TensorType, **_: Any) -> tuple[Owned, ...]:
    channels = vector(x.channels())
    return (
        Owned("scale", channels, 1.0),
        Owned("shift", channels, 0.0),
        Owned("mean", channels, 0.0, trained=False),
        Owned("variance", channels, 1.0, trained=False),
    )


def _numpy_batch(
    np: Any, x: Any, scale: Any, shift: Any, mean: Any, variance: Any, epsilon: float,
    momentum: float, training: bool,
) -> Any:  # fmt: skip
    if training:
        axes = tuple(range(x.ndim - 1))
        mean, variance = x.mean(axes), x.var(axes)
    return (x - mean) / np.sqrt(variance + epsilon) * scale + shift


def _torch_batch(
    torch: Any, x: Any, scale: Any, shift: Any, mean: Any, variance: Any, epsilon: float,
    momentum: float, training: bool,
) -> Any:  # fmt: skip
    rows = x.reshape(-1, x.shape[-1])
    return torch.nn.functional.batch_norm(
        rows, mean, variance, scale, shift, training, momentum, epsilon
    ).reshape(x.shape)


def _onnx_batch(
    g: Any, x: str, scale: str, shift: str, mean: str, variance: str, epsilon: float,
    momentum: float,
) -> Any:  # fmt: skip
    deviation = g.Sqrt(g.Add(variance, g.constant(epsilon)))
    return g.Add(g.Mul(g.Div(g.Sub(x, mean), deviation), scale), shift)


def _over_axes(x: TensorType, over: tuple[int, ...]) -> TensorType:
    return TensorType(tuple(x.axes[i] for i in sorted(over)), batched=False)


def _layer_type(x: TensorType, *owned: TensorType, over: tuple[int, ...], **_: Any) -> TensorType:
    if sorted(over) != list(range(-len(over), 0)):
        raise ShapeError("`layernorm` runs over the last axes")
    if any(axis.size is None for axis in _over_axes(x, over).axes):
        raise ShapeError(f"`layernorm` cannot run over an axis of {x} known only at run time")
    return x


def _layer_owns(x: TensorType, over: tuple[int, ...], **_: Any) -> tuple[Owned, ...]:
    axes = _over_axes(x, over)
    return Owned("scale", axes, 1.0), Owned("shift", axes, 0.0)


def _numpy_layer(
    np: Any, x: Any, scale: Any, shift: Any, over: tuple[int, ...], epsilon: float
) -> Any:
    mean, variance = x.mean(over, keepdims=True), x.var(over, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon) * scale + shift


def _torch_layer(
    torch: Any, x: Any, scale: Any, shift: Any, over: tuple[int, ...], epsilon: float
) -> Any:
    return torch.nn.functional.layer_norm(x, scale.shape, scale, shift, epsilon)


def columns(stack: Any) -> Any:
    """(rows, batch, …, channels) as (batch, …, rows · channels): what one batch norm runs over."""
    return stack.movedim(0, -2).flatten(-2)


def rows(columns: Any, count: int) -> Any:
    """The stack again."""
    return columns.unflatten(-1, (count, -1)).movedim(-2, 0)


def batched_norm(
    torch: Any, record: Any, arguments: Sequence[Any], of: Kinds, settings: dict[str, Any]
) -> Any:
    """One batch norm over the channels of all rows, whose statistics are each row's own."""
    x, *owned = everywhere(arguments, of)
    wide = record.torch(torch, columns(x), *(o.view(-1) for o in owned), **settings)
    return rows(wide, x.shape[0])


def _batched_layer(
    torch: Any, record: Any, arguments: Sequence[Any], of: Kinds, settings: dict[str, Any]
) -> Any:
    x, scale, shift = everywhere(arguments, of)
    batch_and_more = (of[0][0] in (SAMPLES, SHARED)) + of[0][1] - of[1][1]
    plain = torch.nn.functional.layer_norm(x, scale.shape[1:], eps=settings["epsilon"])
    return torch.addcmul(spread(shift, batch_and_more), plain, spread(scale, batch_and_more))


batchnorm = Primitive(
    name="batchnorm",
    attributes=(_EPSILON, Attribute("momentum", "number", 0.1)),
    owns=_batch_owns,
    type=lambda x, *owned, **_: x.with_channels(x.channels()),
    numpy=_numpy_batch,
    torch=_torch_batch,
    onnx=_onnx_batch,
    latex=lambda x, **_: rf"\operatorname{{BN}}\left({x}\right)",
    modal=True,
    batched=batched_norm,
)
layernorm = Primitive(
    name="layernorm",
    attributes=(Attribute("over", "axes", ("channels",)), _EPSILON),
    owns=_layer_owns,
    type=_layer_type,
    numpy=_numpy_layer,
    torch=_torch_layer,
    onnx=lambda g, x, scale, shift, over, epsilon: g.LayerNormalization(
        x, scale, shift, axis=min(over), epsilon=epsilon
    ),
    latex=lambda x, **_: rf"\operatorname{{LN}}\left({x}\right)",
    batched=_batched_layer,
)
