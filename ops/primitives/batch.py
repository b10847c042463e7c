"""Many networks side by side: one primitive over the stacks of what each of them has.

A stack has an axis of its networks before the batch. `batched` is by definition what each network
computes for itself; the torch form of a primitive over stacks is its record's `batched`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from ..batching import SAMPLES, SHARED, STACKS, Kinds
from ..primitive import Primitive, primitives
from ..types import CANDIDATES, Axis, ShapeError, TensorType

Places: TypeAlias = tuple[tuple[int, int], ...]
Settings: TypeAlias = tuple[tuple[str, Any], ...]


def _rows(stack: TensorType) -> int:
    if not stack.axes or stack.axes[0].name != CANDIDATES:
        raise ShapeError(f"{stack} is no stack")
    return stack.axes[0].size or 0


def unstacked(stack: TensorType) -> TensorType:
    """The type of each value of a stack; raises ShapeError where it is none."""
    _rows(stack)
    return TensorType(stack.axes[1:], stack.batched)


def stacked(type: TensorType, count: int) -> TensorType:
    """The type of a stack of so many values."""
    return TensorType((Axis(CANDIDATES, count), *type.axes), type.batched)


def is_whole(places: Places, count: int | None) -> bool:
    """Whether places are all rows of one stack, in order."""
    return places == tuple((0, row) for row in range(count or 0))


def _inner(arguments: Sequence[TensorType], of: Kinds) -> list[TensorType]:
    """The types of the arguments of one row; raises ShapeError where they are not what is said."""
    inner: list[TensorType] = []
    for argument, (kind, axes) in zip(arguments, of, strict=True):
        one = unstacked(argument) if kind in STACKS else argument
        if len(one.axes) != axes or one.batched != (kind in (SAMPLES, SHARED)):
            raise ShapeError(f"{argument} is not `{kind}` of {axes} axes")
        inner.append(one)
    return inner


def _batched_type(
    *arguments: TensorType, primitive: str, of: Kinds, attributes: Settings
) -> TensorType:
    counts = {_rows(a) for a, (kind, _) in zip(arguments, of, strict=True) if kind in STACKS}
    if len(counts) != 1:
        raise ShapeError("stacks of different sizes do not meet")
    result = primitives()[primitive].type(*_inner(arguments, of), **dict(attributes))
    return stacked(result, counts.pop())


def _macs(
    result: TensorType, *arguments: TensorType, primitive: str, of: Kinds, attributes: Settings
) -> int:
    inner = _inner(arguments, of)
    one = primitives()[primitive].macs(unstacked(result), *inner, **dict(attributes))
    return _rows(result) * one


def _settings(record: Primitive, attributes: Settings, training: bool) -> dict[str, Any]:
    return dict(attributes) | ({"training": training} if record.modal else {})


def _numpy_batched(
    np: Any, *arguments: Any, primitive: str, of: Kinds, attributes: Settings, training: bool
) -> Any:
    record = primitives()[primitive]
    settings = _settings(record, attributes, training)
    is_stack = [kind in STACKS for kind, _ in of]
    count = next(len(a) for a, each in zip(arguments, is_stack, strict=True) if each)
    return np.stack(
        [
            record.numpy(
                np,
                *(a[row] if each else a for a, each in zip(arguments, is_stack, strict=True)),
                **settings,
            )
            for row in range(count)
        ]
    )


def _torch_batched(
    torch: Any, *arguments: Any, primitive: str, of: Kinds, attributes: Settings, training: bool
) -> Any:
    record = primitives()[primitive]
    assert record.batched is not None
    return record.batched(torch, record, arguments, of, _settings(record, attributes, training))


def _gather_type(*stacks: TensorType, places: Places) -> TensorType:
    inner = {unstacked(s) for s in stacks}
    if len(inner) != 1:
        raise ShapeError("what stands in one stack is of one type")
    if any(not 0 <= row < _rows(stacks[source]) for source, row in places):
        raise ShapeError("a row is in no stack")
    return stacked(inner.pop(), len(places))


def _row_type(stack: TensorType, index: int) -> TensorType:
    if not 0 <= index < _rows(stack):
        raise ShapeError(f"{stack} has no row {index}")
    return unstacked(stack)


def _deal_type(stack: TensorType, parts: tuple[tuple[int, ...], ...], index: int) -> TensorType:
    if any(not 0 <= row < _rows(stack) for part in parts for row in part):
        raise ShapeError(f"{stack} has not every row that is dealt")
    return stacked(unstacked(stack), len(parts[index]))


batched = Primitive(
    name="batched",
    inputs=(1, None),
    type=_batched_type,
    numpy=_numpy_batched,
    torch=_torch_batched,
    latex=lambda *inputs, **_: rf"\left({', '.join(inputs)}\right)",
    macs=_macs,
    modal=True,
    public=False,
)
gather = Primitive(
    name="gather",
    inputs=(1, None),
    type=_gather_type,
    numpy=lambda np, *stacks, places: np.stack([stacks[s][row] for s, row in places]),
    torch=lambda torch, *stacks, places: torch.stack([stacks[s][row] for s, row in places]),
    latex=lambda *stacks, **_: rf"\left({', '.join(stacks)}\right)",
    public=False,
)
deal = Primitive(
    name="deal",
    type=_deal_type,
    numpy=lambda np, stack, parts, index: stack[list(parts[index])],
    torch=lambda torch, stack, parts, index: stack[list(parts[index])],
    latex=lambda stack, index, **_: rf"{stack}_{{({index})}}",
    public=False,
)
row = Primitive(
    name="row",
    type=_row_type,
    numpy=lambda np, stack, index: stack[index],
    torch=lambda torch, stack, index: stack[index],
    latex=lambda stack, index: rf"{stack}_{{{index}}}",
    public=False,
)
