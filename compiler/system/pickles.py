"""Pickles, read as data: the one place that knows their instructions. Nothing is ever called.

NOTE: a pickle is a program for a stack machine, which calls what it names. Here is a machine that
knows the instructions that plain values need. What a pickle names is looked up in a table that the
reader gives, of functions that make data of arguments; whatever else is named is refused.
"""

from __future__ import annotations

import pickletools
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..diagnostics.text import shortened

LONGEST_NAME = 1_000
"""Characters of a function or class that is named."""

Maker = Callable[..., Any]
"""What stands for a function or class: it is given the arguments, and makes data of them."""


@dataclass(frozen=True, slots=True)
class Named:
    """A function or class that a pickle names, `collections.OrderedDict` say."""

    text: str


def read_pickle(
    content: bytes, makers: Mapping[str, Maker], persistent: Maker | None = None
) -> Any:
    """The value of a pickle of protocols 0 to 5: texts, numbers, tuples, lists, dicts of texts.

    `makers` make values of what it names, and may raise TypeError or ValueError; `persistent` makes
    those that it has by a persistent identity. Raises ValueError where it says anything else, or is
    cut short. Time and memory are those of the bytes; values may share parts, so that what walks
    through them has to keep count.
    """
    machine = _Machine(makers, persistent)
    try:
        for opcode, argument, _ in pickletools.genops(content):
            if opcode.name == "STOP":
                return machine.result()
            machine.do(opcode.name, argument)
    except _Refused as error:
        raise ValueError(str(error)) from None
    except (ValueError, IndexError, KeyError, TypeError, OverflowError):
        raise ValueError("it cannot be read as a pickle") from None
    raise ValueError("it is cut short")


class _Refused(Exception):
    """What a pickle says that is not done."""


_VALUES = frozenset(
    {
        *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE"),
        *("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"),
        *("STRING", "BINSTRING", "SHORT_BINSTRING", "INT", "LONG"),
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
_PYTHON_2 = {"copy_reg": "copyreg", "__builtin__": "builtins"}
_RECONSTRUCTED = "copyreg._reconstructor"
"""What protocols 0 and 1 make a tuple's subclass with: of a class, `tuple`, and the items."""


class _Machine:
    """The stack, what stood below marks, and what is remembered by number."""

    def __init__(self, makers: Mapping[str, Maker], persistent: Maker | None) -> None:
        self._makers, self._persistent = makers, persistent
        self._stack: list[Any] = []
        self._below: list[list[Any]] = []
        self._known: dict[int, Any] = {}

    def result(self) -> Any:
        value = self._stack.pop()
        if isinstance(value, Named):
            raise _Refused(f"it names `{shortened(value.text)}`, which is no value")
        return value

    def do(self, name: str, argument: Any) -> None:
        """An instruction; raises _Refused for one that plain values do not need."""
        if name in _VALUES:
            self._stack.append(argument)
        elif name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            self._stack.append(_EMPTY[name]())
        elif name in _TUPLES:
            count = _TUPLES[name]
            if len(self._stack) < count:
                raise IndexError
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
            case "LIST":
                items = self._from_mark()
                self._stack.append(items)
            case "DICT":
                items = self._from_mark()
                self._stack.append({})
                self._update(items)
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                self._known[argument] = self._stack[-1]
            case "MEMOIZE":
                self._known[len(self._known)] = self._stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
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
                module, _, own = argument.partition(" ")
                self._stack.append(_named(module, own))
            case "STACK_GLOBAL":
                own, module = self._stack.pop(), self._stack.pop()
                self._stack.append(_named(module, own))
            case "BINPERSID" if self._persistent is not None:
                self._stack.append(self._made(self._persistent, (self._stack.pop(),)))
            case "REDUCE" | "NEWOBJ":
                arguments, function = self._stack.pop(), self._stack.pop()
                self._stack.append(self._called(function, arguments))
            case "BUILD":
                self._stack.pop()  # attributes, such as the versions of a state dict: not data
                if not isinstance(self._stack[-1], OrderedDict):
                    raise _Refused("it sets the state of what has none")
            case _:
                raise _Refused(f"it has the instruction `{name}`, which plain values do not need")

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
            raise _Refused("a name in it is no text")
        self._stack[-1].update(zip(keys, items[1::2], strict=True))

    def _called(self, function: Any, arguments: Any) -> Any:
        """What a function or class would make, of a table of those that are known."""
        match function, arguments:
            case Named(text), tuple() if text in self._makers:
                return self._made(self._makers[text], arguments)
            case Named(text), (Named(kind), Named("builtins.tuple"), tuple() as items) if (
                text == _RECONSTRUCTED and kind in self._makers
            ):
                return self._made(self._makers[kind], items)
            case Named(text), _:
                name = arguments[0].text if _is_reconstruction(text, arguments) else text
                raise _Refused(f"it calls `{shortened(name)}`, and no code of a file is run")
            case _:
                raise _Refused("it calls what has no name, and no code of a file is run")

    def _made(self, maker: Maker, arguments: tuple[Any, ...]) -> Any:
        try:
            return maker(*arguments)
        except TypeError:
            raise
        except ValueError as error:
            raise _Refused(str(error)) from None


def _is_reconstruction(text: str, arguments: Any) -> bool:
    has_class = isinstance(arguments, tuple) and arguments and isinstance(arguments[0], Named)
    return text == _RECONSTRUCTED and bool(has_class)


def _named(module: Any, own: Any) -> Named:
    if type(module) is not str or type(own) is not str:
        raise TypeError("a name is of two texts")
    if len(module) + len(own) > LONGEST_NAME:
        raise _Refused(f"it names what is longer than {LONGEST_NAME:,} characters")
    return Named(f"{_PYTHON_2.get(module, module)}.{own}")
