"""Arrays of data as they mean the same whatever held them: float32, and whole numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.network.names import (
    CLASS_NAMES,
    LABELS,
    class_names_name,
    labels_name,
    lengths_name,
    presence_name,
)
from ...ops.types import NUMBERS
from .files import StoredArrays
from .kinds import TEXTS, as_texts
from .rows import Rows, rows_of
from .split import SPLIT, split_numbers

GROUPS = "groups"
PER_SAMPLE = (LABELS, SPLIT, GROUPS)
"""Arrays that belong to no modality."""
_ENDINGS = (lengths_name(""), presence_name(""), labels_name(""), class_names_name(labels_name("")))


def is_feature(name: str) -> bool:
    """Whether an array of data may be a feature, by its name."""
    return name not in (*PER_SAMPLE, CLASS_NAMES) and not name.endswith(_ENDINGS)


def canonical(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """An array that is no feature, whole, as every format holds the same.

    Groups are numbered in the order of their names, and so are labels that are texts; labels that
    are all whole numbers are integers. Raises DiagnosticError for what is no number there.
    """
    if name == CLASS_NAMES:
        return as_texts(array)
    if name == SPLIT:
        return split_numbers(array)
    if name == GROUPS or (name == LABELS and array.dtype.kind in TEXTS):
        return np.unique(array, return_inverse=True)[1].astype(np.int64)
    if array.dtype.kind not in NUMBERS:
        raise fail("E503", f"`{name}` holds {array.dtype}, not numbers")
    if array.dtype.kind == "f" and not _are_whole(array):
        if name == LABELS:
            return array.astype(np.float32)
        raise fail("E503", f"`{name}` are not all whole numbers")
    return array.astype(np.int64)


def _are_whole(array: NDArray[Any]) -> bool:
    return bool(np.isfinite(array).all() and np.array_equal(array, np.floor(array)))


def canonical_blocks(arrays: Mapping[str, Rows], name: str, count: int) -> Iterator[NDArray[Any]]:
    """An array as consecutive rows, so many at a time; a feature as float32.

    Raises DiagnosticError for what is no number, or cannot be read.
    """
    if not is_feature(name):
        yield from _parts(canonical(name, np.asarray(arrays[name])), count)
        return
    for block in _blocks(arrays, name, count):
        if block.dtype.kind not in NUMBERS:
            raise fail("E502", f"`{name}` holds {block.dtype}, not numbers")
        yield block.astype(np.float32, copy=False)


def _blocks(arrays: Mapping[str, Rows], name: str, count: int) -> Iterator[NDArray[Any]]:
    if isinstance(arrays, StoredArrays):
        return arrays.blocks(name, count)
    return _parts(rows_of(arrays[name]), count)


def _parts(whole: Rows, count: int) -> Iterator[NDArray[Any]]:
    return (whole[start : start + count] for start in range(0, len(whole), count))
