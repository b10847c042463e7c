"""The cycle collector, which finds nothing in what the compiler makes."""

from __future__ import annotations

import gc
from _thread import allocate_lock


class _CollectorOff:
    """Without the cycle collector, which takes up to two thirds of the time of a large program.

    The collector is the whole process's: the first that enters switches
    it off, and the last that leaves, in whichever thread, switches it on if it was.
    """

    def __init__(self) -> None:
        self._lock, self._inside, self._was_on = allocate_lock(), 0, False

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._was_on = gc.isenabled()
                gc.disable()
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside and self._was_on:
                gc.enable()


COLLECTOR_OFF = _CollectorOff()
