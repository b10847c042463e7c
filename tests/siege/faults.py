"""Faults of the machine: system calls that fail, disks that are full, processes that are killed.

Python tells an audit hook of each call that opens, makes, moves or removes a file, before it does.
The hook counts those in the current folder, and at one of them brings a fault about. A write itself
is not told of: what is open then takes no more than a few bytes (`RLIMIT_FSIZE`), whichever library
writes, and the process is told so or killed by the kernel in the middle of it.

NOTE: a hook stays for the life of a process; so faults happen in forked processes alone.
"""

from __future__ import annotations

import errno
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

EVENTS = (
    *("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink"),
    *("os.chmod", "os.truncate", "os.utime"),
)
REMOVAL = "the removal of drafts"
REMOVES = ("os.remove", "os.rmdir", REMOVAL)
TAKES_SPACE = ("os.mkdir", "os.rename", "os.link", "os.symlink")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
SOME_BYTES = 3
KILLS = ("kill", "torn", "clock")
FAULTS = ("ENOSPC", *KILLS, "EIO", "short", "kill")
"""In turns: a full disk, kills before a call, within a write and at a moment, an error, and a write
that is cut short."""


@dataclass(frozen=True)
class Fault:
    """A fault at the call of a number, from 1, or at a share of the time that the work takes."""

    kind: str
    call: int
    moment: float

    @classmethod
    def of(cls, seed: int, number: int, calls: int) -> Fault:
        """The fault of an input: kinds take turns, and each goes over all calls in time."""
        turn, kind = divmod(number, len(FAULTS))
        order = [*range(1, calls + 1)]
        Random(f"{seed}/{kind}/{turn // calls}").shuffle(order)
        moment = Random(f"{seed}/{number}").uniform(0.02, 0.98)
        return cls(FAULTS[kind], order[turn % calls], moment)

    @property
    def kills(self) -> bool:
        return self.kind in KILLS

    def __str__(self) -> str:
        where = f"at {self.moment:.0%} of the time" if self.kind == "clock" else f"call {self.call}"
        return f"{self.kind}, {where}"


@dataclass
class Calls:
    """The calls so far in a folder; `fault` is brought about at one of them, which is `struck`."""

    folder: str
    fault: Fault | None = None
    count: int = 0
    struck: str = ""
    full: bool = False
    busy: bool = False

    def watch(self) -> None:
        """Watches the calls of this process from now on."""
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if event not in EVENTS or self.busy:
            return
        self.busy = True  # what is looked at here opens files, too
        try:
            if self._is_here(arguments[0]):
                self._happen(event, arguments)
        finally:
            self.busy = False

    def _is_here(self, path: object) -> bool:
        if isinstance(path, int) or path is None:
            return False
        name = os.fsdecode(path)  # type: ignore[arg-type]
        return not os.path.isabs(name) or name.startswith(self.folder)  # noqa: PTH117  (often)

    def _happen(self, event: str, arguments: tuple[object, ...]) -> None:
        self.count += 1
        flags = arguments[2] if event == "open" else 0
        writes = isinstance(flags, int) and bool(flags & _WRITING)
        takes_space = writes or event in TAKES_SPACE
        if self.full and takes_space:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if self.fault is None or self.count != self.fault.call:
            return
        self.struck = event
        if event == "open" and Path(str(arguments[0])).is_dir():
            self.struck = REMOVAL  # nothing else opens a folder by this call
        match self.fault.kind:
            case "ENOSPC":
                self.full = True
                if takes_space:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            case "EIO":
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "short" | "torn":
                self._cut_short(str(arguments[0]), self.fault.kind == "torn")
            case _:
                pass

    def _cut_short(self, path: str, dies: bool) -> None:
        """From now on files hold no more than this one does, and a few bytes."""
        size = Path(path).stat().st_size if Path(path).is_file() else 0
        if dies:
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + SOME_BYTES, -1))


def watched(folder: Path, work: Callable[[], object], fault: Fault | None = None) -> Calls:
    """Does work whose calls in a folder are watched; returns them."""
    calls = Calls(str(folder.resolve()), fault)
    calls.watch()
    work()
    calls.busy = True
    return calls
