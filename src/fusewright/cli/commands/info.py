"""The command `info`: what a specification amounts to."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.language.spec import Spec
from ...compiler.system.memory import available_memory, memory_text
from ..app import Json, Sets, SpecFile, app, load_with, print_json
from ..screen.warned import data_warnings

if TYPE_CHECKING:
    from ...compiler.passes import Stage as PassStage


class Stage(StrEnum):
    network = "network"
    graph = "graph"
    program = "program"
    training = "training"
    compiled = "compiled"
    inference = "inference"


_PASSES: Mapping[Stage, PassStage] = {
    Stage.training: "training",
    Stage.compiled: "compiled",
    Stage.inference: "inference",
}


@app.command()
def info(
    file: SpecFile,
    passes: Annotated[
        bool, typer.Option("--passes", help="Show what each pass of the compiler changes.")
    ] = False,
    stage: Annotated[
        Stage | None,
        typer.Option(help="Print this stage; with --passes: whose passes, by default training."),
    ] = None,
    after: Annotated[
        str | None,
        typer.Option(
            metavar="PASS|STAGE", help="With --stage program: after a pass, or all of a stage."
        ),
    ] = None,
    profile: Annotated[
        Path | None, typer.Option(help="A machine's latency profile, to judge budgets with.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Data to be learned from: what about them may cost accuracy."),
    ] = None,
    json: Json = False,
    sets: Sets = None,
) -> None:
    """Show the size of a specification: parameters, multiply-adds, distinct architectures.

    With `--data`, it says what commonly costs accuracy on them.
    """
    from ...compiler.tools.describe import describe, describe_passes, passes_table, summary

    if stage is not None and stage in (Stage.network, Stage.graph, Stage.program):
        if json or profile is not None:
            raise fail("E506", "a stage is printed as text", help="leave out the other options")
        print(_printed(load_with(file, sets), stage.value, passes, after), end="")
        return
    if after is not None:
        raise fail("E506", "`--after` says which Program is printed", help="add `--stage program`")
    if stage is not None and not passes:
        raise fail("E506", "`--stage` says whose passes are shown", help="add `--passes`")
    if passes:
        if data is not None:
            raise fail("E506", "passes read no data", help="leave out `--data`")
        rows = describe_passes(load_with(file, sets), _PASSES[stage or Stage.training])
        print_json(rows) if json else print(passes_table(rows))
        return
    measured = None
    if profile is not None:
        from ...runtime.latency.profile import read_profile

        measured = read_profile(profile)
    spec = load_with(file, sets)
    described = describe(spec, measured)
    _warn(described["memory"])
    if data is not None:
        with data_warnings() as described["warnings"]:
            _guide(spec, data)
    if json:
        print_json(described)
    else:
        print(summary(described))


def _guide(spec: Spec, path: Path) -> None:
    """Warns of what commonly costs accuracy on data."""
    from ...runtime.data.checks import warn
    from ...runtime.data.guidance import doubts_of

    warn(doubts_of(spec, path))


def _warn(memory: dict[str, Any]) -> None:
    """Says on standard error where training will need more than this machine has."""
    there = available_memory()
    if there is not None and memory["total"] > there:
        needed = f"training needs about {memory_text(memory['total'])} of memory"
        print(f"warning: {needed}, and this machine has {memory_text(there)}", file=sys.stderr)


def _printed(spec: Spec, stage: str, passes: bool, after: str | None) -> str:
    """A stage of the arrow as text."""
    from ...compiler.tools.stages import graph_text, network_text, program_text, programs_text

    if stage != "program" and (passes or after is not None):
        raise fail("E506", f"no pass runs on a {stage}", help="print `--stage program`")
    if passes and after is not None:
        raise fail("E506", "`--passes` prints the Program after each", help="leave out `--after`")
    if stage == "program":
        return (
            programs_text(spec, "training") if passes else program_text(spec, after or "lowering")
        )
    return network_text(spec) if stage == "network" else graph_text(spec)
