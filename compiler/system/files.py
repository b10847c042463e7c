"""Reading texts and writing files, with diagnostics for what goes wrong.

NOTE: a check reads texts and writes nothing, and starts faster without what writing imports.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from os import PathLike, fspath
from typing import TYPE_CHECKING

from ..diagnostics.diagnostic import fail
from ..diagnostics.source import LONGEST_TEXT, Source, Span

if TYPE_CHECKING:
    from pathlib import Path


def reason(error: OSError | ValueError) -> str:
    """Why a file cannot be used, as the system says it."""
    return (getattr(error, "strerror", None) or str(error)).lower()


def write_file(path: Path, content: bytes) -> None:
    """Writes a file as `drafted` does; raises DiagnosticError where that fails."""
    with drafted(path) as draft:
        draft.write_bytes(content)


@contextmanager
def drafted(path: Path, beside: Sequence[str] = ()) -> Generator[Path]:
    """Where to write a file, and others beside it: all are moved into place at the end.

    Nothing is moved where the block raises. A link stays, and what it points at is written; the
    mode of a file that is replaced stays too, for all of them. What is no regular file, as a FIFO,
    is written to. `beside` are endings, such as `.data`, of files that belong to the one of this
    name: those that the block did not write are removed, since they speak of another one. Raises
    DiagnosticError where the system refuses.
    """
    from pathlib import Path

    from .drafts import draft_folder

    place = Path(os.path.realpath(path))
    try:
        _require_file(path, place)
        is_regular = place.is_file() or not path.exists()
        home = place.parent if is_regular else None
        with draft_folder(home) as folder:
            yield Path(folder, place.name)
            drafts = sorted(Path(folder).iterdir(), key=lambda file: file.name == place.name)
            if is_regular:
                _move(drafts, place, beside)
            else:
                _pour(drafts, path)
    except OSError as error:
        raise fail("E504", f"cannot write `{path}`: {reason(error)}") from None


def _require_file(path: Path, place: Path) -> None:
    """Raises DiagnosticError where `place`, which a path leads to, cannot be a file."""
    if place.is_symlink():
        raise fail("E504", f"`{path}` is a link that leads to itself", help="remove it")
    if path.is_dir():
        raise fail("E504", f"`{path}` is a folder", help="give the name of a file")
    if not path.parent.is_dir():
        raise fail("E504", f"the folder `{path.parent}` does not exist", help="make it first")


def _move(written: Sequence[Path], place: Path, beside: Sequence[str]) -> None:
    """Moves files to where the last of them belongs, and removes what is left from before."""
    mode = place.stat().st_mode & 0o7777 if place.exists() else None
    for file in written:
        if mode is not None:
            file.chmod(mode)
        file.replace(place.with_name(file.name))
    names = [file.name for file in written]
    for name in (place.name + ending for ending in beside):
        if name not in names:
            place.with_name(name).unlink(missing_ok=True)


def _pour(written: Sequence[Path], path: Path) -> None:
    """Writes a file to what is no regular file."""
    from shutil import copyfileobj

    if len(written) > 1:
        message = f"`{path}` is no regular file, and several files are to be written"
        raise fail("E504", message, help="give the name of a regular file")
    with written[0].open("rb") as source, path.open("wb") as target:
        copyfileobj(source, target)


def read_text(path: str | PathLike[str]) -> str:
    """The text of a UTF-8 file, of which no more is read than can be used."""
    name = fspath(path)
    try:
        with open(name, "rb") as file:
            data = file.read(4 * LONGEST_TEXT + 1)
    except (OSError, ValueError) as error:
        raise fail("E504", f"`{name}` cannot be read: {reason(error)}") from None
    if len(data) > 4 * LONGEST_TEXT:
        raise fail("E004", f"`{name}` is longer than {LONGEST_TEXT:,} characters")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = len(data[: error.start].decode("utf-8"))
        source = Source(name, data.decode("utf-8", "replace"))
        message = f"byte {error.start} is not UTF-8"
        span = Span(source, before, before + 1)
        raise fail("E002", message, span, help="save the file as UTF-8") from None
