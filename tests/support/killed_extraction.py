"""An extraction that is killed again and again: `python -m tests.support.killed_extraction HOME`.

It runs once in peace into `whole/store`, and then is killed at twenty moments: before a call of the
system, and within a write, from the first shard to the manifest. Each time it is done again.

NOTE: children are forked, so that each starts without importing torch; `kills.py` says what follows
from that.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

import torch

from ..siege.faults import Fault, watched
from .extracting import extracted
from .forking import finish, require_one_thread
from .raw import table

MOMENTS = 20
LAST = 12
"""How many of the moments are among the last calls, which write the manifest."""


def alone(work: Callable[[], object]) -> int:
    """Does work in a process of its own; the signal that killed it, or 0."""
    child = os.fork()
    if not child:
        finish(work)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or status == 0
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def work(raw: Path, home: Path) -> None:
    extracted(home, raw=raw)


def counted(raw: Path, home: Path) -> int:
    """How many calls an extraction in peace makes."""
    reader, writer = os.pipe()

    def count() -> None:
        calls = watched(home, partial(work, raw, home))
        os.write(writer, str(calls.count).encode())

    assert alone(count) == 0
    return int(os.read(reader, 20))


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    raw = table(folder / "raw", 6, missing=(3, 4))
    work(raw, folder / "first")  # what is imported late, once for all children
    require_one_thread()
    for name in ("whole", *(f"killed{moment}" for moment in range(MOMENTS))):
        (folder / name).mkdir()
    calls = counted(raw, folder / "whole")
    early = Random(0).sample(range(1, calls - LAST + 1), MOMENTS - LAST)
    killed = 0
    for moment, call in enumerate([*early, *range(calls - LAST + 1, calls + 1)]):
        home = folder / f"killed{moment}"
        is_torn = moment % 2 and call < calls - 8  # after those, nothing more is written
        fault = Fault("torn" if is_torn else "kill", call, 0)
        signals = alone(partial(watched, home, partial(work, raw, home), fault))
        killed += signals in (signal.SIGKILL, signal.SIGXFSZ)
        assert alone(partial(work, raw, home)) == 0
    print(killed)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
