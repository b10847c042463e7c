"""Commands of the front end, which never import torch."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..compiler.diagnostics import fail
from ..compiler.override import parse_numbers
from .app import Json, Sets, SpecFile, app, load_with, print_json


class Spelling(StrEnum):
    fuse = "fuse"
    json = "json"
    yaml = "yaml"
    published = "published"


SpecFiles = Annotated[
    list[Path], typer.Argument(metavar="FILE", help=".fuse, .json or .yaml files.")
]


class Stage(StrEnum):
    training = "training"
    compiled = "compiled"
    inference = "inference"


ArtifactFile = Annotated[Path, typer.Argument(metavar="FILE", help="A .onnx or .safetensors file.")]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="Write to this file.")]


@app.command()
def check(files: SpecFiles, json: Json = False, sets: Sets = None) -> None:
    """Check specifications: syntax, names, shapes, rules."""
    from .checking import check as find

    if find(files, json, parse_numbers(sets or [])):
        raise typer.Exit(1)


@app.command()
def format(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", help="Specifications, or folders of .fuse files."),
    ],
    check: Annotated[
        bool, typer.Option("--check", help="Only say what would change; exit 1 if anything.")
    ] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Only print a unified diff; exit 1 unless it is empty.")
    ] = False,
) -> None:
    """Rewrite specifications in their canonical form; comments and groups of lines stay."""
    from .formatting import format_paths

    if format_paths(files, check, diff) and (check or diff):
        raise typer.Exit(1)


@app.command()
def convert(
    file: SpecFile,
    to: Annotated[Spelling, typer.Option(help="The spelling to convert to.")],
    output: Output = None,
) -> None:
    """Convert a specification to .fuse, JSON, YAML or the published code's genotype text."""
    from ..compiler.load import load, spell

    _write(spell(load(file), to.value), output)


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
    from ..compiler.info import describe, describe_passes, passes_table, summary

    if stage is not None and not passes:
        raise fail("E506", "`--stage` says whose passes are shown", help="add `--passes`")
    if passes:
        rows = describe_passes(load_with(file, sets), (stage or Stage.training).value)
        print_json(rows) if json else print(passes_table(rows))
        return
    measured = None
    if profile is not None:
        from ..runtime.profile import read_profile

        measured = read_profile(profile)
    described = describe(load_with(file, sets), measured)
    if json:
        print_json(described)
    else:
        print(summary(described))


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
    from ..compiler.listing import equations_of, latex_table, listing

    found = equations_of(file)
    if json:
        print_json(found)
    else:
        print(latex_table(found) if latex else listing(found))


@app.command()
def load(file: ArtifactFile, json: Json = False) -> None:
    """Print the specification inside an ONNX or .safetensors file; with --json, all metadata."""
    from ..compiler.load import ONNX, load

    if json and file.suffix == ONNX:
        from ..compiler.targets.onnx.file import OnnxFile

        print_json(OnnxFile(file).as_json())
    elif json:
        print_json({"fusewright.spec": str(load(file))})
    else:
        print(load(file), end="")


@app.command(name="import")
def import_(
    genotype: Annotated[str, typer.Argument(help="A file with the genotype's text, or the text.")],
    spec: Annotated[Path, typer.Option(help="The specification that it belongs to.")],
    output: Output = None,
) -> None:
    """Read a genotype in the notation of the published BM-NAS code."""
    from ..compiler.files import read_text
    from ..compiler.load import load
    from ..compiler.published import genotype_from_text

    is_text = "Genotype(" in genotype
    text = genotype if is_text else read_text(Path(genotype))
    found = genotype_from_text(text, load(spec), "<genotype>" if is_text else genotype)
    _write(str(found), output)


def _write(text: str, output: Path | None) -> None:
    if output is None:
        print(text, end="")
        return
    from ..compiler.files import write_file

    write_file(output, text.encode())
