"""How long work may take on this machine, now: limits are said for a quiet one.

Tests share their machine, and a limit in seconds fails where it is busy. A limit here is a multiple
of a yardstick: work of a fixed size, timed beside the work that is judged. Work that grows with
the wrong power of its input misses such a limit by orders of magnitude on any machine.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from time import process_time
from typing import TypeVar

T = TypeVar("T")
QUIET = 0.01
"""Seconds of the yardstick on the quiet machine that limits are said for."""


def seconds_of(work: Callable[[], T]) -> tuple[T, float]:
    """What work returns, and its seconds of processor as they would be on a quiet machine.

    The heap that other tests left is not searched for garbage meanwhile.
    """
    gc.freeze()
    try:
        before = _yardstick()
        start = process_time()
        result = work()
        seconds = process_time() - start
        slowness = max(before, _yardstick()) / QUIET
    finally:
        gc.unfreeze()
    return result, seconds / max(1.0, slowness)


def _yardstick() -> float:
    """Seconds of processor that objects, names and text take."""
    start = process_time()
    words = [f"name_{i % 997} = {i}" for i in range(12_000)]
    counts: dict[str, int] = {}
    for word in words:
        name = word.partition(" = ")[0]
        counts[name] = counts.get(name, 0) + 1
    return process_time() - start
