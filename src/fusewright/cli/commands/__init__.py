"""The commands, one file each: found by their place, and imported when they are called.

A module registers its command with `app`, and imports what the command uses when it runs.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

import typer

from ..app import app

ORDER = (
    *("new", "check", "format", "convert", "info", "ops", "load", "import", "draw", "explain"),
    *("diff", "compile", "search", "train", "evaluate", "predict", "demo", "report", "consensus"),
    *("reproduce", "profile", "inspect", "extract", "features", "lsp", "man"),
)
"""How `fusewright --help` lists the commands; those that it does not name come last."""


def names() -> list[str]:
    """The names of all commands; a keyword of Python has an underscore behind it as a module."""
    commands = sorted(m.name.rstrip("_").replace("_", "-") for m in pkgutil.iter_modules(__path__))
    return sorted(commands, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))


def application(name: str = "") -> typer.Typer:
    """The application with one command, or with all where there is none of that name."""
    for one in [name] if name in names() else names():
        module = one.replace("-", "_")
        home = f".{module}_" if module == "import" else f".{module}"
        import_module(home, __name__)
    return app
