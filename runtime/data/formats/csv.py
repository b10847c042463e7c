"""Tables as text: a header, then rows of plain numbers and of texts, apart by `,`, `;` or tabs."""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BufferedReader, TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..columns import Column, arrays_of, texts
from . import ArrayHeader, headers_of, require_few

Rows: TypeAlias = list[list[str]]
ENDINGS = (".csv", ".tsv")
UNREADABLE: tuple[type[Exception], ...] = (csv.Error, OverflowError)
_DELIMITERS = ",;\t"
_ROWS = 4096
"""Rows that are read at a time."""
_MOST_WHOLE = 2.0**53
"""The whole numbers below this are numbers of float64."""


def headers(stream: BufferedReader, file: Path) -> Mapping[str, ArrayHeader]:
    """The headers of the arrays that its columns make."""
    return headers_of(_columns(stream), file)


def array(stream: BufferedReader, name: str) -> NDArray[Any]:
    """The array of this name."""
    return arrays_of(_columns(stream))[name].read()


def _columns(stream: BufferedReader) -> dict[str, Column]:
    """The columns, which are read as a whole: numbers where the first row has one, else texts."""
    with read_rows(stream) as (names, blocks):
        return {name: Column.of(column) for name, column in _read(names, blocks).items()}


@contextmanager
def read_rows(stream: BufferedReader) -> Generator[tuple[list[str], Iterator[Rows]]]:
    """The header of a table, and its rows in blocks: cells without the space around them.

    Lines without anything are none. Raises ValueError and csv.Error where it is no table, of which
    a row may be found out when its block is read.
    """
    stream.seek(0)
    text = TextIOWrapper(stream, "utf-8-sig", newline="")
    try:
        first = text.readline(csv.field_size_limit())
        delimiter = max(_DELIMITERS, key=first.count)
        header = next(csv.reader([first], delimiter=delimiter, strict=True), [])
        names = [name.strip() for name in header]
        require_few(len(names))
        if not names or len(set(names)) < len(names):
            raise ValueError("its first line does not name each column once")
        rows = csv.reader(text, delimiter=delimiter, strict=True)
        yield names, _blocks(filter(None, rows), len(names))
    finally:
        text.detach()


def _read(names: list[str], blocks: Iterator[Rows]) -> dict[str, NDArray[Any]]:
    parts: list[list[NDArray[Any]]] = [[] for _ in names]
    for rows in blocks:
        for name, part, cells in zip(names, parts, zip(*rows, strict=True), strict=True):
            is_number = part[0].dtype.kind == "f" if part else _is_number(cells[0])
            part.append(_numbers(cells, name) if is_number else texts(cells, name))
    if not parts[0]:
        raise ValueError("it has no row")
    return {name: _whole(np.concatenate(part)) for name, part in zip(names, parts, strict=True)}


def _blocks(rows: Iterator[list[str]], columns: int) -> Iterator[Rows]:
    """Rows, as many as are read at a time; raises ValueError where one is shorter or longer."""
    start = 2
    while block := list(islice(rows, _ROWS)):
        for place, row in enumerate(block, start):
            if len(row) != columns:
                raise ValueError(f"row {place} has {len(row)} cells, and the header {columns}")
        yield [[cell.strip() for cell in row] for row in block]
        start += len(block)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _numbers(cells: Sequence[str], name: str) -> NDArray[np.float64]:
    try:
        return np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        wrong = next(cell for cell in cells if not _is_number(cell))
        raise ValueError(f"`{name}` has `{wrong[:40]}`, which is no number") from None


def _whole(column: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers as such."""
    if column.dtype.kind != "f" or not (np.abs(column) < _MOST_WHOLE).all():
        return column
    whole = column.astype(np.int64)
    return whole if np.array_equal(whole, column) else column
