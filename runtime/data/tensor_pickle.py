"""What a pickle of `torch.save` says of tensors, lists and dicts: read as data, and never run.

NOTE: a pickle is a program for a stack machine, which calls what it names. Here is a machine that
knows the instructions that plain values need, and calls nothing: of what is named, four functions
of torch and collections stand for what they would make, and whatever else is named is refused.
torch's own `weights_only` calls constructors of storages, of a size that the file says.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...compiler.diagnostics.text import shortened

LONGEST = 16_000_000
"""Bytes of a pickle that is read."""
MOST_AXES = 64
"""Axes of a tensor: numpy has no more."""
LONGEST_NAME = 1_000
"""Characters of a function or class that is named."""
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


@dataclass(frozen=True, slots=True)
class _Name:
    """A function or class that a pickle names."""

    text: str


def read_tensor_pickle(content: bytes) -> Any:
    """The value of a pickle: tensors, texts, numbers, tuples, lists and dicts of these.

    Raises ValueError where it says anything else, or is cut short.
    """
    if len(content) > LONGEST:
        raise ValueError(f"what it says of tensors is longer than {LONGEST:,} bytes")
    machine = _Machine()
    try:
        for opcode, argument, _ in pickletools.genops(content):
            if opcode.name == "STOP":
                return machine.pop()
            machine.do(opcode.name, argument)
    except (IndexError, KeyError, TypeError, UnicodeError):
        raise ValueError("what it says of tensors cannot be read") from None
    raise ValueError("it is cut short")


_VALUES = frozenset(
    {
        *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BININT", "BININT1", "BININT2"),
        *("LONG1", "BINFLOAT"),
    }
)
_CONSTANTS: Mapping[str, Any] = {"NEWTRUE": True, "NEWFALSE": False, "NONE": None}
_EMPTY: Mapping[str, Callable[[], Any]] = {
    "EMPTY_TUPLE": tuple[Any, ...],
    "EMPTY_LIST": list[Any],
    "EMPTY_DICT": dict[Any, Any],
}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_IDLE = frozenset({"PROTO", "FRAME"})


class _Machine:
    """The stack, what stood below marks, and what is remembered by number."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._below: list[list[Any]] = []
        self._known: dict[int, Any] = {}

    def pop(self) -> Any:
        return self._stack.pop()

    def do(self, name: str, argument: Any) -> None:
        """An instruction; raises ValueError for one that plain values do not need."""
        if name in _VALUES:
            self._stack.append(argument)
        elif name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            self._stack.append(_EMPTY[name]())
        elif name in _TUPLES:
            count = _TUPLES[name]
            self._stack[-count:] = [tuple(self._stack[-count:])]
        elif name not in _IDLE:
            self._do_other(name, argument)

    def _do_other(self, name: str, argument: Any) -> None:
        match name:
            case "MARK":
                self._below.append(self._stack)
                self._stack = []
            case "TUPLE":
                items = self._from_mark()
                self._stack.append(tuple(items))
            case "BINPUT" | "LONG_BINPUT":
                self._known[argument] = self._stack[-1]
            case "MEMOIZE":
                self._known[len(self._known)] = self._stack[-1]
            case "BINGET" | "LONG_BINGET":
                self._stack.append(self._known[argument])
            case "APPEND":
                self._extend([self._stack.pop()])
            case "APPENDS":
                self._extend(self._from_mark())
            case "SETITEM":
                value, key = self._stack.pop(), self._stack.pop()
                self._update([key, value])
            case "SETITEMS":
                self._update(self._from_mark())
            case "GLOBAL":
                self._stack.append(_Name(".".join(argument.split(" "))))
            case "STACK_GLOBAL":
                own, module = self._stack.pop(), self._stack.pop()
                self._stack.append(_named(module, own))
            case "BINPERSID":
                self._stack.append(_storage(self._stack.pop()))
            case "REDUCE":
                arguments, function = self._stack.pop(), self._stack.pop()
                self._stack.append(_made(function, arguments))
            case _:
                raise ValueError(f"what it says of tensors has `{name}`, which no tensor needs")

    def _from_mark(self) -> list[Any]:
        items, self._stack = self._stack, self._below.pop()
        return items

    def _extend(self, items: Sequence[Any]) -> None:
        if not isinstance(self._stack[-1], list):
            raise TypeError("items are for a list")
        self._stack[-1].extend(items)

    def _update(self, items: Sequence[Any]) -> None:
        if not isinstance(self._stack[-1], dict):
            raise TypeError("items are for a dict")
        keys = items[::2]
        if not all(type(key) is str for key in keys):
            raise ValueError("a name in it is no text")
        self._stack[-1].update(zip(keys, items[1::2], strict=True))


def _named(module: Any, own: Any) -> _Name:
    if type(module) is not str or type(own) is not str:
        raise TypeError("a name is of two texts")
    if len(module) + len(own) > LONGEST_NAME:
        raise ValueError(f"it names what is longer than {LONGEST_NAME:,} characters")
    return _Name(f"{module}.{own}")


def _storage(identity: Any) -> Storage:
    match identity:
        case ("storage", _Name(text), str(key), str(), int(count)) if count >= 0:
            return Storage(text.removeprefix("torch."), key, count)
        case _:
            raise ValueError("what it says of tensors has a storage that is none")


def _made(function: Any, arguments: Any) -> Any:
    """What a function would make; raises ValueError for one that is not among those known."""
    match function, arguments:
        case _Name("collections.OrderedDict"), ():
            return {}
        case _Name("torch._utils._rebuild_tensor_v2"), (Storage() as storage, int(offset), *rest):
            return _tensor(storage, offset, *rest[:2])
        case _Name("torch._utils._rebuild_parameter"), (StridedTensor() as tensor, *_):
            return tensor
        case _Name("torch._utils._rebuild_tensor_v3"), _:
            raise ValueError("a tensor is of a rare type: save it as float32 or int64")
        case _Name(text), _:
            raise ValueError(f"it calls `{shortened(text)}`, and no code of a file is run")
        case _:
            raise ValueError("it calls what has no name, and no code of a file is run")


def _tensor(storage: Storage, offset: int, shape: Any, strides: Any) -> StridedTensor:
    tensor = StridedTensor(storage, offset, tuple(shape), tuple(strides))
    if max(len(tensor.shape), len(tensor.strides)) > MOST_AXES:
        raise ValueError(f"a tensor has more than {MOST_AXES} axes")
    numbers = (offset, *tensor.shape, *tensor.strides)
    if not all(type(number) is int and 0 <= number < _BEYOND for number in numbers):
        raise ValueError("what it says of the shape of a tensor is not whole numbers in 64 bits")
    if len(tensor.shape) != len(tensor.strides) or not tensor.is_inside:
        raise ValueError("a tensor does not have the numbers that its shape takes")
    return tensor
