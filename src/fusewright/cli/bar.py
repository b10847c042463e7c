"""A progress bar on standard error."""

from __future__ import annotations

from types import TracebackType
from typing import Self


class Bar:
    """A bar that appears with the first progress, to be used in a `with` statement.

    NOTE: it is redrawn by hand: a thread that redraws takes turns with those of torch and slows
    them.
    """

    def __init__(self, what: str) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
        )

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[numbers]}"),
        )
        self.done = 0
        self._progress = Progress(*columns, console=Console(stderr=True), auto_refresh=False)
        self._task = self._progress.add_task(what, total=None, numbers="")

    def show(self, done: int, total: int, numbers: str = "") -> None:
        """Draws how much is done, of how much, with numbers beside it."""
        self.done = done
        self._progress.start()
        self._progress.update(
            self._task, completed=done, total=total, numbers=numbers, refresh=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._progress.live.is_started:
            self._progress.stop()
