"""The command `check`: every mistake of specifications."""

from __future__ import annotations

import typer

from ...compiler.language.override import parse_numbers
from ..app import Json, Sets, SpecFiles, app


@app.command()
def check(files: SpecFiles, json: Json = False, sets: Sets = None) -> None:
    """Check specifications: syntax, names, shapes, rules."""
    from ..checking import check as find

    if find(files, json, parse_numbers(sets or [])):
        raise typer.Exit(1)
