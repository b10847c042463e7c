"""Tables as text: a header, then rows of numbers and of texts, apart by `,`, `;`, `|` or tabs."""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

from numpy.typing import NDArray

from ....compiler.diagnostics.diagnostic import one_of
from ..cells import Cells, is_number
from ..columns import Column, Unreadable, arrays_of
from . import ArrayHeader, headers_of, require_few

Rows: TypeAlias = list[list[str]]
ENDINGS = (".csv", ".tsv")
UNREADABLE: tuple[type[Exception], ...] = (csv.Error, OverflowError)
_MARKS = ",;\t|"
_ROWS = 4096
"""Rows that are read at a time."""
_HEADER = "the first line names the columns: `Image.0,Image.1,labels`"


def headers(stream: BufferedReader, file: Path) -> Mapping[str, ArrayHeader]:
    """The headers of the arrays that its columns make."""
    return headers_of(_columns(stream), file)


def array(stream: BufferedReader, name: str) -> NDArray[Any]:
    """The array of this name."""
    return arrays_of(_columns(stream))[name].read()


def _columns(stream: BufferedReader) -> dict[str, Column]:
    """The columns, which are read as a whole: numbers where the first cell is one, else texts."""
    with read_rows(stream) as table:
        found = dict[str, Cells]()
        for rows in table.blocks:
            for name, cells in zip(table.names, zip(*rows, strict=True), strict=True):
                found.setdefault(name, Cells(name, table.mark)).add(cells)
    if not found:
        raise ValueError("it has no row")
    return {name: cells.column() for name, cells in found.items()}


@dataclass(frozen=True, slots=True)
class Table:
    """The names of its columns, its rows in blocks, and the mark that stands between cells."""

    names: Sequence[str]
    blocks: Iterator[Rows]
    mark: str


@contextmanager
def read_rows(stream: BufferedReader) -> Generator[Table]:
    """The header of a table, and its rows in blocks: cells without the space around them.

    Rows without anything, and columns without a name, are none. Raises ValueError and csv.Error
    where it is no table, of which a row may be found out when its block is read.
    """
    stream.seek(0)
    text = TextIOWrapper(stream, "utf-8-sig", newline="")
    try:
        first = text.readline(csv.field_size_limit())
        mark = max(_MARKS, key=first.count)
        rows = csv.reader(text, delimiter=mark, strict=True)
        header = next(csv.reader([first], delimiter=mark, strict=True), [])
        names = [name.strip() for name in header]
        _require_names(names)
        named = [place for place, name in enumerate(names) if name]
        known = [names[place] for place in named]
        yield Table(known, _blocks(rows, len(names), named), mark)
    except UnicodeDecodeError:
        raise Unreadable("it is no UTF-8", "save it as UTF-8") from None
    finally:
        text.detach()


def _require_names(names: Sequence[str]) -> None:
    """Raises ValueError where a first line does not name columns."""
    require_few(len(names))
    known = [name for name in names if name]
    if twice := sorted({name for name in known if known.count(name) > 1}):
        raise Unreadable(f"its first line names {one_of(twice)} twice", _HEADER)
    if not known or sum(map(is_number, known)) > len(known) / 2:
        raise Unreadable("its first line does not name its columns", _HEADER)
    if len(names) == 1 and len(words := known[0].split()) > 1:
        message = f"its first line names one column, `{' '.join(words)[:40]}`"
        raise Unreadable(message, "put `,`, `;`, `|` or tabs between cells, also in the first line")


def _blocks(rows: Iterator[list[str]], columns: int, named: Sequence[int]) -> Iterator[Rows]:
    """Rows, as many as are read at a time; raises ValueError where one is shorter or longer."""
    every, start = len(named) == columns, 2
    while block := list(islice(rows, _ROWS)):
        kept: Rows = []
        for place, row in enumerate(block, start):
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            if len(row) != columns:
                message = f"row {place} has {len(row)} cells, and the header {columns}"
                raise Unreadable(message, _HEADER)
            kept.append(cells if every else [cells[at] for at in named])
        if kept:
            yield kept
        start += len(block)
