"""Columns of Arrow tables, as Parquet and Hugging Face datasets hold them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ...compiler.diagnostics.diagnostic import fail
from ..extras import needed
from .columns import Numbers, Values, cell, of_texts
from .data import Column, Content


def columns_of(
    table: Any, source: str, root: Path, media: Mapping[str, str] | None = None
) -> dict[str, Column]:
    """The columns of a table; `media` are those that are known of some of them."""
    return {
        name: _column(table.column(name), source, name, root, (media or {}).get(name))
        for name in table.column_names
    }


def _column(column: Any, source: str, name: str, root: Path, medium: str | None) -> Column:
    types = needed("pyarrow", "formats").types
    kind = column.type
    if types.is_string(kind) or types.is_large_string(kind):
        return of_texts(source, name, [text or "" for text in column.to_pylist()], root)
    if types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind):
        return Numbers(source, name, _numbers(column))
    if types.is_dictionary(kind):
        return _column(column.cast(kind.value_type), source, name, root, medium)
    return Values(source, name, medium, partial(_value, column, source, name))


def _numbers(column: Any) -> Any:
    if column.null_count:
        return np.array([np.nan if one is None else one for one in column.to_pylist()], np.float64)
    return np.asarray(column.to_numpy())


def _value(column: Any, source: str, name: str, sample: int) -> Content | None:
    """A value of bytes, of `{bytes, path}` as Hugging Face stores files, or of a list."""
    value: Any = column[sample].as_py()
    if isinstance(value, dict) and "bytes" in value:
        value = value["bytes"]
    if value is None or isinstance(value, bytes | str):
        return value
    try:
        return np.asarray(value, np.float32)
    except (TypeError, ValueError):
        message = f"{cell(source, name, sample)} is {column.type}, which no decoder takes"
        raise fail("E504", message, help="store bytes, texts, or lists of numbers") from None
