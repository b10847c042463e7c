"""Raw data in Python: a torch `Dataset` whose items are dicts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from ...compiler.diagnostics.diagnostic import fail
from .columns import Numbers, Values, of_texts
from .data import Column, Content, RawData

IN_MEMORY = "the dataset"
_KEPT = 64
"""Samples that are kept, since each column of one is read by itself."""


def of_dataset(dataset: Any) -> RawData:
    """Every sample's entries by name: tensors and arrays, numbers, texts, bytes and pictures.

    Raises DiagnosticError where a sample is no dict, or the dataset has no length.
    """
    try:
        samples = len(dataset)
    except TypeError:
        message = "the dataset has no length, so that its samples have no order"
        raise fail("E504", message, help="give a `Dataset` with `__len__`") from None
    item = lru_cache(_KEPT)(partial(_item, dataset))
    first = item(0) if samples else {}
    columns = {name: _column(item, name, value, samples) for name, value in first.items()}
    return RawData(IN_MEMORY, samples, columns, {})


def _item(dataset: Any, sample: int) -> Mapping[str, Any]:
    item = dataset[sample]
    if isinstance(item, Mapping) and all(isinstance(name, str) for name in item):
        return item
    message = f"sample {sample + 1} of the dataset is {type(item).__name__}, not a dict of names"
    raise fail("E504", message, help="give `{'image': …, 'text': …, 'labels': …}` for each sample")


def _column(item: Any, name: str, first: Any, samples: int) -> Column:
    """A column; plain numbers and texts are read once for all samples."""
    if isinstance(first, bool | int | float | str) or (_is_array(first) and np.ndim(first) == 0):
        values = [item(sample).get(name) for sample in range(samples)]
        if isinstance(first, str):
            return of_texts(IN_MEMORY, name, ["" if v is None else str(v) for v in values], Path())
        return Numbers(IN_MEMORY, name, np.array([np.nan if v is None else v for v in values]))
    medium = "picture" if _is_picture(first) else None
    return Values(IN_MEMORY, name, medium, partial(_value, item, name))


def _is_array(value: Any) -> bool:
    return hasattr(value, "__array__") and hasattr(value, "dtype")


def _is_picture(value: Any) -> bool:
    return type(value).__module__.startswith("PIL.")


def _value(item: Any, name: str, sample: int) -> Content | None:
    value = item(sample).get(name)
    if value is None or isinstance(value, bytes | str):
        return value
    return np.asarray(value)
