"""Columns of tables as arrays: those that are numbered stand side by side in one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.network.names import CLASS_NAMES
from ...ops.types import NUMBERS

LONGEST_TEXT = 256
"""Characters of a text in a table that is read: that of a label, a split or a group."""
PLURALS: Mapping[str, str] = {"label": "labels", "group": "groups"}
"""What arrays are called whose columns people call in the singular."""
_NUMBERED = re.compile(r"(.+)[._](0|[1-9][0-9]{0,5})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its shape (rows, …), numpy's letter for its kind, and how it is read."""

    shape: tuple[int, ...]
    kind: str
    read: Callable[[], NDArray[Any]]

    @classmethod
    def of(cls, array: NDArray[Any]) -> Column:
        """A column that is read already."""
        return cls(array.shape, array.dtype.kind, lambda: array)

    @property
    def is_number(self) -> bool:
        """Whether it has one number for each row."""
        return len(self.shape) == 1 and self.kind in NUMBERS


def arrays_of(columns: Mapping[str, Column]) -> dict[str, Column]:
    """The arrays that columns make, in their order.

    Columns of numbers that are called `Image.0`, `Image.1`, … or `Image_0`, …, from 0 or 1 on and
    without a gap, are the array `Image` (rows, columns).
    """
    members = _numbered(columns)
    belonging = {name: whole for whole, group in members.items() for name in group}
    arrays: dict[str, Column] = {}
    for name, column in columns.items():
        whole = belonging.get(name)
        if whole is None:
            arrays[_plural(name, columns)] = column
        elif whole not in arrays:
            arrays[whole] = _side_by_side([columns[member] for member in members[whole]])
    return arrays


def _plural(name: str, columns: Mapping[str, Column]) -> str:
    plural = PLURALS.get(name, name)
    return name if plural in columns else plural


def _numbered(columns: Mapping[str, Column]) -> dict[str, list[str]]:
    """By the name of an array, the names of its columns in the order of their numbers."""
    places: dict[tuple[str, str], dict[int, str]] = {}
    for name, column in columns.items():
        if column.is_number and (found := _NUMBERED.fullmatch(name)):
            stem, number = found.groups()
            places.setdefault((stem, name[len(stem)]), {})[int(number)] = name
    members: dict[str, list[str]] = {}
    for (stem, _), by_number in places.items():
        numbers = sorted(by_number)
        first, last = numbers[0], numbers[-1]
        is_whole = first in (0, 1) and last - first == len(numbers) - 1 and len(numbers) > 1
        if is_whole and stem not in columns and stem not in members:
            members[stem] = [by_number[number] for number in numbers]
    return members


def _side_by_side(columns: Sequence[Column]) -> Column:
    kinds = {column.kind for column in columns}
    kind = kinds.pop() if len(kinds) == 1 else "f"
    shape = (columns[0].shape[0], len(columns))

    def read() -> NDArray[Any]:
        parts = [column.read() for column in columns]
        together = np.empty(shape, np.result_type(*parts))
        for place, part in enumerate(parts):
            together[:, place] = part
        return together

    return Column(shape, kind, read)


def texts(items: Sequence[str], name: str) -> NDArray[np.str_]:
    """Texts of a column; raises ValueError where one is longer than names are."""
    if items and max(map(len, items)) > LONGEST_TEXT:
        raise ValueError(f"`{name}` has a text of more than {LONGEST_TEXT} characters")
    return np.array(items, np.str_)


def class_names(names: Sequence[str]) -> dict[str, Column]:
    """The array that says what classes are called, where something does."""
    return {CLASS_NAMES: Column.of(texts(names, CLASS_NAMES))} if names else {}
