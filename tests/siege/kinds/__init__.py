"""The kinds of files, a module for each family of them: found by their place.

A module has `KINDS`. A kind names the files of the home that are of it, how one is mutated, and the
commands that read it there; `test_siege.py` says which commands and files none reads yet.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module

from ..target import Kind


@cache
def kinds() -> Mapping[str, Kind]:
    """All kinds by name."""
    modules = sorted(module.name for module in pkgutil.iter_modules(__path__))
    every = [kind for name in modules for kind in import_module(f".{name}", __name__).KINDS]
    named = {kind.name: kind for kind in every}
    assert len(named) == len(every), "two kinds have one name"
    return named
