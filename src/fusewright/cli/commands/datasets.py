"""The commands `datasets …`: the paper's data sets, listed, checked, prepared, and made small."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ...compiler.diagnostics.diagnostic import DiagnosticError, did_you_mean, fail, one_of
from ...compiler.diagnostics.text import printable
from ..app import Commands, Json, app, print_json
from ..screen.bar import Bar

datasets = typer.Typer(cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False)
app.add_typer(
    datasets, name="datasets", help="List, check, prepare and imitate the paper's data sets."
)
Place = Annotated[
    str, typer.Argument(metavar="NAME:FOLDER", help="A data set, as `extract --raw` takes it.")
]


def _known(name: str) -> Any:
    """The data set of a name; raises DiagnosticError where there is none."""
    from ...runtime.raw.public import public_sets

    known = public_sets()
    if name not in known:
        remedy = did_you_mean(name, known) or f"there is {one_of([*known], 10)}"
        raise fail("E506", f"there is no data set `{name}`", help=remedy)
    return known[name]


def _place(text: str) -> tuple[Any, Path]:
    name, colon, folder = text.partition(":")
    if not (colon and folder):
        raise fail("E506", f"`{text}` names no folder", help="write `NAME:FOLDER`, as `ntu:NTU`")
    return _known(name), Path(folder)


@datasets.command("list")
def list_(json: Json = False) -> None:
    """List the data sets with their splits, and what their folders hold."""
    from ...runtime.raw.public import public_sets

    sets = public_sets().values()
    if json:
        print_json(
            [
                {"name": s.name, "title": s.title, "split": s.split, "samples": dict(s.parts)}
                for s in sets
            ]
        )
        return
    for one in sets:
        parts = ", ".join(f"{part} {count:,}" for part, count in one.parts.items())
        print(f"{one.name}: {one.title}, {one.split}")
        print(f"    {parts}; a folder with {one.lays}")


@datasets.command()
def check(
    place: Place,
    decode: Annotated[
        bool, typer.Option("--decode", help="Read and decode every value too.")
    ] = False,
    json: Json = False,
) -> None:
    """Count the samples of a data set, and say what is wrong with it; exit code 1 if anything."""
    from ...runtime.raw.check import check_public
    from ..screen.show import as_json

    public, folder = _place(place)
    with Bar("check") as bar:
        checked = check_public(public, folder, decode=decode, progress=bar.show)
    if json:
        print_json(
            {
                "name": public.name,
                "samples": checked.found,
                "lacking": checked.lacking,
                "diagnostics": [as_json(one) for one in checked.diagnostics],
            }
        )
        raise typer.Exit(1 if checked.diagnostics else 0)
    for part, count in checked.found.items():
        print(f"{part}: {count:,} samples")
    for column, count in checked.lacking.items():
        print(f"{column}: {count:,} samples have none")
    if checked.diagnostics:
        raise DiagnosticError(list(checked.diagnostics))


@datasets.command()
def prepare(place: Place, json: Json = False) -> None:
    """Make the videos of NTU RGB+D smaller, beside them; a rerun goes on."""
    from ...runtime.raw.prepare import prepare as run

    public, folder = _place(place)
    with Bar("prepare") as bar:
        result = run(public, folder, bar.show)
    if json:
        facts = {"folder": str(result.folder), "made": result.made, "kept": result.kept}
        print_json({**facts, "broken": [one.message for one in result.broken]})
        raise typer.Exit(1 if result.broken else 0)
    print(f"`{printable(str(result.folder))}`: {result.made:,} made, {result.kept:,} kept")
    if result.broken:
        raise DiagnosticError(result.broken)


@datasets.command()
def tiny(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A data set, as `ntu`.")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="A folder to write.")],
    samples: Annotated[int, typer.Option(help="How many samples.")] = 24,
    seed: Annotated[int, typer.Option(help="What is drawn.", min=0)] = 0,
    json: Json = False,
) -> None:
    """Write small data in the form of a data set, drawn at random: to try what reads it."""
    from ...runtime.raw.tiny import write_tiny

    write_tiny(_known(name), out, samples, seed)
    if json:
        print_json({"folder": str(out), "samples": samples})
        return
    print(f"`{printable(str(out))}`: {samples:,} samples, to be read as `{name}:{out}`")
