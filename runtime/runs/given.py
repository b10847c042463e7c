"""Runs as people give them: folders, what was read of one, and results that are in memory."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Protocol, TypeAlias, cast

from ...compiler.diagnostics.diagnostic import fail
from .folder import RunFolder
from .read import FinishedRun, TrainedEnsemble, read_run, read_trained_ensemble


class HasRun(Protocol):
    """What is a run in memory: the result of a search or of a training."""

    @property
    def run(self) -> FinishedRun: ...


AnyRun: TypeAlias = FinishedRun | TrainedEnsemble
Run: TypeAlias = "str | PathLike[str] | AnyRun | HasRun"
"""A run: its folder, what was read of one, or the result of a search or a training."""


def any_run_of(given: Run) -> AnyRun:
    """What is given as a run, or as an ensemble; raises DiagnosticError where it is neither."""
    if isinstance(given, (FinishedRun, TrainedEnsemble)):
        return given
    if isinstance(given, (str, PathLike)):
        folder = RunFolder(Path(given))
        return read_trained_ensemble(folder) if folder.holds_ensemble else read_run(folder.path)
    if isinstance(found := getattr(given, "run", None), FinishedRun):
        return found
    message = f"a run is expected, and not a `{type(given).__name__}`"
    raise fail("E506", message, help="give a run folder, or what `search` or `train` gave")


def run_of(given: Run) -> FinishedRun:
    """What is given as a run; raises DiagnosticError for an ensemble, and as `any_run_of` does."""
    if isinstance(given, (str, PathLike)):
        return read_run(given)
    run = any_run_of(given)
    if isinstance(run, FinishedRun):
        return run
    raise fail("E507", f"`{run.name}` holds no search", help="give runs of `search`")


def listed(runs: Run | Sequence[Run]) -> list[Run]:
    """Runs, of which one may stand for itself."""
    several = isinstance(runs, Sequence) and not isinstance(runs, str)
    return [*cast("Sequence[Run]", runs)] if several else [cast("Run", runs)]
