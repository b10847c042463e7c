"""Formats of arrays, one file each, found by its place: those of files, and those of folders.

A format of files has `ENDINGS`, and reads the `headers` of a file that is open, and one `array` by
its name; if it can, that array also in `blocks` of consecutive rows, so many at a time. One of
folders has `MARKS`, names of files by which its folders are told, and says which `files` of a
folder it reads. What they raise is ValueError and OSError for what is not of the
format, `UNREADABLE` beside these, MemoryError, and DiagnosticError where there is a remedy.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from ....compiler.diagnostics.diagnostic import DiagnosticError, fail
from ....compiler.system.files import reason
from ..columns import Column, Unreadable, arrays_of

MOST_ARRAYS = 10_000


@dataclass(frozen=True, slots=True)
class ArrayHeader:
    """An array's name, shape and kind (numpy's: `f`, `i`, `u`, `b`, `U`, or another).

    `file` is where it stands: a file, or a folder of a format of these. Of one that `is_apart`,
    samples can be read without the rest. `why` says of what holds no numbers and no texts what it
    is, where that is known; `stored` what the array is called there, if otherwise. One that stands
    in several places has `parts`, one after the other; one that stands nowhere is a `word`, for
    each sample.
    """

    name: str
    shape: tuple[int, ...]
    kind: str
    file: Path
    is_apart: bool = False
    why: str = ""
    stored: str = ""
    parts: tuple[ArrayHeader, ...] = ()
    word: str = ""


class Format(Protocol):
    """The module of a format of files."""

    ENDINGS: Sequence[str]
    UNREADABLE: tuple[type[Exception], ...]

    def headers(self, stream: BufferedReader, file: Path) -> Mapping[str, ArrayHeader]: ...

    def array(self, stream: BufferedReader, name: str) -> NDArray[Any]: ...


class FolderFormat(Protocol):
    """The module of a format of folders."""

    MARKS: Sequence[str]
    UNREADABLE: tuple[type[Exception], ...]

    def files(self, folder: Path) -> Sequence[Path]: ...

    def headers(self, folder: Path) -> Mapping[str, ArrayHeader]: ...

    def array(self, folder: Path, name: str) -> NDArray[Any]: ...


def headers_of(columns: Mapping[str, Column], file: Path) -> dict[str, ArrayHeader]:
    """The headers of the arrays that columns of a table make."""
    arrays = arrays_of(columns)
    require_few(len(arrays))
    return {name: ArrayHeader(name, c.shape, c.kind, file, why=c.why) for name, c in arrays.items()}


def require_few(count: int) -> None:
    """Raises ValueError where there are more arrays than are looked at."""
    if count > MOST_ARRAYS:
        raise ValueError(f"it has more than {MOST_ARRAYS:,} arrays")


@contextmanager
def diagnosed(what: str, unreadable: tuple[type[Exception], ...]) -> Generator[None]:
    """Within, what a format raises, whose `UNREADABLE` is given, is a DiagnosticError of `what`."""
    broken: tuple[type[Exception], ...] = (OSError, ValueError, MemoryError, *unreadable)
    try:
        yield
    except DiagnosticError:
        raise
    except broken as error:
        remedy = error.remedy if isinstance(error, Unreadable) else None
        raise fail("E504", f"{what} cannot be read: {reason(error)}", help=remedy) from None
