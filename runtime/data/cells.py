"""Cells of tables as text: columns of numbers with gaps, and what to do about what is no number.

A comma is a decimal mark where it does not divide cells. What could be either a decimal mark or one
of thousands is no number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .columns import LONGEST_TEXT, Column, Unreadable

GAPS = frozenset({"", "na", "n/a", "#n/a", "<na>", "nan", "-nan", "null", "none", "?"})
"""How people write that a number is missing, in lower case."""
_NUMBER = re.compile(
    r"[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|inf|infinity)", re.IGNORECASE
)
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}([,.' \u00a0\u202f][0-9]{3})+([.,][0-9]+)?")
_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+(e[+-]?[0-9]+)?", re.IGNORECASE)
_MOST_WHOLE = 2.0**53
"""The whole numbers below this are numbers of float64."""
_SHOWN = 40


class Cells:
    """The cells of a column, block by block: numbers where its first cell that has one is one."""

    def __init__(self, name: str, delimiter: str) -> None:
        self._name, self._comma = name, delimiter != ","
        self._parts: list[NDArray[Any]] = []
        self._is_number: bool | None = None
        self._rows, self._wrong, self._long = 0, "", False
        self._thousands, self._decimal = "", False

    def add(self, cells: Sequence[str]) -> None:
        """Cells that follow; those of a column that is no array are not kept."""
        start, self._rows = self._rows, self._rows + len(cells)
        if self._is_number is None:
            said = next((cell for cell in cells if cell.lower() not in GAPS), None)
            self._is_number = None if said is None else self._of(said) is not None
            if self._is_number is False:
                self._parts = [np.full(len(gaps), "", np.str_) for gaps in self._parts]
        if self._is_number is not False:
            self._numbers(cells, start)
        elif max(map(len, cells)) > LONGEST_TEXT:
            self._long = True
        elif not self._long:
            self._parts.append(np.array(cells, np.str_))

    def column(self) -> Column:
        """The column; one that is no array says so when it is read."""
        name, shape = self._name, (self._rows,)
        if self._long:
            message = f"`{name}` has a text of more than {LONGEST_TEXT} characters"
            return Column.none(shape, lambda: ValueError(message), "it holds long texts")
        wrong = self._wrong or (not self._decimal and self._thousands)
        if wrong:
            message = f"`{name}` has {wrong}, which is no number"
            remedy = _remedy(wrong.partition("`")[2].rpartition("`")[0])
            return Column.none(shape, lambda: Unreadable(message, remedy), f"it has {wrong}")
        return Column.of(_whole(np.concatenate(self._parts)))

    def _numbers(self, cells: Sequence[str], start: int) -> None:
        if self._wrong:
            return
        text = "".join(cells)
        if text.isascii() and "_" not in text:
            try:
                self._parts.append(np.fromiter(map(float, cells), np.float64, len(cells)))
            except ValueError:
                pass
            else:
                return
        numbers = np.full(len(cells), np.nan)
        for place, cell in enumerate(cells):
            if (number := self._of(cell)) is not None:
                numbers[place] = number
            elif cell.lower() not in GAPS:
                self._wrong = f"`{cell[:_SHOWN]}` in sample {start + place}"
                return
            if self._comma and "," in cell:
                if not _THOUSANDS.fullmatch(cell):
                    self._decimal = True
                elif not self._thousands:
                    self._thousands = f"`{cell[:_SHOWN]}` in sample {start + place}"
        self._parts.append(numbers)

    def _of(self, cell: str) -> float | None:
        if is_number(cell):
            return float(cell)
        if self._comma and _COMMA.fullmatch(cell):
            return float(cell.replace(",", "."))
        return None


def is_number(cell: str) -> bool:
    """Whether a cell is a number with a decimal point, in plain digits."""
    return _NUMBER.fullmatch(cell) is not None


def _remedy(cell: str) -> str:
    """What to do about a cell that is no number."""
    cases: Sequence[tuple[Callable[[str], object], str]] = (
        (_THOUSANDS.fullmatch, "write numbers without marks of thousands, and a decimal point"),
        (_COMMA.fullmatch, "write a decimal point, or put `;` between the cells of the table"),
        (lambda text: text.startswith(("[", "(")), LISTS),
        (lambda text: re.search(r"[0-9]", text), "write plain numbers, without units"),
    )
    usual = "write a number there, or leave the cell empty where it is missing"
    return next((remedy for fits, remedy in cases if fits(cell)), usual)


LISTS = "save lists as Parquet, or a column for each number: `Image.0`, `Image.1`, …"


def _whole(column: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers as such."""
    if column.dtype.kind != "f" or not (np.abs(column) < _MOST_WHOLE).all():
        return column
    whole = column.astype(np.int64)
    return whole if np.array_equal(whole, column) else column
