"""What passes make so that fewer, larger operations run; no equation can write them.

Parameters keep their names and shapes: they are joined where they are used, and running
statistics are written back to where they belong.
"""

from __future__ import annotations

from typing import Any

from ..primitive import Attribute, Primitive
from ..types import CANDIDATES, CHANNELS, LENGTH, Axis, ShapeError, TensorType
from .norms import batched_norm
from .shaping import dropout_type, numpy_dropout


def _sum_blocks_type(w: TensorType, count: int) -> TensorType:
    rows = w.axes[0].size or 0
    if w.batched or len(w.axes) != 2 or rows % count:
        raise ShapeError(f"{w} has no {count} blocks of rows")
    return TensorType((Axis(w.axes[0].name, rows // count), w.axes[1]), batched=False)


def _part_type(x: TensorType, sizes: tuple[int, ...], index: int) -> TensorType:
    if x.channels() != sum(sizes):
        raise ShapeError(f"{x} does not fall into parts of {sizes} channels")
    return x.with_channels(sizes[index])


def _numpy_part(np: Any, x: Any, sizes: tuple[int, ...], index: int) -> Any:
    start = sum(sizes[:index])
    return x[..., start : start + sizes[index]]


def _groups(owned: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Biases, scales, shifts, means and variances, of one batch norm or several side by side."""
    count = len(owned) // 5
    return [owned[i * count : (i + 1) * count] for i in range(5)]


def _numpy_normalised(
    np: Any, x: Any, *owned: Any, sizes: tuple[int, ...], epsilon: float, momentum: float,
    training: bool,
) -> Any:  # fmt: skip
    bias, scale, shift, mean, variance = (np.concatenate(part) for part in _groups(owned))
    if training:
        axes = tuple(range(x.ndim - 1))
        mean, variance = x.mean(axes) + bias, x.var(axes)
    return (x + bias - mean) / np.sqrt(variance + epsilon) * scale + shift


def _torch_normalised(
    torch: Any, x: Any, *owned: Any, sizes: tuple[int, ...], epsilon: float, momentum: float,
    training: bool,
) -> Any:  # fmt: skip
    means, variances = _groups(owned)[3:]
    bias, scale, shift, mean, variance = (
        part[0] if len(part) == 1 else torch.cat(part) for part in _groups(owned)
    )
    rows, normalise = x.reshape(-1, x.shape[-1]), torch.nn.functional.batch_norm
    if not training:
        y = normalise(rows + bias, mean, variance, scale, shift, False, momentum, epsilon)
        return y.reshape(x.shape)
    if len(means) == 1:
        mean, variance = mean.clone(), variance.clone()
    y = normalise(rows, mean, variance, scale, shift, True, momentum, epsilon)
    moved = torch.add(mean, bias.detach(), alpha=momentum)
    for olds, news in ((means, moved), (variances, variance)):
        parts = torch.split(news, sizes) if len(olds) > 1 else (news,)
        for i, old in enumerate(olds):
            old.copy_(parts[i])
    return y.reshape(x.shape)


def _stack_type(*candidates: TensorType) -> TensorType:
    first, *others = candidates
    if any(other != first for other in others):
        raise ShapeError("candidates of one stack differ")
    return TensorType((Axis(CANDIDATES, len(candidates)), *first.axes), first.batched)


def _contract_type(stack: TensorType, *weights: TensorType, index: int) -> TensorType:
    for w in weights:
        if w.elements() != stack.axes[0].size:
            raise ShapeError(f"{w.elements()} weights for {stack.axes[0].size} candidates")
    return TensorType(stack.axes[1:], stack.batched)


def _torch_contract(torch: Any, stack: Any, *weights: Any, index: int) -> Any:
    rows = torch.stack(weights)
    return torch.matmul(rows, stack.flatten(1)).unflatten(1, stack.shape[1:])[index]


sum_blocks = Primitive(
    name="sum_blocks",
    batched=lambda torch, record, arguments, of, settings: (
        arguments[0].unflatten(1, (settings["count"], -1)).sum(1)
    ),
    type=_sum_blocks_type,
    numpy=lambda np, w, count: w.reshape(count, -1, w.shape[-1]).sum(0),
    torch=lambda torch, w, count: w.unflatten(0, (count, -1)).sum(0),
    onnx=lambda g, w, count: g.reduce(
        "ReduceSum",
        g.Reshape(w, g.constant([count, -1, g.channels(w)])),
        [0],
        keepdims=False,
    ),
    latex=lambda w, **_: rf"\sum_k {w}_k",
    zero=all,
    public=False,
)
part = Primitive(
    name="part",
    type=_part_type,
    numpy=_numpy_part,
    torch=lambda torch, x, sizes, index: torch.split(x, sizes, -1)[index],
    latex=lambda x, index, **_: rf"{x}_{{({index})}}",
    zero=all,
    public=False,
)
normalised = Primitive(
    name="normalised",
    inputs=(6, None),
    type=lambda x, *owned, **_: x.with_channels(x.channels()),
    numpy=_numpy_normalised,
    torch=_torch_normalised,
    latex=lambda x, *owned, **_: rf"\operatorname{{BN}}\left({x}\right)",
    modal=True,
    public=False,
    batched=batched_norm,
)
repeat = Primitive(
    name="repeat",
    batched=lambda torch, record, arguments, of, settings: (
        arguments[0].unsqueeze(2).expand(-1, -1, settings["length"], -1)
    ),
    type=lambda x, length: TensorType((Axis(LENGTH, length), *x.axes), x.batched),
    numpy=lambda np, x, length: np.repeat(x[:, None], length, axis=1),
    torch=lambda torch, x, length: x.unsqueeze(1).expand(-1, length, -1),
    onnx=lambda g, x, length: g.Gather(
        g.Unsqueeze(x, g.constant([1])), g.constant([0] * length), axis=1
    ),
    latex=lambda x, **_: x,
    zero=all,
    public=False,
)
stack = Primitive(
    name="stack",
    inputs=(1, None),
    type=_stack_type,
    numpy=lambda np, *candidates: np.stack(candidates),
    torch=lambda torch, *candidates: torch.stack(candidates),
    latex=lambda *candidates: rf"\left({', '.join(candidates)}\right)",
    zero=all,
    public=False,
)
contract = Primitive(
    name="contract",
    inputs=(2, None),
    type=_contract_type,
    numpy=lambda np, stack, *weights, index: np.tensordot(weights[index], stack, 1),
    torch=_torch_contract,
    latex=lambda stack, *weights, index: rf"{weights[index]} {stack}",
    macs=lambda result, stack, *weights, index: result.elements() * (stack.axes[0].size or 1),
    zero=lambda zero: zero[0],
    public=False,
)
sum_weights = Primitive(
    name="sum_weights",
    type=lambda weights, groups: TensorType((Axis(CHANNELS, len(groups)),), batched=False),
    numpy=lambda np, weights, groups: np.array([weights[list(g)].sum() for g in groups]),
    torch=lambda torch, weights, groups: torch.stack(
        [sum(weights[i] for i in group[1:]) + weights[group[0]] for group in groups]
    ),
    onnx=lambda g, weights, groups: g.Concat(
        *(
            g.reduce("ReduceSum", g.Gather(weights, g.constant(list(group))), [0])
            for group in groups
        ),
        axis=0,
    ),
    latex=lambda weights, **_: weights,
    public=False,
)
relu_dropout = Primitive(
    name="relu_dropout",
    attributes=(Attribute("rate", "number"),),
    type=dropout_type,
    numpy=lambda np, x, rate, training: numpy_dropout(np, np.maximum(x, 0), rate, training),
    torch=lambda torch, x, rate, training: torch.nn.functional.dropout(
        torch.relu(x), rate, training
    ),
    latex=lambda x, **_: rf"\operatorname{{ReLU}}\left({x}\right)",
    zero=all,
    modal=True,
    random=True,
    public=False,
)
