"""A folder's owner: the one process that writes into it, as a lock and a record in a file there.

The system drops the lock of a process that ends, however it ends, so a record without a lock is
one that was left behind. Where a file system knows no locks, or those of one machine alone, the
record decides: one of a process that is gone here is left behind, one of another machine is not.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..diagnostics.diagnostic import DiagnosticError, fail
from .files import DAMAGED, is_folder, is_there, make_folder, reason
from .process import Process

LONGEST_RECORD = 4096
_OPEN = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@contextmanager
def owned(folder: Path, name: str, command: str, code: str) -> Generator[None]:
    """Within, no other process owns a folder, which is made where there is none.

    The file `name` in it says whose it is while that lasts. Raises DiagnosticError at once, with
    the `code`, where another process has the lock, or may have it, and where nothing can be
    written.
    """
    with _made(folder), _held(folder / name, command, code):
        yield


def owner(path: Path) -> str | None:
    """Who owns a folder by the file of its lock; None where nobody does who is still there."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        holder = _Holder.read(file)
    finally:
        os.close(file)
    return None if holder is None or holder.process.is_gone else str(holder)


@contextmanager
def _made(folder: Path) -> Generator[None]:
    """Makes a folder; at the end those that were made go where nothing was written."""
    there = next(one for one in (folder, *folder.absolute().parents) if is_there(one))
    if not is_folder(there) or not os.access(there, os.W_OK):
        raise fail("E504", f"cannot write into `{there}`", help="choose another folder")
    missing = [one for one in (folder, *folder.parents) if not is_there(one)]
    make_folder(folder, parents=True)
    try:
        yield
    finally:
        for one in missing:
            with suppress(OSError):
                one.rmdir()


@contextmanager
def _held(path: Path, command: str, code: str) -> Generator[None]:
    file = _taken(path, command, code)
    try:
        yield
    finally:
        if _is_at(file, path):
            _remove(file, path)
        os.close(file)


def _remove(file: int, path: Path) -> None:
    """Removes a lock; where the system refuses, it says nothing, so that it counts no more."""
    try:
        path.unlink()
    except OSError:
        with suppress(OSError):
            os.ftruncate(file, 0)


def _taken(path: Path, command: str, code: str) -> int:
    """The lock's open file, which is this process's now."""
    while True:
        file = _opened(path)
        try:
            if _require_free(file, path, code):
                _Holder.of(command).write(file)
                return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def _opened(path: Path) -> int:
    try:
        return os.open(path, _OPEN, 0o666)
    except OSError as error:
        message = f"cannot write into `{path.parent}`: {reason(error)}"
        raise fail("E504", message, help="choose another folder") from None


def _require_free(file: int, path: Path, code: str) -> bool:
    """Locks an open file; False where its holder has just removed it.

    Raises DiagnosticError where another process has it.
    """
    is_free, is_at, holder = _is_free(file), _is_at(file, path), _Holder.read(file)
    is_left = holder is None or holder.process.is_gone
    if is_at and not (is_free and is_left):
        raise _in_use(path, holder, code)
    return is_at


def _is_free(file: int) -> bool:
    """Locks an open file; whether no other process had locked it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def _is_at(file: int, path: Path) -> bool:
    """Whether an open file is still the one that a path names."""
    try:
        return os.path.samestat(os.fstat(file), path.lstat())
    except OSError:
        return False


@dataclass(frozen=True)
class _Holder:
    """Who has a lock, and since when."""

    process: Process
    command: str
    since: str

    @classmethod
    def of(cls, command: str) -> _Holder:
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return cls(Process.own(), command, now)

    @classmethod
    def read(cls, file: int) -> _Holder | None:
        """What a lock file says; None where it says nothing yet, or is none."""
        try:
            record = json.loads(os.pread(file, LONGEST_RECORD, 0))
            process = Process(str(record["host"]), int(record["process"]), str(record["began"]))
            return cls(process, str(record["command"]), str(record["since"]))
        except DAMAGED:
            return None

    def write(self, file: int) -> None:
        process = self.process
        record = {
            "command": self.command,
            "process": process.number,
            "host": process.host,
            "since": self.since,
            "began": process.began,
        }
        try:
            os.ftruncate(file, 0)
            os.pwrite(file, json.dumps(record, indent=1).encode(), 0)
        except OSError as error:
            raise fail("E504", f"cannot write the lock of a folder: {reason(error)}") from None

    def __str__(self) -> str:
        process = self.process
        return f"`{self.command}`, process {process.number} on {process.host} since {self.since}"


def _in_use(path: Path, holder: _Holder | None, code: str) -> DiagnosticError:
    message = f"another process writes into `{path.parent}`"
    remedy = "wait for its end, or choose another folder"
    if holder is None:
        return fail(code, message, help=remedy)
    if holder.process.is_elsewhere:
        remedy = f"choose another folder; if that process has ended, remove `{path}`"
    return fail(code, f"{message}: {holder}", help=remedy)
