"""Runs that are asked to stop in their middle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import fusewright as fw
from fusewright.runtime.parallel.interrupt import Interrupt, Interrupted
from fusewright.runtime.search.loop import SearchResult


def stopped_and_resumed(
    space: fw.Spec,
    data: Any,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    batches: int = 3,
    **options: Any,
) -> SearchResult:
    """What a search finds that was stopped after some batches and then went on."""
    with monkeypatch.context() as patched:
        stop_after(batches, patched)
        with pytest.raises(fw.DiagnosticError, match="was stopped"):
            fw.search(space, data, out=out, **options)
    return fw.search(space, data, out=out, resume=True, **options)


def stop_after(batches: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a search be asked to stop after so many batches."""
    left = [batches]

    def check(_: Interrupt) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Interrupted

    monkeypatch.setattr(Interrupt, "check", check)
