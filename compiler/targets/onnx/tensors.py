"""What is in ONNX files: messages in messages, and tensors, whose numbers may lie elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from onnx import TensorProto
from onnx.external_data_helper import uses_external_data

from ...diagnostics.diagnostic import fail

HIGHEST_RANK = 16
"""How many axes a tensor may have."""
_ADDRESS = "*"
"""ONNX Runtime takes a location that begins so for an address in memory."""
_WIDTHS: Final[Mapping[int, int]] = {
    TensorProto.FLOAT: 4,
    TensorProto.FLOAT16: 2,
    TensorProto.INT64: 8,
    TensorProto.INT32: 4,
    TensorProto.INT8: 1,
    TensorProto.UINT8: 1,
    TensorProto.BOOL: 1,
    TensorProto.DOUBLE: 8,
}
"""Bytes of a number, by the types that models are written with, those of backbones too."""


def parts_of(message: Message) -> Iterator[Message]:
    """A protobuf message and every message in it, however deep: nodes, attributes, tensors."""
    waiting = [message]
    while waiting:
        part = waiting.pop()
        yield part
        for descriptor, value in part.ListFields():
            if descriptor.message_type is not None:
                waiting += [value] if isinstance(value, Message) else value


def is_text(message: Message) -> bool:
    """Whether the texts of a message are such; protobuf gives bytes for those that are not."""
    for descriptor, value in message.ListFields():
        if descriptor.type == FieldDescriptor.TYPE_STRING:
            values = [value] if isinstance(value, (str, bytes)) else value
            if not all(isinstance(text, str) for text in values):
                return False
    return True


def require_stored(tensor: TensorProto, path: Path) -> None:
    """Raises DiagnosticError where a tensor of the file at `path` has not as many numbers as it
    says, of a type that Fusewright writes, in the file or in one of its folder."""
    width = _WIDTHS.get(tensor.data_type)
    if width is None or len(tensor.dims) > HIGHEST_RANK or min(tensor.dims, default=0) < 0:
        message = f"`{path}` holds the tensor `{tensor.name}`, which Fusewright does not write"
        raise fail("E504", message, help="was it written by Fusewright?")
    needed = prod(tensor.dims) * width
    if uses_external_data(tensor):
        _require_place(tensor, path, needed)
        return
    apart = max(len(tensor.float_data), len(tensor.int32_data), len(tensor.int64_data))
    if needed != (width * apart if apart else len(tensor.raw_data)):
        message = f"the tensor `{tensor.name}` of `{path}` is not as large as it says"
        raise fail("E504", message, help="compile it again: the file is damaged")


def _require_place(tensor: TensorProto, path: Path, needed: int) -> None:
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location, folder = entries.get("location", ""), path.resolve().parent
    try:
        place = (folder / location).resolve()
        outside = not location or location.startswith(_ADDRESS) or not place.is_relative_to(folder)
        size = place.stat().st_size if not outside and place.is_file() else None
        first, count = int(entries.get("offset", 0)), int(entries.get("length", needed))
    except (OSError, ValueError):
        message = f"`{path}` does not say where the weight `{tensor.name}` lies"
        raise fail("E504", message, help="compile it again") from None
    if outside:
        message = f"`{path}` reads weights from outside of its folder: `{location}`"
        raise fail("E504", message, help="do not trust this file")
    if size is None:
        message = f"the weights `{location}` of `{path}` are missing"
        raise fail("E504", message, help="keep the two files together")
    inside = 0 <= first <= size - needed and count == needed
    if len(entries) < len(tensor.external_data) or not inside:
        message = f"the weight `{tensor.name}` of `{path}` does not lie in `{location}`"
        raise fail("E504", message, help="compile it again: a file is damaged or cut short")
