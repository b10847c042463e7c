"""A progress bar on standard error."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import Progress


class Bar:
    """A bar that appears with the first progress, to be used in a `with` statement.

    NOTE: it is redrawn by hand: a thread that redraws takes turns with those of torch and slows
    them.
    """

    def __init__(self, what: str) -> None:
        self.done = 0
        self._progress = _progress()
        self._task = self._progress.add_task(what, total=None, numbers="")

    def show(self, done: int, total: int | None, numbers: str = "") -> None:
        """Draws how much is done, of how much, with numbers below it."""
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


def _progress() -> Progress:
    """A bar with a line of numbers of its own, which a narrow terminal wraps."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )
    from rich.text import Text

    class WithNumbers(Progress):
        def get_renderables(self) -> Iterable[RenderableType]:
            yield from super().get_renderables()
            yield from (Text(t.fields["numbers"]) for t in self.tasks if t.fields["numbers"])

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return WithNumbers(*columns, console=Console(stderr=True), auto_refresh=False)
