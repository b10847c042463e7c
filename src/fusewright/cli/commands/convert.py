"""The command `convert`: a specification in another spelling."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, cast

import typer

from ..app import Output, SpecFile, app, print_or_write


class Spelling(StrEnum):
    fuse = "fuse"
    json = "json"
    yaml = "yaml"
    published = "published"
    mfas = "mfas"
    graphml = "graphml"
    node_link = "node-link"
    state_dict = "state-dict"


@app.command()
def convert(
    file: SpecFile,
    to: Annotated[Spelling, typer.Option(help="The spelling to convert to.")],
    output: Output = None,
) -> None:
    """Convert a specification to .fuse, JSON, YAML, what the published codes read, or a graph."""
    if to is Spelling.state_dict:
        _write_state_dict(file, output)
        return
    from ...compiler.load import Notation, load, spell

    print_or_write(spell(load(file), cast("Notation", str(to))), output)


def _write_state_dict(file: Path, output: Path | None) -> None:
    """Writes the weights of a `.safetensors` file as those of a published network."""
    from ...compiler.diagnostics.diagnostic import fail
    from ...compiler.system.files import write_file
    from ...runtime.deploy.published import export_weights

    if file.suffix != ".safetensors" or output is None:
        message = "a state dict is of a `.safetensors` file with weights, and is written to a file"
        raise fail("E506", message, help="`convert trained.safetensors --to state-dict -o best.pt`")
    write_file(output, export_weights(file))
