"""Progress: how far a command is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Progress: TypeAlias = Callable[[int, int], None]
"""Receives how many samples are done, of how many."""


def no_progress(done: int, total: int) -> None:
    """Says nothing."""


def clock_text(seconds: float) -> str:
    """Hours, minutes and seconds, as `0:01:05`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
