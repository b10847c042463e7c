"""Types of the values in a tensor program: named axes with sizes, and how they meet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

LENGTH, CHANNELS = "length", "channels"
CANDIDATES = "candidates"
"""The axis of a stack, which is the first one in memory, before the batch."""
FEATURE_AXES = ("c", "t", "h", "w")


class Axis(NamedTuple):
    """A named axis; `size` is None where it is known only at run time."""

    name: str
    size: int | None

    def __str__(self) -> str:
        return f"{self.name} {'*' if self.size is None else self.size}"


@dataclass(frozen=True, slots=True)
class TensorType:
    """The axes of a value; a batched value has a batch axis before them that is not listed."""

    axes: tuple[Axis, ...] = ()
    batched: bool = True

    def __str__(self) -> str:
        listed = ", ".join(str(a) for a in self.axes)
        return f"({'batch, ' if self.batched else ''}{listed})".replace(", )", ")")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(a.name for a in self.axes)

    def size(self, name: str) -> int | None:
        """The size of the named axis; raises ShapeError if there is no such axis."""
        for axis in self.axes:
            if axis.name == name:
                return axis.size
        raise ShapeError(f"there is no axis `{name}` in {self}")

    def channels(self) -> int:
        """The number of channels, the last axis of every inner value."""
        if not self.axes or self.axes[-1].name != CHANNELS or self.axes[-1].size is None:
            raise ShapeError(f"{self} has no channels as its last axis")
        return self.axes[-1].size

    def with_channels(self, size: int) -> TensorType:
        """The same type with another number of channels."""
        return TensorType((*self.axes[:-1], Axis(CHANNELS, size)), self.batched)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes of the axes; those known only at run time count as 1."""
        return tuple(1 if axis.size is None else axis.size for axis in self.axes)

    def without_channels(self) -> TensorType:
        """The type with channels of any number."""
        axes = tuple(Axis(a.name, None if a.name == CHANNELS else a.size) for a in self.axes)
        return TensorType(axes, self.batched)

    def elements(self) -> int:
        """Numbers in one sample; axes known only at run time count as 1."""
        return prod(self.sizes)


class ShapeError(ValueError):
    """Shapes that cannot meet; the message says which, and `remedy` what else to write."""

    def __init__(self, message: str, remedy: str | None = None) -> None:
        super().__init__(message)
        self.remedy = remedy


def inner(length: int, channels: int) -> TensorType:
    """`(batch, L, C)`: what Cells and Steps take and give."""
    return TensorType((Axis(LENGTH, length), Axis(CHANNELS, channels)))


def vector(size: int) -> TensorType:
    """An unbatched vector of `size` numbers, such as a bias or the weights of a mixture."""
    return TensorType((Axis(CHANNELS, size),), batched=False)


def parameter_type(sizes: tuple[int, ...]) -> TensorType:
    """The type of a parameter: its last axis is channels, the one before it length."""
    if len(sizes) > 2:
        raise ShapeError(f"a parameter has one or two axes, not {len(sizes)}")
    names = (LENGTH, CHANNELS)[2 - len(sizes) :]
    return TensorType(tuple(Axis(n, s) for n, s in zip(names, sizes, strict=True)), batched=False)


def broadcast(types: Iterable[TensorType]) -> TensorType:
    """The type of an elementwise operation: axes align from the last, sizes are equal or 1."""
    result, *others = types
    for other in others:
        result = _broadcast_pair(result, other)
    return result


def _broadcast_pair(a: TensorType, b: TensorType) -> TensorType:
    longer, shorter = (a, b) if len(a.axes) >= len(b.axes) else (b, a)
    if shorter.batched and len(shorter.axes) != len(longer.axes):
        raise ShapeError(f"the axes of {a} and {b} do not meet")
    offset = len(longer.axes) - len(shorter.axes)
    axes = list(longer.axes)
    for i, axis in enumerate(shorter.axes, start=offset):
        if axis.name != axes[i].name:
            raise ShapeError(f"the axes of {a} and {b} do not meet")
        if axis.size != axes[i].size and 1 not in (axis.size, axes[i].size):
            raise ShapeError(f"{a} and {b} differ in `{axis.name}`")
        if axes[i].size == 1:
            axes[i] = axis
    return TensorType(tuple(axes), a.batched or b.batched)


def same(types: Iterable[TensorType]) -> TensorType:
    """The one type that all have; raises ShapeError if two differ."""
    first, *others = types
    for other in others:
        if other != first:
            raise ShapeError(f"{first} and {other} differ")
    return first


NUMBERS = "fiub"
"""The kinds of arrays that hold numbers."""
