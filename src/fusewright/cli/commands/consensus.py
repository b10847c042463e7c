"""The command `consensus`: the genotype that most searches agree with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..app import Json, Runs, app, print_json


@app.command()
def consensus(
    runs: Runs,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="FILE.fuse.")] = None,
    json: Json = False,
) -> None:
    """Print the genotype that most of several searches agree with."""
    from ...compiler.system.files import write_file
    from ...runtime.search.consensus import consensus as agree

    agreement = agree(runs)
    if output is not None:
        write_file(output, str(agreement.genotype).encode())
    if json:
        print_json(agreement.as_json())
        return
    if output is None:
        print(agreement.genotype)
    for support in agreement.support:
        print(support)
