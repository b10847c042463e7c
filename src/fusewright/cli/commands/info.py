"""The command `info`: what a specification amounts to."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ...compiler.diagnostics.diagnostic import fail
from ..app import Json, Sets, SpecFile, app, load_with, print_json


class Stage(StrEnum):
    training = "training"
    compiled = "compiled"
    inference = "inference"


@app.command()
def info(
    file: SpecFile,
    passes: Annotated[
        bool, typer.Option("--passes", help="Show what each pass of the compiler changes.")
    ] = False,
    stage: Annotated[
        Stage | None, typer.Option(help="With --passes: whose passes; by default for training.")
    ] = None,
    profile: Annotated[
        Path | None, typer.Option(help="A machine's latency profile, to judge budgets with.")
    ] = None,
    json: Json = False,
    sets: Sets = None,
) -> None:
    """Show the size of a specification: parameters, multiply-adds, distinct architectures."""
    from ...compiler.tools.describe import describe, describe_passes, passes_table, summary

    if stage is not None and not passes:
        raise fail("E506", "`--stage` says whose passes are shown", help="add `--passes`")
    if passes:
        rows = describe_passes(load_with(file, sets), (stage or Stage.training).value)
        print_json(rows) if json else print(passes_table(rows))
        return
    measured = None
    if profile is not None:
        from ...runtime.latency.profile import read_profile

        measured = read_profile(profile)
    described = describe(load_with(file, sets), measured)
    if json:
        print_json(described)
    else:
        print(summary(described))
