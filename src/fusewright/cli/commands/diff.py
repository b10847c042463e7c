"""The command `diff`: what changed between two architectures."""

from __future__ import annotations

from typing import Annotated

import typer

from ..app import Json, NamedSpec, app, print_json

ExitCode = Annotated[
    bool, typer.Option("--exit-code", help="Exit with 1 where there are differences.")
]


@app.command()
def diff(old: NamedSpec, new: NamedSpec, json: Json = False, exit_code: ExitCode = False) -> None:
    """Show what changed in the architecture from OLD to NEW, whatever their texts look like.

    A line begins with + for what was added, - for what was removed and ~ for what changed. The exit
    code is 0 whether or not there are differences, unless --exit-code is given.
    """
    from ...compiler.load import load
    from ...compiler.tools.difference import difference

    changes = difference(load(old), load(new))
    if json:
        print_json([change.as_json() for change in changes])
    else:
        for change in changes:
            print(change)
    if changes and exit_code:
        raise typer.Exit(1)
    if not changes and not json:
        typer.echo("no difference", err=True)
