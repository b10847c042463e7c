"""The command `reproduce`: a table or figure of the BM-NAS paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ...runtime.backbones.options import BackboneOptions
from ..app import Json, app, print_json
from ..options import Backbones, backbones_from, with_options
from ..screen.bar import Bar
from ..screen.warned import data_warnings

SEEDS = 5


@app.command()
@with_options(BackboneOptions, "extract", into="opened")
def reproduce(
    table: Annotated[
        str, typer.Argument(metavar="TABLE", help="1 to 8, figure-7 or figure-8, of BM-NAS.")
    ],
    opened: dict[str, Any],
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="The folder to write, or to go on with.")
    ] = Path("reproduced"),
    data: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME:STORE", help="Features of mmimdb, ntu or egogesture."),
    ] = None,
    raw: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME:FOLDER", help="Raw data of them, as `extract` takes them."),
    ] = None,
    backbones: Backbones = None,
    seeds: Annotated[
        int, typer.Option(min=1, max=1_000, help="How often each row is searched and trained.")
    ] = SEEDS,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, …")] = None,
    threads: Annotated[int | None, typer.Option(min=0, max=1024, help="As for `search`.")] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Show rows, their cost and what is missing; run nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Run a table of the BM-NAS paper row by row, and write it beside the paper's figures."""
    from ...runtime.reproduce.run import plan as planned
    from ...runtime.reproduce.run import reproduce as run
    from ...runtime.reproduce.sets import read_given
    from ...runtime.reproduce.tables import table_of
    from ...runtime.reproduce.write import as_text, plan_as_json, plan_as_text

    wanted, given = table_of(table), read_given(data or [], raw or [])
    known = backbones_from(backbones, opened)
    if plan:
        rows = planned(wanted, out, given)
        if json:
            print_json(plan_as_json(wanted, rows, seeds))
        else:
            print(plan_as_text(wanted, rows, seeds))
        return
    options: dict[str, Any] = {"device": device, "threads": threads}
    with data_warnings() as warned, Bar("reproduce") as bar:
        found = run(
            wanted,
            out,
            given,
            seeds=seeds,
            told=lambda what: bar.show(bar.done + 1, None, what),
            backbones=known,
            options={name: value for name, value in options.items() if value is not None},
        )
    if json:
        rows_json = [
            {"row": one.row.name, "seeds": len(one.done), "not_run": one.why or None}
            for one in found.outcomes
        ]
        print_json({"files": [*map(str, found.files)], "rows": rows_json, "warnings": warned})
        return
    print(as_text(found.table, found.outcomes), end="")
    for path in found.files:
        print(path)
