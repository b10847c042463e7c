"""Folders in which files are drafted, and what is left of them where a process was killed."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager

from .process import Process

PREFIX = ".fusewright-"
"""How the names of folders of drafts begin."""


@contextmanager
def draft_folder(home: str | os.PathLike[str] | None) -> Generator[str]:
    """A folder for drafts within `home`, or where the system keeps such; it goes at the end.

    Its name says whose it is, and what processes that are gone left in `home` is removed. Raises
    OSError where the system refuses, but not where it cannot be removed: that is left to others.
    """
    from tempfile import TemporaryDirectory

    if home is not None:
        sweep(home)
    own = Process.own()
    prefix = f"{PREFIX}{own.number}@{own.began}@{own.host}@"
    with TemporaryDirectory(prefix=prefix, dir=home, ignore_cleanup_errors=True) as folder:
        yield folder


def sweep(home: str | os.PathLike[str]) -> None:
    """Removes the drafts that processes left in a folder which are gone."""
    from shutil import rmtree

    try:
        names = [name for name in os.listdir(home) if name.startswith(PREFIX)]
    except OSError:
        return
    for name in names:
        owner = _owner(name)
        if owner is not None and owner.is_gone:
            rmtree(os.path.join(home, name), ignore_errors=True)


def _owner(name: str) -> Process | None:
    """The process that a folder of drafts names."""
    match name.removeprefix(PREFIX).split("@"):
        case [number, began, host, _] if number.isdecimal():
            return Process(host, int(number), began)
        case _:
            return None
