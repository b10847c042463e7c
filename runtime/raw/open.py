"""Raw data by their place: every module of `sources/` says which it can open."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, TypeAlias, cast

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.system.files import is_there
from . import sources
from .data import RawData

Raw: TypeAlias = Path | str | RawData | Any
"""Where raw data are: a path, raw data, or a torch `Dataset` of dicts."""


class Source(Protocol):
    """The module of a source."""

    FORM: str
    """What it opens, as a diagnostic names it."""

    def claims(self, place: Path) -> bool:
        """Whether what is there is of its form, without reading more than names."""
        ...

    def opened(self, place: Path, root: Path | None) -> RawData: ...


@cache
def _sources() -> tuple[Source, ...]:
    names = sorted(module.name for module in pkgutil.iter_modules(sources.__path__))
    return tuple(cast("Source", import_module(f".{name}", sources.__name__)) for name in names)


def open_raw(raw: Raw, root: Path | None = None) -> RawData:
    """Raw data from a file, a folder or, in Python, a torch `Dataset` of dicts.

    Files that a table names are relative to its folder, or to `root`, and none leaves it. Raises
    DiagnosticError where nothing there can be opened.
    """
    if isinstance(raw, RawData):
        return raw
    if not isinstance(raw, Path | str):
        from .dataset import of_dataset

        return of_dataset(raw)
    place = Path(raw)
    if not is_there(place):
        raise fail("E504", f"`{place}` cannot be read: no such file or directory")
    source = next((one for one in _sources() if one.claims(place)), None)
    if source is None:
        forms = ", ".join(one.FORM for one in _sources())
        raise fail(
            "E504", f"`{place}` holds no raw data that is known", help=f"name one of {forms}"
        )
    data = source.opened(place, root)
    if not data.samples:
        raise fail("E504", f"`{place}` holds no sample")
    return data
