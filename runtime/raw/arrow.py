"""Columns of Arrow tables, as Parquet and Hugging Face datasets hold them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ...compiler.diagnostics.diagnostic import DiagnosticError, fail
from ...compiler.system.files import reason
from ..data.arrow_columns import UNREADABLE, class_labels, features_of, reading
from ..data.arrow_types import pyarrow
from .columns import Numbers, Values, cell, file_content, of_texts
from .data import Column, Content

_MEDIA = {"Image": "picture", "Audio": "sound", "Video": "video"}
"""What `datasets` calls a column of files, and who decodes these."""

_UNREADABLE: tuple[type[Exception], ...] = (OSError, ValueError, MemoryError, *UNREADABLE)


def columns_of(table: Any, source: str, root: Path) -> dict[str, Column]:
    """The columns of a table, each of which is checked as a whole before it is used.

    Raises what Arrow does, and ValueError where a column stands there twice.
    """
    if len(set(table.column_names)) < table.num_columns:
        raise ValueError("a column stands in it twice")
    kinds = {name: str(said.get("_type")) for name, said in features_of(table.schema).items()}
    columns: dict[str, Column] = {}
    for name in table.column_names:
        column = table.column(name)
        column.validate(full=True)
        columns[name] = _column(column, source, name, root, _MEDIA.get(kinds.get(name, "")))
    return columns


def class_names(schema: Any) -> dict[str, tuple[str, ...]]:
    """What classes are called by column, where a schema says so."""
    return {name: tuple(names) for name, names in class_labels(schema).items()}


def _column(column: Any, source: str, name: str, root: Path, medium: str | None) -> Column:
    types = pyarrow("types")
    kind = column.type
    if types.is_string(kind) or types.is_large_string(kind):
        return of_texts(source, name, [text or "" for text in column.to_pylist()], root)
    if types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind):
        return Numbers(source, name, _numbers(column))
    if types.is_dictionary(kind):
        return _column(column.cast(kind.value_type), source, name, root, medium)
    return Values(source, name, medium, partial(_value, column, source, name, root))


def _numbers(column: Any) -> Any:
    if column.null_count:
        return np.array([np.nan if one is None else one for one in column.to_pylist()], np.float64)
    return np.asarray(column.to_numpy())


def _value(column: Any, source: str, name: str, root: Path, sample: int) -> Content | None:
    """A value of bytes, of `{bytes, path}` as Hugging Face stores files, or of a list.

    A path without bytes is that of a file below `root`.
    """
    try:
        with reading():
            value: Any = column[sample].as_py()
        if isinstance(value, dict) and "bytes" in value:
            path = value.get("path")
            if value["bytes"] is None and path and isinstance(path, str):
                return file_content(path, root, cell(source, name, sample))
            value = value["bytes"]
        if value is None or isinstance(value, bytes | str):
            return value
        return np.asarray(value, np.float32)
    except DiagnosticError:
        raise
    except _UNREADABLE as error:
        message = f"{cell(source, name, sample)} is {column.type}, which no decoder takes"
        remedy = f"store bytes, texts, or lists of numbers ({reason(error)})"
        raise fail("E504", message, help=remedy) from None
