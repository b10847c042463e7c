"""Where a study is kept that several processes share: the journal in a file, or a database.

NOTE: optuna reads past a line of a journal that was cut short, as by a kill, and then appends to
it, which nobody can read any more. Here what was cut short goes before anything is appended.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from time import sleep

import optuna
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

from ....compiler.diagnostics.diagnostic import fail
from ....compiler.system.files import is_file, is_there, open_file

WAITS = (0.1, 0.3, 0.6)
"""Seconds between attempts to open a database."""
LONGEST_LINE = 1 << 24
"""Bytes of a line of a journal."""
_BLOCK = 1 << 16


def opened(place: str) -> BaseStorage:
    """The database of a URL, else the journal in a file; nothing is written to what is there.

    Raises DiagnosticError where none can be opened, and whatever optuna does for a journal that it
    cannot replay.
    """
    if "://" in place:
        return _database(place)
    path = Path(place).absolute()  # links that lock it are read from its own folder
    if is_there(path):
        if not is_file(path):
            message = f"cannot use `{place}`: it is no file"
            raise fail("E504", message, help="choose another storage")
        _require_lines(path)
    return JournalStorage(JournalFileBackend(str(path), _Appending(path)))


class _Appending(JournalFileOpenLock):
    """Held by who appends to a journal; then a line that was cut short is gone."""

    def __init__(self, journal: Path) -> None:
        super().__init__(str(journal))
        self._journal = journal

    def acquire(self) -> bool:
        held = super().acquire()
        try:
            size = whole_lines(self._journal)
            if size < self._journal.stat().st_size:
                os.truncate(self._journal, size)
        except BaseException:
            self.release()
            raise
        return held


def _require_lines(journal: Path) -> None:
    """Raises ValueError where the last whole line is none of a journal, which optuna passes over.

    What is empty is a journal; what has no whole line is none.
    """
    end = whole_lines(journal)
    if not end and journal.stat().st_size:
        raise ValueError("no line of a journal is whole")
    with open_file(journal) as stream:
        stream.seek(max(0, end - LONGEST_LINE))
        lines = stream.read(min(end, LONGEST_LINE)).splitlines()
    if lines:
        json.loads(lines[-1])


def whole_lines(journal: Path) -> int:
    """Bytes of a file up to the end of its last line that has one."""
    with open_file(journal) as stream:
        end = stream.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - _BLOCK)
            stream.seek(start)
            last = stream.read(end - start).rfind(b"\n")
            if last >= 0:
                return start + last + 1
            end = start
    return 0


def _database(url: str) -> BaseStorage:
    """The database; tried again where another process is just making its tables."""
    from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

    try:
        for wait in WAITS:
            try:
                return optuna.storages.RDBStorage(url)
            except (DBAPIError, RuntimeError):
                sleep(wait)
        return optuna.storages.RDBStorage(url)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        message = f"{shown(url)} is the URL of no database that can be reached from here"
        remedy = f"{error}" if isinstance(error, ImportError) else "write `sqlite:///FILE`"
        raise fail("E506", message, help=remedy) from None


def shown(place: str) -> str:
    """A storage by name; of a URL, which may hold a password, its kind alone."""
    scheme, mark, _ = place.partition("://")
    return f"the storage `{scheme}://…`" if mark else f"the storage `{place}`"
