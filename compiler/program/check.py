"""What a primitive computes, asked by a Program's text, which nobody need have made by lowering."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from inspect import Signature, signature
from typing import Any

from ...ops.primitive import Primitive, primitives
from ...ops.types import ShapeError, TensorType
from ..diagnostics.diagnostic import did_you_mean, fail, one_of
from ..diagnostics.source import Span
from .text import type_text
from .tokens import quoted


def primitive_named(name: str, place: Span) -> Primitive:
    """The primitive of that name; raises DiagnosticError where there is none."""
    record = primitives().get(name)
    if record is None:
        remedy = did_you_mean(name, primitives()) or "write one that lowering or a pass makes"
        raise fail("E203", f"unknown primitive {quoted(name)}", place, help=remedy)
    return record


def computed_type(
    record: Primitive, types: Sequence[TensorType], attributes: Mapping[str, Any], place: Span
) -> TensorType:
    """The type that a primitive computes of values of those types.

    Raises DiagnosticError where it takes other values or attributes.
    """
    _require_fitting(record, types, attributes, place)
    try:
        return record.type(*types, **attributes)
    except ShapeError as error:
        remedy = f"what it is applied to is {', '.join(map(type_text, types)) or 'nothing'}"
        raise fail("E302", str(error), place, help=remedy) from None
    # An attribute of the wrong kind goes wrong wherever the rule first uses it.
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        message = f"`{record.name}` means nothing for these values and attributes"
        remedy = "write them as lowering or a pass does"
        raise fail("E306", message, place, help=remedy) from None


def _require_fitting(
    record: Primitive, types: Sequence[TensorType], attributes: Mapping[str, Any], place: Span
) -> None:
    """Raises DiagnosticError where a primitive takes other attributes, or more or fewer values."""
    called, declared = _signature(record), {a.name for a in record.attributes}
    remedy = f"it takes {one_of([*called.parameters])}"
    for name in attributes:
        if name not in (declared if record.owns else called.parameters):
            message = f"`{record.name}` has no attribute {quoted(name)}"
            help = did_you_mean(name, called.parameters) or remedy
            raise fail("E206", message, place, help=help)
    for name in called.parameters:
        if name in declared and name not in attributes:
            message = f"`{record.name}` lacks its attribute `{name}`"
            raise fail("E206", message, place, help=f"write `{{{name} = …}}` behind its values")
    try:
        called.bind(*types, **attributes)
        takes = record.takes(len(types)) or record.owns is not None
    except TypeError:
        takes = False
    if not takes:
        given = f" with {one_of([*attributes])}" if attributes else ""
        message = f"`{record.name}` does not take {len(types)} values{given}"
        raise fail("E301", message, place, help=remedy)


@cache
def _signature(record: Primitive) -> Signature:
    """What a primitive's reference takes: its values, then its attributes."""
    called = signature(record.numpy)
    own = {"np", "training"} if record.modal else {"np"}
    taken = [p for name, p in called.parameters.items() if name not in own]
    return called.replace(parameters=taken)
