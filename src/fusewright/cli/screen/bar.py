"""How far a command is, on standard error: a bar on a terminal, lines elsewhere.

With `--json` the lines are JSON, an object for each.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from json import dumps
from math import isfinite
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from ...runtime.progress import clock_text

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import Progress

FIRST = 2.0
"""Seconds until the first line; what takes less leaves none."""
SHORTEST, LONGEST, SHARE = 10.0, 300.0, 0.1
"""Seconds from line to line: a share of those that have passed, within bounds."""
OFTEN = 0.2
"""Seconds from one JSON line to the next at least; the last is always there."""
NONE: Mapping[str, float] = {}
_quiet = _json = False


def be_quiet(quiet: bool) -> bool:
    """Shows no progress from now on, or shows it."""
    global _quiet  # noqa: PLW0603  (what the screen shows is one thing for the process)
    _quiet = quiet
    return quiet


def in_json(json: bool) -> bool:
    """Writes progress as JSON from now on where standard error is no terminal, or as text."""
    global _json  # noqa: PLW0603  (as above)
    _json = json
    return json


class _Shown(Protocol):
    def show(
        self, done: int, total: int | None, numbers: str, values: Mapping[str, float]
    ) -> None: ...

    def end(self) -> None: ...


class Bar:
    """Progress that appears with the first of it, to be used in a `with` statement.

    Where standard error is no terminal, it is a line every now and then, at most `LONGEST` apart.
    """

    def __init__(self, what: str) -> None:
        self.done = 0
        is_terminal = sys.stderr is not None and sys.stderr.isatty()
        lines = JsonLines if _json else Lines
        self._shown: _Shown = _Drawn(what) if is_terminal else lines(what)
        if _quiet:
            self._shown = _Nothing()

    def show(
        self, done: int, total: int | None, numbers: str = "", values: Mapping[str, float] = NONE
    ) -> None:
        """Shows how much is done, of how much, with numbers beside it, as text and by name."""
        self.done = done
        self._shown.show(done, total, numbers, values)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._shown.end()


class Lines:
    """A line of progress at intervals that grow, and one at the end."""

    def __init__(self, what: str, clock: Callable[[], float] = monotonic) -> None:
        self._what, self._clock = what, clock
        self._start = clock()
        self._next = FIRST
        self._last: tuple[int, int | None, str] | None = None

    def show(
        self, done: int, total: int | None, numbers: str, values: Mapping[str, float] = NONE
    ) -> None:
        passed = self._clock() - self._start
        self._last = (done, total, numbers)
        if passed >= self._next:
            self._print(passed)
            self._next = passed + min(LONGEST, max(SHORTEST, SHARE * passed))

    def end(self) -> None:
        """The last line, where there was one before it and it says more than that."""
        if self._last is not None and self._next > FIRST:
            self._print(self._clock() - self._start)

    def _print(self, passed: float) -> None:
        if self._last is None:
            return
        done, total, numbers = self._last
        self._last = None
        parts = [f"{self._what} {done:,}" + (f"/{total:,}" if total else ""), clock_text(passed)]
        if total and 0 < done < total:
            parts.append(f"{clock_text(passed * (total - done) / done)} left")
        print(", ".join(parts) + (f": {numbers}" if numbers else ""), file=sys.stderr, flush=True)


class JsonLines:
    """Progress as objects, a line each: for rounds and epochs with their numbers by name."""

    def __init__(self, what: str, clock: Callable[[], float] = monotonic) -> None:
        self._what, self._clock = what, clock
        self._start, self._next = clock(), 0.0
        self._last: dict[str, Any] | None = None

    def show(
        self, done: int, total: int | None, numbers: str, values: Mapping[str, float] = NONE
    ) -> None:
        passed = self._clock() - self._start
        left = passed * (total - done) / done if total and done else None
        self._last = {"progress": self._what, "done": done, "total": total}
        self._last |= {"seconds": round(passed, 3), "left": left and round(left, 3)}
        self._last |= {name: value for name, value in values.items() if isfinite(value)}
        if passed >= self._next:
            self.end()
            self._next = passed + OFTEN

    def end(self) -> None:
        """The last line, where it is not there yet."""
        if self._last is not None:
            print(dumps(self._last), file=sys.stderr, flush=True)
        self._last = None


class _Nothing:
    def show(
        self, done: int, total: int | None, numbers: str, values: Mapping[str, float] = NONE
    ) -> None:
        pass

    def end(self) -> None:
        pass


class _Drawn:
    """A bar on a terminal.

    NOTE: it is redrawn by hand: a thread that redraws takes turns with those of torch and slows
    them.
    """

    def __init__(self, what: str) -> None:
        self._progress = _progress()
        self._task = self._progress.add_task(what, total=None, numbers="")

    def show(
        self, done: int, total: int | None, numbers: str, values: Mapping[str, float] = NONE
    ) -> None:
        self._progress.start()
        self._progress.update(
            self._task, completed=done, total=total, numbers=numbers, refresh=True
        )

    def end(self) -> None:
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
        TimeRemainingColumn,
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
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    # Rounds differ in length, and come seldom: what is left is estimated over all of them.
    console, always = Console(stderr=True), float(LONGEST * 1000)
    return WithNumbers(*columns, console=console, auto_refresh=False, speed_estimate_period=always)
