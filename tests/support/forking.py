"""Processes that are forked to do work, and nothing of what the tests would do at their end."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import NoReturn

ENDING = 5.0
"""Seconds in which the system takes away a thread that was joined."""


def require_one_thread() -> None:
    """Raises AssertionError where a fork would leave out a thread that still runs."""
    until = monotonic() + ENDING
    while len(threads := [*Path("/proc/self/task").iterdir()]) > 1 and monotonic() < until:
        sleep(0.01)
    assert len(threads) == 1


def finish(work: Callable[[], object]) -> NoReturn:
    """Does work in a forked process and ends it: with 0, or with 1 where the work raises."""
    status = 1
    try:
        work()
        status = 0
    finally:
        os._exit(status)
