"""Arrow's files and streams, which Feather's second version is too: a column for each array."""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from .. import arrow_columns
from ..arrow_columns import columns_of, reading, within_memory
from ..arrow_types import pyarrow
from ..columns import Column, arrays_of
from . import ArrayHeader, headers_of

ENDINGS = (".arrow", ".feather")
UNREADABLE = arrow_columns.UNREADABLE
_MAGIC = b"ARROW1"


@dataclass(frozen=True)
class ArrowTable:
    """A table whose batches of rows stay in their file until they are used."""

    schema: Any
    batches: tuple[Any, ...]

    @property
    def rows(self) -> int:
        return sum(batch.num_rows for batch in self.batches)

    @property
    def whole(self) -> Any:
        """Arrow's own table of it, whose columns are not checked."""
        return pyarrow().Table.from_batches(self.batches, self.schema)

    def columns(self, names: Mapping[str, Column] | None = None) -> dict[str, Column]:
        """Its columns by name, with others beside them."""
        return columns_of(self.schema, self.rows, self._looked, self._read) | {**(names or {})}

    def _looked(self, name: str) -> Iterator[Any]:
        for batch in self.batches:
            column = batch.column(name)
            column.validate()
            yield column

    def _read(self, name: str) -> Iterator[Any]:
        return (_checked(batch, name) for batch in self.batches)


def _checked(batch: Any, name: str) -> Any:
    column = batch.column(name)
    column.validate(full=True)
    return column


def headers(stream: BufferedReader, file: Path) -> Mapping[str, ArrayHeader]:
    """The headers of the arrays that its columns make."""
    with reading():
        return headers_of(read_table(stream).columns(), file)


def array(stream: BufferedReader, name: str) -> NDArray[Any]:
    """The array of this name."""
    with reading():
        return arrays_of(read_table(stream).columns())[name].read()


def read_table(stream: BufferedReader) -> ArrowTable:
    """The table of a file that is open, which may be closed then; raises what Arrow does."""
    arrow, ipc = pyarrow(), pyarrow("ipc")
    content = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    buffer = arrow.py_buffer(content)
    source, unpacked = arrow.BufferReader(buffer), partial(_bytes_beside, buffer)
    if content[: len(_MAGIC)] == _MAGIC:
        file = ipc.open_file(source)
        batches = map(file.get_batch, range(file.num_record_batches))
        return ArrowTable(file.schema, tuple(within_memory(batches, unpacked)))
    reader = ipc.open_stream(source)
    return ArrowTable(reader.schema, tuple(within_memory(reader, unpacked)))


def _bytes_beside(file: Any, batch: Any) -> int:
    """The bytes of a batch that do not stand in its file, which is mapped: what was packed."""
    buffers = [buffer for column in batch.columns for buffer in column.buffers() if buffer]
    beside = [b for b in buffers if not 0 <= b.address - file.address < max(file.size, 1)]
    return sum(int(buffer.size) for buffer in beside)


def together(tables: Iterable[ArrowTable]) -> ArrowTable:
    """The rows of tables with the same columns, one after the other."""
    tables = tuple(tables)
    schema = tables[0].schema
    if not all(table.schema.equals(schema) for table in tables):
        raise ValueError("its files differ in their columns")
    return ArrowTable(schema, tuple(batch for table in tables for batch in table.batches))
