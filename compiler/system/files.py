"""The one place that opens files: those to read, and those that are written.

What is read is untrusted, and so is its name: a regular file is opened, and nothing else, since a
pipe makes its reader wait and a device may never end. What is read whole has a longest length.

NOTE: a check reads texts and writes nothing, and starts faster without what writing imports.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from io import BufferedReader
from itertools import islice
from os import PathLike, fspath
from typing import TYPE_CHECKING

from ..diagnostics.diagnostic import DiagnosticError, fail
from ..diagnostics.source import LONGEST_TEXT, Source, Span

if TYPE_CHECKING:
    from pathlib import Path


DAMAGED = (OSError, ValueError, TypeError, LookupError, RecursionError, OverflowError)
"""What reading a file raises that is not as a run writes it; a DiagnosticError is a ValueError."""
MOST_ENTRIES = 1_000_000
"""Files and folders of one folder."""
_LEAST = 1 << 16
_KINDS = (
    (stat.S_ISDIR, "is a directory"),
    (stat.S_ISFIFO, "it is a pipe, not a regular file"),
    (stat.S_ISSOCK, "it is a socket, not a regular file"),
)


def reason(error: Exception) -> str:
    """Why a file cannot be used, as the system or its reader says it."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    memory = isinstance(error, MemoryError)
    return str(error) or ("it does not fit in memory" if memory else "it is cut short")


def first_line(error: Exception) -> str:
    """The first line of what a library says of an error; its kind, where it says nothing."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


# Reading


def is_folder(path: str | PathLike[str]) -> bool:
    """Whether a folder is there; not where its name is too long or none at all."""
    return os.path.isdir(path)


def is_there(path: str | PathLike[str]) -> bool:
    """Whether anything is there, as `is_folder` says of folders."""
    return os.path.exists(path)


def is_file(path: str | PathLike[str]) -> bool:
    """Whether a regular file is there, as `is_folder` says of folders."""
    return os.path.isfile(path)


def open_file(path: str | PathLike[str]) -> BufferedReader:
    """A regular file, open to be read as bytes; a link to one is followed.

    Raises DiagnosticError for whatever else it is, at once, and where the system refuses.
    """
    name = fspath(path)
    try:
        _require_regular(name, os.stat(name).st_mode)
        stream = open(name, "rb", opener=_open_at_once)  # noqa: SIM115  (the caller closes it)
    except DiagnosticError:
        raise
    except (OSError, ValueError) as error:
        raise _unreadable(name, reason(error)) from None
    try:
        _require_regular(name, os.fstat(stream.fileno()).st_mode)
    except BaseException:
        stream.close()
        raise
    return stream


def _open_at_once(name: str, flags: int) -> int:
    """Opens what may by now be a pipe without waiting for its writer."""
    return os.open(name, flags | os.O_NONBLOCK)


def _require_regular(name: str, mode: int) -> None:
    if not stat.S_ISREG(mode):
        why = next((why for is_kind, why in _KINDS if is_kind(mode)), "it is a device")
        remedy = None if stat.S_ISDIR(mode) else "write what it gives to a file, and name that"
        raise _unreadable(name, why, remedy)


def _unreadable(name: str, why: str, remedy: str | None = None) -> DiagnosticError:
    return fail("E504", f"`{name}` cannot be read: {why}", help=remedy)


def read_bytes(path: str | PathLike[str], longest: int) -> bytes:
    """The bytes of a file, which are `longest` at most; raises DiagnosticError as `open_file`."""
    name = fspath(path)
    content = _first_bytes(name, longest + 1)
    if len(content) > longest:
        raise _unreadable(name, f"it is longer than {longest:,} bytes")
    return content


def _first_bytes(name: str, count: int) -> bytes:
    """So many bytes of a file, or all; memory is taken for those that are there."""
    chunks: list[bytes] = []
    with open_file(name) as stream:
        try:
            expected = max(_LEAST, os.fstat(stream.fileno()).st_size + 1)
            while count and (chunk := stream.read(min(count, expected))):
                chunks.append(chunk)
                count -= len(chunk)
        except (OSError, MemoryError) as error:
            raise _unreadable(name, reason(error)) from None
    return b"".join(chunks)


def read_text(path: str | PathLike[str], longest: int = LONGEST_TEXT) -> str:
    """The text of a UTF-8 file, which has so many characters at most; no more of it is read.

    Raises DiagnosticError as `open_file` does, and where it is longer, or no text.
    """
    name = fspath(path)
    data = _first_bytes(name, 4 * longest + 1)
    too_long = fail("E004", f"`{name}` is longer than {longest:,} characters")
    if len(data) > 4 * longest:
        raise too_long
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = len(data[: error.start].decode("utf-8"))
        source = Source(name, data.decode("utf-8", "replace"))
        message = f"byte {error.start} is not UTF-8"
        span = Span(source, before, before + 1)
        raise fail("E002", message, span, help="save the file as UTF-8") from None
    if len(text) > longest:
        raise too_long
    return text


def entries(folder: str | PathLike[str]) -> list[Path]:
    """What stands in a folder, by name; raises DiagnosticError where that cannot be read."""
    from pathlib import Path

    try:
        found = sorted(islice(Path(folder).iterdir(), MOST_ENTRIES + 1))
    except OSError as error:
        raise _unreadable(fspath(folder), reason(error)) from None
    if len(found) > MOST_ENTRIES:
        message = f"`{fspath(folder)}` has more than {MOST_ENTRIES:,} files and folders"
        raise fail("E504", message, help="divide it")
    return found


# Writing


def make_folder(path: Path, *, parents: bool = False) -> None:
    """Makes a folder, if it is not there; raises DiagnosticError where that fails."""
    try:
        path.mkdir(parents=parents, exist_ok=True)
    except (OSError, ValueError) as error:
        raise fail("E504", f"cannot create `{path}`: {reason(error)}") from None


def write_file(path: Path, content: bytes | memoryview) -> None:
    """Writes a file as `drafted` does; raises DiagnosticError where that fails."""
    with drafted(path) as draft:
        draft.write_bytes(content)


def write_durably(path: Path, parts: Sequence[bytes | memoryview]) -> None:
    """Writes a file of parts as `drafted` does, and has the system keep it before this returns.

    Whatever happens to the machine then, the file is there whole.
    """
    with drafted(path) as draft, draft.open("wb") as stream:
        for part in parts:
            stream.write(part)
        stream.flush()
        os.fsync(stream.fileno())
    _synchronise(path.parent)


def _synchronise(folder: Path) -> None:
    """Has the system keep what was moved within a folder, where it can say that of folders."""
    try:
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return
    try:
        os.fsync(place)
    except OSError:
        pass
    finally:
        os.close(place)


def remove(path: Path) -> None:
    """Removes a file, a link, or a folder with all that is in it, if it is there.

    Raises DiagnosticError where the system refuses.
    """
    from shutil import rmtree

    try:
        if is_folder(path) and not os.path.islink(path):
            rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise fail("E504", f"cannot remove `{path}`: {reason(error)}") from None


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

    try:
        place = Path(os.path.realpath(path))
    except ValueError as error:
        raise fail("E504", f"cannot write `{path}`: {reason(error)}") from None
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
    if is_folder(path):
        raise fail("E504", f"`{path}` is a folder", help="give the name of a file")
    if not is_folder(path.parent):
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
