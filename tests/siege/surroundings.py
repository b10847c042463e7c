"""What stands around an input: the files of the current folder, and which of them a reader changed.

The system tells of what is written, made, moved or removed in a folder that is watched (inotify),
so that all of it is looked at only where something was: few inputs change anything.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable

Listing = dict[str, tuple[int, ...]]
"""What stands in a folder: size, time and place of each file, by its path."""
_MODIFIED, _MOVED, _CREATED, _DELETED = 0x2, 0xC0, 0x100, 0x200
_MASK = _MODIFIED | _MOVED | _CREATED | _DELETED
_EVENTS = 1 << 16
"""Bytes of events that are read at once."""


def listing(folder: str = ".") -> Listing:
    """Everything below a folder."""
    found: Listing = {}
    waiting = [folder]
    while waiting:
        for entry in os.scandir(waiting.pop()):
            if entry.is_dir(follow_symlinks=False):
                found[entry.path] = ()
                waiting.append(entry.path)
            else:
                found[entry.path] = _state(entry.stat(follow_symlinks=False))
    return found


def changes(before: Listing, after: Listing) -> list[str]:
    """The paths of what is new, gone or another."""
    return sorted(p for p in before.keys() | after.keys() if before.get(p) != after.get(p))


def _state(status: os.stat_result) -> tuple[int, ...]:
    return status.st_size, status.st_mtime_ns, status.st_ino


class Surroundings:
    """The current folder, as it was when it was last known to be at peace."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._told: int = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self._known = listing()
        self._watch()

    def changed(self) -> list[str]:
        """The paths of what is new, gone or another, since it was at peace."""
        return changes(self._known, listing()) if self._heard() else []

    def at_peace(self, paths: Iterable[str]) -> None:
        """Takes what stands at some paths now for what belongs there."""
        is_new = False
        for path in paths:
            self._known.pop(path, None)
            if os.path.isdir(path):  # noqa: PTH112  (often)
                self._known[path], is_new = (), True
            elif os.path.lexists(path):
                self._known[path] = _state(os.lstat(path))
        if is_new:
            self._watch()
        self._heard()

    def _watch(self) -> None:
        for folder in (".", *(path for path, state in self._known.items() if not state)):
            if self._libc.inotify_add_watch(self._told, os.fsencode(folder), _MASK) < 0:
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number), folder)

    def _heard(self) -> bool:
        """Whether the system has told of anything since it was last asked."""
        heard = False
        try:
            while os.read(self._told, _EVENTS):
                heard = True
        except BlockingIOError:
            return heard
        return heard
