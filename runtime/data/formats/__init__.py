"""Formats of files of arrays, one file each, found by its place: `npz.py` reads `NAME.npz`.

A format reads the `headers` of a file that is open, and one `array` by its name; if it can, that
array also in `blocks` of consecutive rows, so many at a time. What it raises is
ValueError and OSError for a file that is not of the format, `UNREADABLE` beside these, MemoryError,
and DiagnosticError where there is a remedy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

MOST_ARRAYS = 10_000


@dataclass(frozen=True, slots=True)
class ArrayHeader:
    """An array's name, shape and kind (numpy's: `f`, `i`, `u`, `b`, or another), and its file.

    Of one that `is_apart`, samples can be read without the rest.
    """

    name: str
    shape: tuple[int, ...]
    kind: str
    file: Path
    is_apart: bool = False


class Format(Protocol):
    """The module of a format."""

    UNREADABLE: tuple[type[Exception], ...]

    def headers(self, stream: BufferedReader, file: Path) -> Mapping[str, ArrayHeader]: ...

    def array(self, stream: BufferedReader, name: str) -> NDArray[Any]: ...


def require_few(count: int) -> None:
    """Raises ValueError where a file has more arrays than are looked at."""
    if count > MOST_ARRAYS:
        raise ValueError(f"it has more than {MOST_ARRAYS:,} arrays")
