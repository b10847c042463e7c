"""Parquet files: a column for each array, of numbers, texts, or lists of one length."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from io import BufferedReader
from math import prod
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from .. import arrow_columns
from ..arrow_columns import columns_of, pyarrow, reading, within_memory
from ..columns import Column, arrays_of
from . import ArrayHeader, headers_of

ENDINGS = (".parquet", ".pq")
UNREADABLE = arrow_columns.UNREADABLE
_ROWS = 1 << 16
"""Rows that are read at a time."""
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

    def first(name: str) -> Any:
        batch = next(file.iter_batches(batch_size=1, columns=[name], use_threads=False))
        return batch.column(name)

    def read(name: str) -> Iterator[Any]:
        for batch in within_memory(file.iter_batches(_ROWS, columns=[name], use_threads=False)):
            column = batch.column(name)
            column.validate(full=True)
            yield column

    columns = columns_of(file.schema_arrow, rows, first, read)
    counts = _counts(file.metadata)
    return {
        name: Column(c.shape, c.kind, partial(_read, name, c, counts))
        for name, c in columns.items()
    }


def _read(name: str, column: Column, counts: Mapping[str, int]) -> NDArray[Any]:
    """A column, where it has as many values as its shape takes, by the metadata of the file."""
    if column.kind != "V" and counts.get(name, prod(column.shape)) != prod(column.shape):
        raise arrow_columns.ragged(name)
    return column.read()


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
