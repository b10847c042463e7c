"""What notebooks show is written above everything: this is the way there."""

from __future__ import annotations


class Displayed:
    """What a notebook shows by a picture or a page, as `fusewright.notebook` has it."""

    __slots__ = ()

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """What a notebook shows, by media type; called by IPython."""
        from ...notebook import bundle

        return bundle(self)
