"""Formats of files of arrays, one file each, found by its place: `npz.py` reads `NAME.npz`.

A format reads `headers` without the arrays themselves, and `arrays`, those of some `names` or all.
`UNREADABLE` is what a broken file raises beside OSError, ValueError and MemoryError.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

MOST_ARRAYS = 10_000


@dataclass(frozen=True, slots=True)
class ArrayHeader:
    """An array's name, shape and kind (numpy's: `f`, `i`, `u`, `b`, or another), and its file."""

    name: str
    shape: tuple[int, ...]
    kind: str
    file: Path


class Format(Protocol):
    """The module of a format."""

    UNREADABLE: tuple[type[Exception], ...]

    def headers(self, path: Path) -> dict[str, ArrayHeader]: ...

    def arrays(self, path: Path, names: Collection[str] = ()) -> dict[str, NDArray[Any]]: ...


def require_few(count: int) -> None:
    """Raises ValueError where a file has more arrays than are looked at."""
    if count > MOST_ARRAYS:
        raise ValueError(f"it has more than {MOST_ARRAYS:,} arrays")
