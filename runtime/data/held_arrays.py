"""One array of what Python holds: of numpy, torch, Arrow or a frame, or a list of such."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from ...compiler.diagnostics.diagnostic import fail
from ...ops.types import NUMBERS
from .arrow_columns import columns_of_table
from .arrow_types import pyarrow
from .canonical import PER_SAMPLE
from .rows import Array


def array_of(name: str, value: Any) -> Array:
    """An array, tensor, column or list as an array; one of arrays or lists of one shape is stacked.

    Raises DiagnosticError where it is none.
    """
    if isinstance(value, np.ma.MaskedArray):
        return _filled(name, value)
    if isinstance(value, np.ndarray):
        array = cast(Array, value)
        return stacked(name, array.tolist()) if array.dtype.hasobject else array
    if isinstance(getattr(value, "dtype", None), np.dtype) and not hasattr(value, "to_numpy"):
        return cast(Array, value)
    if is_of(value, "torch") and hasattr(value, "detach"):
        tensor = value.detach().cpu()
        return cast(Array, (tensor if has_numpy(tensor) else tensor.float()).numpy())
    if is_of(value, "pyarrow"):
        return columns_of_table(pyarrow().table({name: value}))[name].read()
    if hasattr(value, "to_numpy"):
        return array_of(name, np.asarray(value.to_numpy()))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return stacked(name, value)
    array = np.asarray(value)
    if array.dtype.hasobject:
        raise no_array(name, value)
    return array


def _filled(name: str, masked: Any) -> Array:
    """An array with a mask as one with NaN where numbers are masked."""
    if not np.ma.is_masked(masked):
        return np.asarray(masked.data)
    if masked.dtype.kind not in NUMBERS:
        raise no_array(name, None)
    wide = masked.astype(np.result_type(masked.dtype, np.float32))
    return np.asarray(wide.filled(np.nan))


def is_of(value: Any, library: str) -> bool:
    """Whether a value's class, or one that it is made from, is of a library."""
    return any(of.__module__.partition(".")[0] == library for of in type(value).__mro__)


def has_numpy(tensor: Any) -> bool:
    """Whether numpy has the type of a tensor; it has no bfloat16, whatever is registered there."""
    return hasattr(np, str(tensor.dtype).removeprefix("torch."))


def stacked(name: str, items: Sequence[Any]) -> Array:
    """Items as one array: texts, numbers, or arrays of one shape."""
    if all(isinstance(item, str) for item in items):
        return np.array(items, np.str_)
    if any(item is None for item in items):
        raise no_array(name, None)
    try:
        rows = [item if np.isscalar(item) else array_of(name, item) for item in items]
        array: Array = np.array(rows)
    except ValueError:
        message = f"rows of `{name}` differ in shape"
        remedy = f"fill them up with zeros, and say in `{name}.lengths` how many count"
        raise fail("E502", message, help=remedy) from None
    if array.dtype.hasobject:
        raise no_array(name, next(item for item in items if not np.isscalar(item)))
    return array


def no_array(name: str, value: Any) -> Exception:
    kind = type(value).__name__
    message = f"`{name}` has `{kind}`, which is no array of numbers or texts"
    code = "E503" if name in PER_SAMPLE else "E502"
    return fail(code, message, help="missing values are to be filled, or their samples left out")
