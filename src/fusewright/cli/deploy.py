"""`fusewright compile`: a network to a file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .app import Json, Sets, app, load_with, print_json


class FileTarget(StrEnum):
    onnx = "onnx"
    torch = "torch"
    python = "python"
    pt2 = "pt2"


class Precision(StrEnum):
    float32 = "float32"
    float16 = "float16"
    int8 = "int8"
    int8_static = "int8-static"


@app.command()
def compile(
    model: Annotated[
        Path, typer.Argument(metavar="FILE|RUN", help="A specification, or a trained run.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="FILE.onnx, .safetensors, .py or .pt2.")
    ],
    to: Annotated[
        FileTarget | None, typer.Option(help="The target; by default what the ending says.")
    ] = None,
    weights: Annotated[Path | None, typer.Option(help="A .safetensors file.")] = None,
    opset: Annotated[int | None, typer.Option(help="ONNX: the operator set, 17 to 24.")] = None,
    inline: Annotated[bool, typer.Option("--inline", help="ONNX: write no functions.")] = False,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="ONNX: give probabilities, not logits.")
    ] = False,
    precision: Annotated[
        Precision, typer.Option(help="ONNX: what weights are kept in.")
    ] = Precision.float32,
    external_data: Annotated[
        bool, typer.Option("--external-data", help="ONNX: keep weights in a file of their own.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option(help="Features to calibrate int8-static and to measure with.")
    ] = None,
    no_verify: Annotated[
        bool, typer.Option("--no-verify", help="ONNX: write it without running it.")
    ] = False,
    sets: Sets = None,
    json: Json = False,
) -> None:
    """Compile a network to ONNX, torch weights, plain Python or a torch program.

    An ONNX file is run beside the reference before it is written, and certified.
    """
    from ..runtime.deploy import deploy

    found = deploy(
        model if model.is_dir() else load_with(model, sets),
        output,
        to.value if to else None,
        weights=weights,
        data=data,
        opset=opset,
        inline=inline,
        probabilities=probabilities,
        precision=precision.value,
        external_data=external_data,
        verify=not no_verify,
    )
    if json:
        print_json(found)
        return
    shown = {key: value for key, value in found.items() if not isinstance(value, (list, dict))}
    for name, metrics in found.get("metrics", {}).items():
        shown[f"metrics in {name}"] = ", ".join(f"{k} {v:.4f}" for k, v in metrics.items())
    print("\n".join(f"{key}: {value}" for key, value in shown.items()))
