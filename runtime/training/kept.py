"""A run that is kept while it lasts: its checkpoint, what that belongs to, and how it is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...compiler.system.files import remove
from ..data.identity import DataIdentity
from ..parallel.processes import rank, require_equal
from ..runs.checkpoint import State, read_checkpoint, write_checkpoint
from ..runs.folder import RunFolder
from ..runs.history import read_lines
from ..runs.names import checkpoint_file
from ..runs.saved import Saved

HISTORY = "history"
"""Under what a state keeps its records."""
LONGEST = 1_000_000_000
"""Characters of all records of a run."""


@dataclass(frozen=True)
class KeptRun:
    """Where a run is kept, and whether it goes on with what is there.

    Its checkpoint is read again under the `identity` alone that it was written with. It reads the
    `data`.
    """

    folder: RunFolder
    identity: str
    resume: bool
    data: DataIdentity

    @property
    def checkpoint(self) -> Path:
        """The file of its checkpoint."""
        return self.folder.path / checkpoint_file(self.folder.stage)

    def read(self) -> Saved | None:
        """What it goes on from, which is the same for all processes; None where it begins.

        Raises DiagnosticError where that is damaged, or of another run.
        """
        found = read_checkpoint(self.checkpoint, self.identity) if self.resume else None
        saved = None if found is None else Saved(found, str(self.checkpoint))
        require_equal("checkpoints", "" if saved is None else saved.at(HISTORY).text(LONGEST))
        return saved

    def write(self, state: State) -> None:
        """Writes where it is; the first of several processes does so for all."""
        if rank() == 0:
            write_checkpoint(self.checkpoint, self.identity, state)

    def drop(self) -> None:
        """Removes the checkpoint of a run that has ended, or that begins anew.

        Raises DiagnosticError where the system refuses.
        """
        if rank() == 0:
            remove(self.checkpoint)


def records_in(saved: Saved, stage: str, counted: str) -> list[dict[str, Any]]:
    """The records of a stage in the text of a checkpoint, `counted` from 1.

    Raises DiagnosticError where it has others.
    """
    records = read_lines(saved.text(LONGEST), saved.file)
    for number, record in enumerate(records, 1):
        if record.pop("stage") != stage or record.get(counted) != number:
            raise saved.wrong(f"records of {counted}s, of which the line {number} is none")
    return records
