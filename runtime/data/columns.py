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
BESIDE = (*PLURALS, *PLURALS.values(), "split")
"""Columns that are of no modality, in small letters."""
_NUMBERED = re.compile(
    r"(?P<a>.+)(?P<m>[._])(?P<n>[0-9]{1,6})|(?P<b>.+)\[(?P<i>[0-9]{1,6})\]|"
    r"(?P<c>.*[^0-9._\[])(?P<k>[0-9]{1,6})",
    re.DOTALL,
)
"""What a numbered column is called: an array, and a number behind a mark or in brackets."""


class Unreadable(ValueError):
    """Why a file or a column is not read, and what to do about it."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its shape (rows, …), numpy's letter for its kind, and how it is read.

    Of one that is no array, whose kind is `V`, `why` says the reason, and reading it raises.
    """

    shape: tuple[int, ...]
    kind: str
    read: Callable[[], NDArray[Any]]
    why: str = ""

    @classmethod
    def of(cls, array: NDArray[Any]) -> Column:
        """A column that is read already."""
        return cls(array.shape, array.dtype.kind, lambda: array)

    @classmethod
    def none(cls, shape: tuple[int, ...], error: Callable[[], Exception], why: str) -> Column:
        """A column that is no array, and what reading it raises."""

        def read() -> NDArray[Any]:
            raise error()

        return cls(shape, "V", read, why)

    @property
    def is_number(self) -> bool:
        """Whether it has one number for each row."""
        return len(self.shape) == 1 and self.kind in NUMBERS


def arrays_of(columns: Mapping[str, Column]) -> dict[str, Column]:
    """The arrays that columns make, in their order.

    Columns of numbers that are called `Image.0`, `Image.1`, … or `Image_0`, `Image[0]`, `Image000`,
    from 0 or 1 on and without a gap, are the array `Image` (rows, columns). Where one of them is no
    number, neither is the array.
    """
    members = _numbered(columns)
    belonging = {name: whole for whole, group in members.items() for name in group}
    arrays: dict[str, Column] = {}
    for name, column in columns.items():
        whole = belonging.get(name)
        if whole is None:
            arrays[_plural(name, {**columns, **arrays})] = column
        elif whole not in arrays:
            arrays[whole] = _side_by_side({one: columns[one] for one in members[whole]})
    return arrays


def spelt_otherwise(feature: str, shapes: Mapping[str, tuple[int, ...]]) -> str | None:
    """A remedy where the columns of a feature seem to be there, but are not numbered."""
    of_it = [
        name
        for name, shape in shapes.items()
        if len(shape) == 1 and re.match(rf"{re.escape(feature)}[._ -]", name, re.IGNORECASE)
    ]
    if len(of_it) < 2:
        return None
    found = ", ".join(f"`{name}`" for name in of_it[:4]) + (", …" if len(of_it) > 4 else "")
    return f"columns {found} are one feature if they are called `{feature}_0`, `{feature}_1`, …"


def _plural(name: str, columns: Mapping[str, Column]) -> str:
    plural = PLURALS.get(name.lower(), name.lower())
    known = plural in (*PLURALS.values(), "split")
    return plural if known and plural not in columns else name


def _numbered(columns: Mapping[str, Column]) -> dict[str, list[str]]:
    """By the name of an array, the names of its columns in the order of their numbers."""
    places: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for name, column in columns.items():
        if len(column.shape) == 1 and (found := _NUMBERED.fullmatch(name)):
            stem = found["a"] or found["b"] or found["c"]
            mark = found["m"] or ("[" if found["b"] else "")
            number = int(found["n"] or found["i"] or found["k"])
            places.setdefault((stem, mark), []).append((number, name))
    members: dict[str, list[str]] = {}
    for (stem, _), group in places.items():
        numbers, names = zip(*sorted(group), strict=True)
        first = numbers[0]
        is_whole = first in (0, 1) and numbers == (*range(first, first + len(group)),)
        is_number = any(columns[name].is_number for name in names)
        is_free = stem not in columns and stem not in members
        if len(group) > 1 and is_whole and is_number and is_free:
            members[stem] = [*names]
    return members


def _side_by_side(columns: Mapping[str, Column]) -> Column:
    parts = [*columns.values()]
    shape = (parts[0].shape[0], len(parts))
    if other := next((name for name, one in columns.items() if not one.is_number), None):
        why = columns[other].why or "it holds texts"
        return Column.none(shape, lambda: _no_number(other, columns[other]), f"{why} (`{other}`)")
    kinds = {column.kind for column in parts}
    kind = kinds.pop() if len(kinds) == 1 else "f"

    def read() -> NDArray[Any]:
        arrays = [column.read() for column in parts]
        together = np.empty(shape, np.result_type(*arrays))
        for place, array in enumerate(arrays):
            together[:, place] = array
        return together

    return Column(shape, kind, read)


def _no_number(name: str, column: Column) -> Exception:
    """What is wrong with a column that stands among those of numbers."""
    try:
        first = column.read()[:1]
    except ValueError as error:
        return error
    message = (
        f"`{name}` holds texts, as `{''.join(map(str, first))[:40]}`, among columns of numbers"
    )
    return Unreadable(message, "write numbers, or leave cells empty where one is missing")


def texts(items: Sequence[str], name: str) -> NDArray[np.str_]:
    """Texts of a column; raises ValueError where one is longer than names are."""
    if items and max(map(len, items)) > LONGEST_TEXT:
        raise ValueError(f"`{name}` has a text of more than {LONGEST_TEXT} characters")
    return np.array(items, np.str_)


def class_names(names: Sequence[str]) -> dict[str, Column]:
    """The array that says what classes are called, where something does."""
    return {CLASS_NAMES: Column.of(texts(names, CLASS_NAMES))} if names else {}
