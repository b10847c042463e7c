"""Processes that are forked to do work, and nothing of what the tests would do at their end."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from time import monotonic, sleep
from typing import NoReturn

PREPARED = ("jemalloc_bg_thd",)
"""Threads of pyarrow's allocator, which holds its locks over a fork and starts them anew."""
ENDING = 5.0
"""Seconds in which the system takes away a thread that was joined."""
LATE = (
    "torch._dynamo",
    "torch.distributed",
    "torchmetrics",
    "fusewright.runtime.search.search",
    "fusewright.runtime.joint.train",
    "fusewright.runtime.extract.extract",
)
"""What runs import late."""


def prepare_to_fork() -> None:
    """Imports what takes long, once for all processes that are forked, which may be done then."""
    for name in LATE:
        import_module(name)
    require_one_thread()


def require_one_thread() -> None:
    """Raises AssertionError where a fork would leave out a thread that still runs."""
    until = monotonic() + ENDING
    while len(threads := _threads()) > 1 and monotonic() < until:
        sleep(0.01)
    assert len(threads) == 1, threads


def _threads() -> list[str]:
    """The names of the threads of this process, without those that are ready for a fork."""
    found: list[str] = []
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # it has ended
            found.append((task / "comm").read_text().strip())
    return [name for name in found if name not in PREPARED]


def finish(work: Callable[[], object]) -> NoReturn:
    """Does work in a forked process and ends it: with 0, or with 1 where the work raises."""
    status = 1
    try:
        work()
        status = 0
    except BaseException:  # noqa: BLE001  (whatever it is, it is told, and the process ends)
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)
