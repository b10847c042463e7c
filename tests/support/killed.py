"""Work that is killed at some of its calls of the system, in processes of its own, and done again.

NOTE: children are forked, so that each starts without importing torch; `kills.py` says what follows
from that.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from ..siege.faults import Fault, watched
from .forking import finish, require_one_thread

Work = Callable[[Path], object]
"""What is done into a folder; done again, it goes on with what is there."""
TORN = "torn"


def alone(work: Callable[[], object]) -> int:
    """Does work in a process of its own; the signal that killed it, or 0."""
    child = os.fork()
    if not child:
        finish(work)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or status == 0
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def counted(work: Work, home: Path) -> int:
    """How many calls work makes in peace."""
    reader, writer = os.pipe()

    def count() -> None:
        calls = watched(home, partial(work, home))
        os.write(writer, str(calls.count).encode())

    home.mkdir()
    assert alone(count) == 0
    return int(os.read(reader, 20))


def killed_and_done_again(work: Work, home: Path, faults: Iterable[Fault]) -> int:
    """Does work into `home0`, `home1`, … with a fault each, and again; how many were killed."""
    require_one_thread()
    killed = 0
    for number, fault in enumerate(faults):
        place = home.with_name(f"{home.name}{number}")
        place.mkdir()
        struck = alone(partial(watched, place, partial(work, place), fault))
        killed += struck in (signal.SIGKILL, signal.SIGXFSZ)
        assert alone(partial(work, place)) == 0
    return killed
