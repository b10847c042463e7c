"""Rows that differ in length, as one array that is filled up with zeros, and how many count."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.system.memory import available_memory, memory_text
from ...ops.types import NUMBERS


def filled_up(
    steps: NDArray[Any], lengths: NDArray[np.int64], shape: tuple[int, ...]
) -> NDArray[Any]:
    """The steps of all rows, (steps, axes…), as rows of a shape, (rows, longest, axes…).

    `lengths` are (rows,). A row without any step is missing: NaN throughout, as numbers are.
    Raises DiagnosticError where the rows do not fit into memory.
    """
    empty = lengths <= 0
    dtype = missing_type(steps.dtype) if empty.any() else steps.dtype
    size, there = prod(shape) * dtype.itemsize, available_memory()
    if there is not None and size > there:
        message = f"rows that are filled up take {memory_text(size)}, and there is less"
        raise fail("E512", message, help="cut the longest rows, or leave them out")
    rows = np.zeros(shape, dtype)
    rows[np.arange(shape[1]) < lengths[:, None]] = steps
    if empty.any():
        rows[empty] = nothing(dtype)
    return rows


def missing_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """A type that holds what one does, and what is missing."""
    return np.result_type(dtype, np.float16) if dtype.kind in NUMBERS else dtype


def nothing(dtype: np.dtype[Any]) -> Any:
    """What stands for a missing value: NaN, or an empty text."""
    return np.nan if dtype.kind == "f" else ""


def differing(name: str) -> Exception:
    """What is raised where rows differ in what nothing says how to fill up."""
    message = f"lists of `{name}` differ in length"
    remedy = f"fill them up with zeros, and say in `{name}.lengths` how many count"
    return fail("E502", message, help=remedy)
