"""The command `extract`: raw data through backbones into a feature store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ...compiler.diagnostics.text import printable
from ...runtime.backbones.options import BackboneOptions
from ...runtime.extract.settings import ExtractSettings
from ...runtime.runs.names import BACKBONES, GENOTYPE
from ..app import Json, Quiet, Sets, app, load_with, print_json
from ..options import Backbones, backbones_from, with_options
from ..screen.bar import Bar


@app.command()
@with_options(ExtractSettings, "extract")
@with_options(BackboneOptions, "extract", into="given")
def extract(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE|RUN", help="A specification, or a run with the backbones that it trained."
        ),
    ],
    raw: Annotated[
        Path,
        typer.Option(
            help="A table (.csv, .tsv, .parquet), a folder of pictures by class, an HDF5 file, a"
            " folder that `datasets` saved, or a data set of the paper, as `ntu:FOLDER`.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path, typer.Option(metavar="STORE", help="The store to write, or to go on with.")
    ],
    options: dict[str, Any],
    given: dict[str, Any],
    root: Annotated[
        Path | None, typer.Option(help="The folder below which files may lie; else the table's.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Write the specification with the axes of the store."),
    ] = None,
    backbones: Backbones = None,
    sets: Sets = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Take features from raw data once; a rerun makes what is missing or has changed."""
    from ...compiler.system.files import is_folder, write_file
    from ...runtime.data.suggest import UNDIVIDED
    from ...runtime.extract.extract import extract as run
    from ...runtime.runs.folder import RunFolder

    chosen = backbones_from(backbones, given)
    folder = RunFolder(file)
    if is_folder(file):
        file = folder.require(GENOTYPE)
    spec = load_with(file, sets)
    with Bar("extract") as bar:
        result = run(
            spec,
            raw,
            out,
            settings=ExtractSettings().with_options(**options),
            backbones=chosen.with_trained(spec, folder.path / BACKBONES),
            root=root,
            progress=bar.show,
        )
    if output is not None:
        write_file(output, str(result.spec).encode())
    manifest = result.manifest
    summary = {
        "store": str(out),
        "samples": manifest.samples,
        "bytes": manifest.bytes,
        "shards": len(manifest.shards),
        "made": sum(result.made.values()),
    }
    if json:
        print_json({**summary, "undivided": result.undivided})
        return
    for array in manifest.arrays:
        if array.axes is not None:
            shape = ", ".join(f"{axis} {size}" for axis, size in array.axes)
            print(printable(f"{array.name}[{shape}] {array.dtype}"))
    for key, value in summary.items():
        print(f"{key}: {printable(str(value))}")
    if result.undivided:
        print(f"the data have {UNDIVIDED}; name a column: `--column groups=PERSON`")
