"""The command `man`: the manual page."""

from __future__ import annotations

from types import SimpleNamespace

import typer

from ..app import app


@app.command()
def man() -> None:
    """Print the manual page of all commands, for `man` to show."""
    from ...compiler.system.provenance import own_version
    from ..manual import manual
    from . import application, names

    tree = vars(typer.main.get_command(application()))
    commands = {name: tree["commands"][name] for name in names()}
    print(manual(SimpleNamespace(**tree | {"commands": commands}), own_version()), end="")
