"""The data sets of the BM-NAS paper as raw data, `NAME:FOLDER`: one file each, found by its place.

None of them is distributed here, and none could be had while this was written: what stands here
follows their authors' documents and code, and is tested on small data of the same form.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path

from ..data import RawData


@dataclass(frozen=True, slots=True)
class PublicSet:
    """A data set with one of its splits, under the name that `--raw NAME:FOLDER` has for it.

    `parts` are the samples of `train`, `validation` and `test` in the real data; so many of each
    are `listed` as lacking something, and are left out where the list lies in the folder. `lays`
    says what the folder holds.
    """

    name: str
    title: str
    split: str
    parts: Mapping[str, int]
    lays: str
    opened: Callable[[Path], RawData]
    listed: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def module(self) -> str:
        """The name of its module here."""
        home = getattr(self.opened, "func", self.opened)
        return str(home.__module__).rpartition(".")[2]


@cache
def public_sets() -> Mapping[str, PublicSet]:
    """All data sets by name: the `SETS` of every module here."""
    modules = sorted(module.name for module in pkgutil.iter_modules(__path__))
    every = [one for name in modules for one in import_module(f".{name}", __name__).SETS]
    return {one.name: one for one in every}


def public_place(raw: str) -> tuple[PublicSet, Path] | None:
    """The data set and the folder that `NAME:FOLDER` says; None where it is no such text."""
    name, colon, folder = raw.partition(":")
    known = public_sets()
    return (known[name], Path(folder)) if colon and folder and name in known else None
