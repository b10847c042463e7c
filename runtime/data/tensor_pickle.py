"""What a pickle of `torch.save` says of tensors, lists and dicts: read as data, and never run.

NOTE: of what a pickle names, three functions of torch, `OrderedDict` and storages stand for what
they would make, and whatever else is named is refused. torch's own `weights_only` calls
constructors of storages, of a size that the file says.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...compiler.system.pickles import Maker, Named, read_pickle

LONGEST = 16_000_000
"""Bytes of a pickle that is read."""
MOST_AXES = 64
"""Axes of a tensor: numpy has no more."""
_BEYOND = 1 << 63


@dataclass(frozen=True, slots=True)
class Storage:
    """Numbers of a type, such as `FloatStorage`: where they stand in the archive, and how many."""

    type: str
    key: str
    count: int


@dataclass(frozen=True, slots=True)
class StridedTensor:
    """A tensor: places in a storage, in elements."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def is_inside(self) -> bool:
        """Whether its elements stand in the storage, and are no more than that has."""
        last, count = self.offset, 1
        for size, stride in zip(self.shape, self.strides, strict=True):
            last, count = last + (size - 1) * stride, count * size
        return not count or (count <= self.storage.count and last < self.storage.count)


def read_tensor_pickle(content: bytes) -> Any:
    """The value of a pickle: tensors, texts, numbers, tuples, lists and dicts of these.

    Raises ValueError where it says anything else, or is cut short.
    """
    if len(content) > LONGEST:
        raise ValueError(f"what it says of tensors is longer than {LONGEST:,} bytes")
    return read_pickle(content, _MAKERS, _storage)


def _storage(identity: Any) -> Storage:
    match identity:
        case ("storage", Named(text), str(key), str(), int(count)) if count >= 0:
            return Storage(text.removeprefix("torch."), key, count)
        case _:
            raise ValueError("what it says of tensors has a storage that is none")


def _rebuilt(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> StridedTensor:
    if not isinstance(storage, Storage):
        raise TypeError("a tensor is of a storage")
    tensor = StridedTensor(storage, offset, tuple(shape), tuple(strides))
    if max(len(tensor.shape), len(tensor.strides)) > MOST_AXES:
        raise ValueError(f"a tensor has more than {MOST_AXES} axes")
    numbers = (offset, *tensor.shape, *tensor.strides)
    if not all(type(number) is int and 0 <= number < _BEYOND for number in numbers):
        raise ValueError("what it says of the shape of a tensor is not whole numbers in 64 bits")
    if len(tensor.shape) != len(tensor.strides) or not tensor.is_inside:
        raise ValueError("a tensor does not have the numbers that its shape takes")
    return tensor


def _parameter(tensor: Any, *_: Any) -> StridedTensor:
    if not isinstance(tensor, StridedTensor):
        raise TypeError("a parameter is a tensor")
    return tensor


def _ordered() -> OrderedDict[str, Any]:
    return OrderedDict()


def _rare(*_: Any) -> Any:
    raise ValueError("a tensor is of a rare type: save it as float32 or int64")


_MAKERS: Mapping[str, Maker] = {
    "collections.OrderedDict": _ordered,
    "torch._utils._rebuild_tensor_v2": _rebuilt,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_tensor_v3": _rare,
}
