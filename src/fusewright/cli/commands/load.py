"""The command `load`: the specification inside an artifact."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..app import Json, app, print_json

ArtifactFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="A .onnx, .safetensors or .pt2 file.")
]


@app.command()
def load(file: ArtifactFile, json: Json = False) -> None:
    """Print the specification inside an ONNX, .safetensors or .pt2 file; with --json, all metadata.

    Of an ensemble, the specifications of its members are printed, with their weights.
    """
    from ...compiler.load import load
    from ...compiler.targets.onnx.target import ONNX
    from ...compiler.targets.target import target_of

    if target_of(file) is ONNX:
        from ...compiler.targets.onnx.file import OnnxFile

        model = OnnxFile(file)
        print_json(model.as_json()) if json else print(model.ensemble or model.spec, end="")
    elif json:
        print_json({"fusewright.spec": str(load(file))})
    else:
        print(load(file), end="")
