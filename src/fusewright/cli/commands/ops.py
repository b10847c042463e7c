"""The command `ops`: operations with their equations."""

from __future__ import annotations

from typing import Annotated

import typer

from ..app import Json, app, print_json


@app.command()
def ops(
    file: Annotated[
        str | None, typer.Argument(metavar="[LIBRARY|FILE]", help="A library or specification.")
    ] = None,
    latex: Annotated[
        bool, typer.Option("--latex", help="Print a LaTeX table, as it goes into a paper.")
    ] = False,
    json: Json = False,
) -> None:
    """List operations and roles with their equations."""
    from ...compiler.tools.operations import equations_of, latex_table, listing

    equations = equations_of(file)
    if json:
        print_json(equations)
    else:
        print(latex_table(equations) if latex else listing(equations))
