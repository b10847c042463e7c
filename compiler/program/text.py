"""A Program as text: its values in SSA form, one on a line, each with its type and scope.

    input feature Video : (batch, t 8, c 512)

    parameter weight head.W[512, 3] = uniform ±0.04

    %0 = input Video : (batch, t 8, c 512) @ Video
    …
    %7 = linear(%5, %6) : (batch, channels 3) @ head
    return %7

A value is named by its position. A name that is no identifier stands in quotes, with the escapes of
JSON; a size known only at run time is `*`; a tuple stands in parentheses; what `#` begins is a
comment. `program_parser` reads the text back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ...ops.types import Axis, TensorType
from ..diagnostics.text import json_text
from .program import INPUT, PARAMETER, Input, ParameterSpec, Program, Value

BATCH = "batch"
"""What stands for the batch axis, before the axes of a batched type."""
LITERALS: dict[str, Any] = {
    "none": None,
    "true": True,
    "false": False,
    "inf": float("inf"),
    "nan": float("nan"),
}
"""Attributes that are words."""
_WORD = re.compile(r"[^\W\d]\w*")
_PATH = re.compile(rf"{_WORD.pattern}(?:\.{_WORD.pattern})*")


def print_program(program: Program) -> str:
    """The canonical text of a Program; parsing it gives an equal Program."""
    groups = (
        [_input(item) for item in program.inputs],
        [_parameter(spec) for spec in program.parameters],
        [f"%{index} = {_value(value)}" for index, value in enumerate(program.values)]
        + [f"return %{program.output}"],
    )
    return "\n\n".join("\n".join(lines) for lines in groups if lines) + "\n"


def type_text(type: TensorType) -> str:
    """A type as it is written: `(batch, length 8, channels 128)`."""
    return _listed([*([BATCH] if type.batched else []), *map(_axis, type.axes)])


def _input(item: Input) -> str:
    return f"input {item.kind} {_name(item.name)} : {type_text(item.type)}"


def _parameter(spec: ParameterSpec) -> str:
    sizes = ", ".join(map(str, spec.sizes))
    initial = spec.initial if isinstance(spec.initial, str) else _attribute(spec.initial)
    bound = f" ±{_attribute(spec.bound)}" if spec.bound else ""
    rows = f" of {_listed(map(_name, spec.rows))}" if spec.rows else ""
    return f"parameter {spec.kind} {_name(spec.name)}[{sizes}] = {initial}{bound}{rows}"


def _value(value: Value) -> str:
    if value.primitive in (INPUT, PARAMETER):
        text = f"{value.primitive} {_name(value.name)}"
    else:
        text = f"{_name(value.primitive)}{_listed(f'%{a}' for a in value.arguments)}"
        settings = [f"{_name(key)} = {_attribute(item)}" for key, item in value.attributes]
        text += f" {{{', '.join(settings)}}}" if settings else ""
    scope = ".".join(_quoted(part, _WORD) for part in value.scope)
    return f"{text} : {type_text(value.type)}" + (f" @ {scope}" if scope else "")


def _attribute(value: Any) -> str:
    """An attribute: a number, string, truth value, None, an axis, or a tuple of these."""
    match value:
        case None | bool():
            return str(value).lower()
        case int() | float():
            return repr(value)
        case str():
            return _string(value)
        case Axis():
            return _axis(value)
        case tuple():
            return _listed(map(_attribute, value))
        case _:
            raise TypeError(f"a {type(value).__name__} is no attribute")


def _axis(axis: Axis) -> str:
    name = _string(BATCH) if axis.name == BATCH else _quoted(axis.name, _WORD)
    return f"{name} {'*' if axis.size is None else axis.size}"


def _listed(items: Iterable[str]) -> str:
    return f"({', '.join(items)})"


def _name(text: str) -> str:
    return _quoted(text, _PATH)


def _quoted(text: str, plain: re.Pattern[str]) -> str:
    return text if plain.fullmatch(text) else _string(text)


def _string(text: str) -> str:
    """A string in quotes; what cannot be seen is escaped, so that a text can be read and saved."""
    return json_text(text)
