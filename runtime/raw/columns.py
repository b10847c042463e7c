"""The kinds of columns that sources make: files by their paths, bytes, texts and numbers."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.system.files import is_there, read_bytes, reason
from .data import Column, Content
from .decoders import medium_of

LONGEST_FILE = 1 << 30
"""Bytes of a file that one value is read from."""


@dataclass(frozen=True)
class _Cells:
    """What a column of one table has: where it stands, and what a diagnostic calls a value."""

    source: str
    name: str

    def place(self, sample: int) -> str:
        return cell(self.source, self.name, sample)


@dataclass(frozen=True)
class Texts(_Cells):
    """Texts in memory; an empty one is nothing."""

    texts: Sequence[str]

    @property
    def medium(self) -> str:
        return "text"

    def read(self, sample: int) -> str | None:
        return self.texts[sample] or None

    def whole(self) -> NDArray[np.str_]:
        return np.array(self.texts, np.str_)


@dataclass(frozen=True)
class Numbers(_Cells):
    """Numbers in memory, (samples, …); what is not a number is nothing."""

    values: NDArray[Any]

    @property
    def medium(self) -> str:
        return "numbers"

    def read(self, sample: int) -> NDArray[Any] | None:
        value = self.values[sample]
        empty = value.dtype.kind == "f" and np.isnan(value).all()
        return None if empty else np.atleast_1d(value)

    def whole(self) -> NDArray[Any]:
        return self.values


@dataclass(frozen=True)
class Files(_Cells):
    """Files by their paths, which are relative to a folder that none of them leaves.

    An empty path, and one that nothing is at, is nothing.
    """

    paths: Sequence[str]
    root: Path

    @property
    def medium(self) -> str | None:
        return next((medium_of(path) for path in self.paths if path), None)

    def read(self, sample: int) -> bytes | None:
        path = self.paths[sample]
        return file_content(path, self.root, self.place(sample)) if path else None

    def place(self, sample: int) -> str:
        return f"{super().place(sample)} (`{self.paths[sample]}`)"

    def whole(self) -> NDArray[np.str_]:
        return np.array(self.paths, np.str_)


@dataclass(frozen=True)
class Values(_Cells):
    """Values that are read one by one, of a medium that the source may know."""

    medium: str | None
    value: Callable[[int], Content | None]

    def read(self, sample: int) -> Content | None:
        found = self.value(sample)
        return None if isinstance(found, str | bytes) and not found else found

    def whole(self) -> None:
        return None


@dataclass(frozen=True)
class Joined:
    """Several columns of numbers side by side; nothing where one of them has nothing."""

    columns: Sequence[Column]

    @property
    def medium(self) -> str:
        return "numbers"

    def read(self, sample: int) -> NDArray[Any] | None:
        values = [column.read(sample) for column in self.columns]
        parts = [value for value in values if isinstance(value, np.ndarray)]
        return np.concatenate(parts) if len(parts) == len(values) else None

    def place(self, sample: int) -> str:
        return ", ".join(column.place(sample) for column in self.columns)

    def whole(self) -> NDArray[Any] | None:
        values = [column.whole() for column in self.columns]
        parts = [value for value in values if value is not None and value.ndim == 1]
        return np.stack(parts, 1) if len(parts) == len(values) else None


def file_content(path: str, root: Path, place: str) -> bytes | None:
    """The bytes of a file at a path that does not leave `root`; None where nothing is there.

    Raises DiagnosticError where it leaves it, and what is at `place` is no path.
    """
    try:
        home = os.path.realpath(root)
        file = os.path.realpath(os.path.join(home, path))  # noqa: PTH118  (as it is written)
        inside = os.path.commonpath([home, file]) == home
    except (OSError, ValueError) as error:
        raise fail("E504", f"{place} is no path: {reason(error)}") from None
    if not inside:
        message = f"{place} leads out of `{root}`"
        raise fail("E504", message, help="name the folder that may be read with `--root`")
    return read_bytes(file, LONGEST_FILE) if is_there(file) else None


def cell(source: str, name: str, sample: int) -> str:
    """What a value of a table is called; samples count from 1 there."""
    return f"sample {sample + 1} of `{source}`, column `{name}`"


def of_texts(source: str, name: str, texts: Sequence[str], root: Path) -> Column:
    """The column that texts are: numbers or files where all that are not empty are such."""
    written = [text for text in texts if text]
    if written and all(medium_of(text) for text in written):
        return Files(source, name, texts, root)
    numbers = _numbers(texts) if written else None
    return Texts(source, name, texts) if numbers is None else Numbers(source, name, numbers)


def _numbers(texts: Sequence[str]) -> NDArray[Any] | None:
    """Texts as whole numbers or as finite ones, NaN for an empty one; None where one is neither."""
    try:
        numbers = np.array([float(text) if text else np.nan for text in texts])
    except ValueError:
        return None
    if np.isinf(numbers).any():
        return None
    is_whole = not np.isnan(numbers).any() and (np.abs(numbers) < 2**53).all()
    whole = is_whole and np.array_equal(numbers, np.floor(numbers))
    return numbers.astype(np.int64) if whole else numbers
