"""Folders to which Hugging Face's `datasets` saves: one of a dataset, or one for each split.

`datasets` is not needed. The files that a folder names stand in it, and nothing of it is run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....compiler.diagnostics.diagnostic import fail
from ....compiler.system.files import is_file, open_file, read_text
from .. import arrow_columns
from ..arrow_columns import reading
from ..columns import Column, arrays_of, texts
from . import ArrayHeader, headers_of
from .arrow import ArrowTable, read_table, together

SPLITS, STATE = "dataset_dict.json", "state.json"
MARKS = (SPLITS, STATE)
UNREADABLE = arrow_columns.UNREADABLE
MOST_FILES = 10_000


def files(folder: Path) -> Sequence[Path]:
    """The files with the rows, and those that name them."""
    if not is_file(folder / SPLITS):
        return [folder / STATE, *_files(folder)]
    return [folder / SPLITS, *(file for name in _splits(folder) for file in files(folder / name))]


def headers(folder: Path) -> Mapping[str, ArrayHeader]:
    """The headers of the arrays that the columns make."""
    with reading():
        return headers_of(_columns(folder), folder)


def array(folder: Path, name: str) -> NDArray[Any]:
    """The array of this name."""
    with reading():
        return arrays_of(_columns(folder))[name].read()


def _columns(folder: Path) -> dict[str, Column]:
    """The columns of all rows, with the `split` of each where there are several splits."""
    table, split = saved_table(folder)
    if split is None or "split" in table.schema.names:
        return table.columns()
    return table.columns({"split": Column.of(split)})


def saved_table(folder: Path) -> tuple[ArrowTable, NDArray[np.str_] | None]:
    """All rows that a folder holds, and the split of each where there are several.

    Raises what Arrow does, ValueError where the folder is damaged, and DiagnosticError.
    """
    if not is_file(folder / SPLITS):
        return _table(folder), None
    names = _splits(folder)
    tables = [_table(folder / name) for name in names]
    split = np.repeat(texts(names, "split"), [table.rows for table in tables])
    return together(tables), split


def _table(folder: Path) -> ArrowTable:
    """The rows of one dataset; raises DiagnosticError where it selects among those of its files."""
    if _document(folder / STATE).get("_indices_files"):
        message = f"`{folder}` is a selection of the rows in its files"
        raise fail("E504", message, help="save it after `flatten_indices()`")
    tables: list[ArrowTable] = []
    for file in _files(folder):
        with open_file(file) as stream:
            tables.append(read_table(stream))
    return together(tables)


def _splits(folder: Path) -> list[str]:
    names = _document(folder / SPLITS).get("splits")
    return _plain_names(names, SPLITS)


def _files(folder: Path) -> list[Path]:
    entries = _document(folder / STATE).get("_data_files")
    match entries:
        case [*records] if all(isinstance(record, dict) for record in records):
            names = [record.get("filename") for record in records]
        case _:
            names = []
    return [folder / name for name in _plain_names(names, STATE)]


def _document(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(read_text(file))
    except (ValueError, RecursionError):
        raise ValueError(f"`{file.name}` is no JSON") from None
    return document if isinstance(document, dict) else {}


def _plain_names(names: Any, where: str) -> list[str]:
    """Names of what stands in a folder; raises ValueError where they lead elsewhere."""
    known: list[Any] = names if isinstance(names, list) else []
    plain = all(isinstance(n, str) and n and n == Path(n).name and n != ".." for n in known)
    if not plain or not known or len(known) > MOST_FILES:
        raise ValueError(f"`{where}` does not name what stands beside it")
    return known
