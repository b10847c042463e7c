"""What notebooks show is drawn above everything: who draws it says so here."""

from __future__ import annotations

from collections.abc import Callable, MutableSequence

Bundle = dict[str, str]
"""What is shown, by media type."""
_DRAWERS: MutableSequence[Callable[[object], Bundle]] = []


def shown_by(drawer: Callable[[object], Bundle]) -> None:
    """Lets a function say what notebooks show of every `Displayed`."""
    _DRAWERS[:] = [drawer]


class Displayed:
    """What a notebook shows by a picture or a page."""

    __slots__ = ()

    def _repr_mimebundle_(self, **_: object) -> Bundle:
        """What a notebook shows; called by IPython."""
        return _DRAWERS[0](self) if _DRAWERS else {"text/plain": repr(self)}
