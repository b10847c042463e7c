"""Commands that read finished runs: `report` and `consensus`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .app import Json, app, print_json
from .bar import Bar

Runs = Annotated[list[Path], typer.Argument(metavar="RUN…", help="Folders of finished runs.")]


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
    from ..runtime.report.build import report as write

    with Bar("evaluate") as bar:
        found = write(runs, out=output, data=data, told=bar.show)
    if json:
        print_json({"report": str(output), **found.facts})
    else:
        print(f"report: {output}")


@app.command()
def consensus(
    runs: Runs,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="FILE.fuse.")] = None,
    json: Json = False,
) -> None:
    """Print the genotype that most of several searches agree with."""
    from ..compiler.files import write_file
    from ..runtime.consensus import consensus as agree

    found = agree(runs)
    if output is not None:
        write_file(output, str(found.genotype).encode())
    if json:
        print_json(found.as_json())
        return
    if output is None:
        print(found.genotype)
    for support in found.support:
        print(f"{support.place}: {', '.join(support.picks)}, {100 * support.share:.0f} % of runs")
