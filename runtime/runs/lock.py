"""A run folder's owner: the one process that writes into it, as `run.lock` says."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ...compiler.system.drafts import sweep
from ...compiler.system.files import entries, is_folder
from ...compiler.system.lock import owned
from .names import ENSEMBLE_FOLDER, HISTORY, LOCK


@contextmanager
def locked(folder: Path, command: str) -> Generator[None]:
    """Within, no other process writes into a folder, which is made where there is none.

    The lock of a run is that of the ensemble within it, too. Drafts that a process left which was
    killed are removed. Raises DiagnosticError at once where another process has the lock, or may
    have it, and where nothing can be written.
    """
    is_found = folder.name == ENSEMBLE_FOLDER and (folder.parent / HISTORY).exists()
    place = folder.parent if is_found else folder
    with owned(place, LOCK, command, "E507"):
        for home in (place, *filter(is_folder, entries(place))):
            sweep(home)
        yield
