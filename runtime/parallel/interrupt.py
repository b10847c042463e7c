"""Runs that are asked to stop, together in all processes."""

from __future__ import annotations

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
