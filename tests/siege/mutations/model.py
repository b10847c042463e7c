"""ONNX models by the fields of their messages, and by the texts in their metadata."""

from __future__ import annotations

from contextlib import suppress
from random import Random
from typing import Any

import onnx

from . import TIMES, Mutation, either
from .raw import flipped_bits, mutated_bytes
from .text import mutated_text

TEXTS = ("", "x", "Identity", "If", "Loop", "ai.onnx", "../x", "*/dev/zero", "\x7f", "y" * 2000)
NUMBERS = (0, 1, 2, 7, 100, 2**31 - 1, 2**40)
_TEXT, _BYTES, _MESSAGE = 9, 12, 11
_FLOATS = (1, 2)


def mutated_fields(original: bytes, random: Random) -> bytes:
    """A model with a few fields that are changed, cleared, doubled or taken from elsewhere."""
    model = onnx.ModelProto.FromString(original)
    for _ in range(random.choice(TIMES)):
        places = _places(model)
        if places:
            _change(*random.choice(places), random)
    return bytes(model.SerializeToString())


def _places(model: Any) -> list[tuple[Any, Any]]:
    """Every message of a model, with each field that it has."""
    places: list[tuple[Any, Any]] = []
    waiting = [model]
    while waiting:
        message = waiting.pop()
        for field, value in message.ListFields():
            places.append((message, field))
            if field.type == _MESSAGE:
                waiting += value if field.is_repeated else [value]
    return places


def _change(message: Any, field: Any, random: Random) -> None:
    value = getattr(message, field.name)
    if random.random() < 0.15:
        message.ClearField(field.name)
    elif field.is_repeated:
        at = random.randrange(len(value))
        match random.choice(("drop", "double", "change")):
            case "drop":
                del value[at]
            case "double":
                value.extend([value[at]])
            case _ if field.type != _MESSAGE:
                with suppress(ValueError):  # of a number that the field cannot hold
                    value[at] = _scalar(field, value[at], random)
            case _:
                value[at].CopyFrom(random.choice(list(value)))
    elif field.type != _MESSAGE:
        with suppress(ValueError):
            setattr(message, field.name, _scalar(field, value, random))


def _scalar(field: Any, value: Any, random: Random) -> Any:
    if field.type == _TEXT:
        changed = mutated_text(value.encode(), random).decode("utf-8", "replace")
        return random.choice((changed, changed, *TEXTS))
    if field.type == _BYTES:
        return mutated_bytes(value, random)
    if field.type in _FLOATS:
        return random.choice((0.0, 1.0, float("nan"), float("inf"), 1e30))
    return random.choice((*NUMBERS[: 4 if field.enum_type else None], (value + 1) % 2**31))


def mutated_metadata(original: bytes, random: Random) -> bytes:
    """A model whose metadata say something else."""
    model = onnx.ModelProto.FromString(original)
    item = random.choice(list(model.metadata_props))
    if random.random() < 0.8:
        item.value = mutated_text(item.value.encode(), random).decode("utf-8", "replace")
    else:
        item.key, item.value = random.choice(TEXTS), random.choice(TEXTS)
    return bytes(model.SerializeToString())


mutated_model: Mutation = either(
    mutated_fields, mutated_fields, mutated_fields, mutated_metadata, mutated_bytes, flipped_bits
)
