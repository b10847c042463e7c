"""Progress: how far a command is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Progress: TypeAlias = Callable[[int, int], None]
"""Receives how many samples are done, of how many."""


def no_progress(done: int, total: int) -> None:
    """Says nothing."""
