"""Processes that are forked to do work, and nothing of what the tests would do at their end."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NoReturn


def finish(work: Callable[[], object]) -> NoReturn:
    """Does work in a forked process and ends it: with 0, or with 1 where the work raises."""
    status = 1
    try:
        work()
        status = 0
    finally:
        os._exit(status)
