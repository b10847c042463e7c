"""The number types of a store, by name; options name them, so nothing is imported for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NumberType:
    """A type as safetensors names it, as numpy holds its bits, and as it is read."""

    tensor: str
    bits: str
    read: str

    @property
    def size(self) -> int:
        """Bytes of a number."""
        return int(self.bits[2:])


NUMBER_TYPES: Mapping[str, NumberType] = {
    "float32": NumberType("F32", "<f4", "<f4"),
    "float16": NumberType("F16", "<f2", "<f4"),
    "bfloat16": NumberType("BF16", "<u2", "<f4"),
    "int64": NumberType("I64", "<i8", "<i8"),
}
"""By its name in a manifest. numpy has no bfloat16: its bits are those of half a float32."""
FEATURE_TYPES = ("float32", "float16", "bfloat16")
