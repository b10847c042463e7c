"""What notebooks show is drawn above everything: who draws it, and progress, says so here."""

from __future__ import annotations

from collections.abc import Callable, MutableSequence
from typing import Any

Report = Callable[[dict[str, Any]], None]
"""Receives the record of a round or an epoch when it is over."""
Shower = Callable[[str, int | None], Report | None]
"""Gives what shows the records of a search or a training, of so many in all; None for nothing."""
_SHOWERS: MutableSequence[Shower] = []
Bundle = dict[str, str]
"""What is shown, by media type."""
_DRAWERS: MutableSequence[Callable[[object], Bundle]] = []


def shown_by(drawer: Callable[[object], Bundle]) -> None:
    """Lets a function say what notebooks show of every `Displayed`."""
    _DRAWERS[:] = [drawer]


def progress_shown_by(shower: Shower) -> None:
    """Lets a function say what shows searches and trainings that are called in Python."""
    _SHOWERS[:] = [shower]


def usual_report(what: str, total: int | None = None) -> Report | None:
    """What shows records where no `report` is given: a notebook's bar, and else nothing."""
    return _SHOWERS[0](what, total) if _SHOWERS else None


class Displayed:
    """What a notebook shows by a picture or a page."""

    __slots__ = ()

    def _repr_mimebundle_(self, **_: object) -> Bundle:
        """What a notebook shows; called by IPython."""
        return _DRAWERS[0](self) if _DRAWERS else {"text/plain": repr(self)}
