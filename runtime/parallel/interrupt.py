"""Runs that are asked to stop, together in all processes."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from signal import SIGINT, SIGTERM, getsignal, signal
from threading import current_thread, main_thread
from typing import Any

from .processes import any_asks, joined

BETWEEN_AGREEMENTS = 16


class Interrupt:
    """Whether a run has been asked to stop; it does so after the batch that it is in."""

    def __init__(self) -> None:
        self.asked, self._checks = False, 0

    def check(self) -> None:
        """Raises Interrupted if the run has been asked to stop.

        Processes that run together stop at the same batch: they agree on it now and then.
        """
        self._checks += 1
        if joined() and self._checks % BETWEEN_AGREEMENTS:
            return
        if any_asks(self.asked):
            raise Interrupted


class Interrupted(Exception):
    """A run was asked to stop; what it had done can be gone on with."""


@contextmanager
def stopping_on_signals(interrupt: Interrupt) -> Generator[None]:
    """Within, a first SIGTERM or SIGINT asks a run to stop; a second one does what it would have.

    Signals reach the main thread alone; elsewhere nothing changes.
    """
    if current_thread() is not main_thread():
        yield
        return
    before = {number: getsignal(number) for number in (SIGTERM, SIGINT)}

    def ask(number: int, frame: Any) -> None:
        interrupt.asked = True
        for one, handler in before.items():
            signal(one, handler)

    for number in before:
        signal(number, ask)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal(number, handler)
