"""Parquet files: a column for each array, of numbers, texts, or lists of one length."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from io import BufferedReader
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from .. import arrow_columns
from ..arrow_columns import columns_of, reading, within_memory
from ..arrow_types import pyarrow
from ..columns import Column, arrays_of
from . import ArrayHeader, headers_of

ENDINGS = (".parquet", ".pq")
UNREADABLE = arrow_columns.UNREADABLE
_ROWS = 1 << 16
"""Rows that are read at a time."""
MOST_COUNTED = 1 << 22
"""Numbers in lists beyond which the first row and their count say that all rows are alike."""
_INSIDE = re.compile(r"(\.list\.(element|item))+$")
"""What Parquet calls the inside of lists."""


def headers(stream: BufferedReader, file: Path) -> Mapping[str, ArrayHeader]:
    """The headers of the arrays that its columns make."""
    with reading():
        return headers_of(_columns(stream), file)


def array(stream: BufferedReader, name: str) -> NDArray[Any]:
    """The array of this name."""
    with reading():
        found = arrays_of(_columns(stream))[name]
        return found.read()


def read_table(stream: BufferedReader) -> Any:
    """Arrow's table of a file, in memory, whose columns are not checked; raises what Arrow does."""
    stream.seek(0)
    file = pyarrow("parquet").ParquetFile(stream)
    batches = within_memory(file.iter_batches(_ROWS, use_threads=False))
    return pyarrow().Table.from_batches(batches, file.schema_arrow)


def _columns(stream: BufferedReader) -> dict[str, Column]:
    stream.seek(0)
    file = pyarrow("parquet").ParquetFile(stream)
    rows = int(file.metadata.num_rows)

    counts = _counts(file.metadata)

    def looked(name: str) -> Iterator[Any]:
        if rows and (batches := file.iter_batches(1, columns=[name], use_threads=False)):
            row = next(batches).column(name)
            count = counts.get(name, 0)
            if count > MOST_COUNTED and len(row) and count == rows * _numbers(row):
                return iter([row])
        return read(name)

    def read(name: str) -> Iterator[Any]:
        for batch in within_memory(file.iter_batches(_ROWS, columns=[name], use_threads=False)):
            column = batch.column(name)
            column.validate(full=True)
            yield column

    return columns_of(file.schema_arrow, rows, looked, read)


def _numbers(row: Any) -> int:
    """How many numbers or texts one row has."""
    while hasattr(row, "flatten") and len(row):
        row = (row.storage if hasattr(row.type, "storage_type") else row).flatten()
    return len(row)


def _counts(metadata: Any) -> dict[str, int]:
    """How many values each column has that is one of numbers or of texts, or lists of these."""
    counts: dict[str, int] = {}
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        for place in range(row_group.num_columns):
            chunk = row_group.column(place)
            name = _INSIDE.sub("", str(chunk.path_in_schema))
            counts[name] = counts.get(name, 0) + int(chunk.num_values)
    return counts
