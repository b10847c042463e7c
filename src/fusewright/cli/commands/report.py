"""The command `report`: a page about finished runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..app import Json, Runs, app, print_json
from ..screen.bar import Bar
from ..screen.warned import data_warnings


@app.command()
def report(
    runs: Runs,
    output: Annotated[Path, typer.Option("-o", "--output", help="FILE.html.")] = Path(
        "report.html"
    ),
    data: Annotated[
        Path | None, typer.Option(help="Features, to evaluate trained runs on their test split.")
    ] = None,
    json: Json = False,
) -> None:
    """Write a page about runs: what was searched, how it settled, what was found and its scores."""
    from ...runtime.report.build import report as write

    with data_warnings(), Bar("evaluate") as bar:
        result = write(runs, out=output, data=data, told=bar.show)
    if json:
        print_json({"report": str(output), **result.facts})
    else:
        print(f"report: {output}")
        for line in result.data:
            print(f"data: {line}")
