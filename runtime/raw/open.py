"""Raw data by their place: every module of `sources/` says which it can open."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, TypeAlias, cast

from ...compiler.diagnostics.diagnostic import did_you_mean, fail
from ...compiler.system.files import is_there
from . import sources
from .data import RawData
from .public import PublicSet, public_place, public_sets

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
    """Raw data from a file, a folder, or a data set `NAME:FOLDER` of the paper; in Python, also
    from a torch `Dataset` of dicts.

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
        if (public := public_place(str(raw))) is not None:
            return _public(*public)
        name, colon, _ = str(raw).partition(":")
        remedy = did_you_mean(name, public_sets()) if colon else None
        message = f"`{place}` cannot be read: no such file or directory"
        raise fail("E504", message, help=remedy)
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


def _public(public: PublicSet, folder: Path) -> RawData:
    """A data set of the paper in a folder; raises DiagnosticError where it is not there."""
    if not is_there(folder):
        message = f"`{folder}` cannot be read: no such file or directory"
        raise fail("E504", message, help=f"`{public.name}` is a folder with {public.lays}")
    return public.opened(folder)
