"""Runs that are asked to stop in their middle."""

from __future__ import annotations

import pytest

from fusewright.runtime.parallel.interrupt import Interrupt, Interrupted


def stop_after(batches: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a search be asked to stop after so many batches."""
    left = [batches]

    def check(_: Interrupt) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Interrupted

    monkeypatch.setattr(Interrupt, "check", check)
