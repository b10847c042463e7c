"""Numbers of a store: as the bits that lie in a shard, and as they are read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.system.tensors import widened
from .types import NUMBER_TYPES

_HIGH_HALF, _QUIET = 16, 0x40
_CHUNK = 1 << 15
_SMALL = 65504.0


def encoded(array: NDArray[Any], dtype: str, name: str) -> NDArray[Any]:
    """The bits of numbers in a type, contiguous.

    Raises DiagnosticError where a finite number would become infinite, or a whole one another.
    """
    if dtype == "int64":
        whole = array.astype(np.int64)
        if not np.array_equal(whole, array):
            raise fail(
                "E513", f"`{name}` has numbers that are not whole, and {dtype} holds no others"
            )
        return np.ascontiguousarray(whole)
    with np.errstate(over="ignore", invalid="ignore"):
        single = array.astype(np.float32, copy=False)
        narrow = single.astype(np.float16) if dtype == "float16" else single
    bits = _bfloat16(single) if dtype == "bfloat16" else narrow
    if not _are_small(array) and not np.array_equal(
        np.isinf(decoded(bits, dtype)), np.isinf(array)
    ):
        remedy = "store it as float32" if dtype == "float32" else "store it as float32 or bfloat16"
        raise fail("E513", f"`{name}` has numbers too large for {dtype}", help=remedy)
    return np.ascontiguousarray(bits)


def _are_small(array: NDArray[Any]) -> bool:
    """Whether every type holds numbers of their size; not where one is NaN."""
    return not array.size or bool(array.min() >= -_SMALL and array.max() <= _SMALL)


def decoded(bits: NDArray[Any], dtype: str) -> NDArray[Any]:
    """The numbers of bits, as float32 or int64."""
    if dtype != "bfloat16":
        return bits.astype(NUMBER_TYPES[dtype].read, copy=False)
    return widened(bits)


def _bfloat16(single: NDArray[np.float32]) -> NDArray[np.uint16]:
    """The nearest bfloat16 to each number, to an even one where two are; NaN stays NaN."""
    plain = np.ascontiguousarray(single).reshape(-1)
    nearest = np.empty(plain.shape, np.uint16)
    for start in range(0, len(plain), _CHUNK):
        part = plain[start : start + _CHUNK]
        bits = part.view(np.uint32)
        half = bits >> _HIGH_HALF
        rounded = (bits + (half & 1) + np.uint32(0x7FFF)) >> _HIGH_HALF
        nearest[start : start + _CHUNK] = np.where(np.isnan(part), half | _QUIET, rounded)
    return nearest.reshape(single.shape)
