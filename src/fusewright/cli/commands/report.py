"""The command `report`: a page about finished runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ...compiler.diagnostics.text import printable
from ...runtime.runs.names import GENOTYPE
from ..app import (
    Json,
    Quiet,
    Runs,
    app,
    print_json,
)
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
    quiet: Quiet = False,
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
        for name in result.facts["untested"]:
            genotype = printable(str(Path(name) / GENOTYPE))
            told = f"`{printable(name)}` is not trained, so it was not scored on test"
            print(f"note: {told}; train it: `fusewright train {genotype} …`", file=sys.stderr)
        for line in result.data:
            print(f"data: {line}")
