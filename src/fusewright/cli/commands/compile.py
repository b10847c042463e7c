"""`fusewright compile`: a network to a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.language.spec import Spec
from ...compiler.load import ONNX, SAFETENSORS
from ..app import Json, Sets, app, load_with, print_json


@app.command()
def compile(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="FILE|RUN",
            help="A trained run, a specification, or a .safetensors file that holds one.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="FILE.onnx, .safetensors, .py or .pt2.")
    ],
    to: Annotated[
        str | None,
        typer.Option(help="onnx, torch, python or pt2; by default what the ending says."),
    ] = None,
    weights: Annotated[Path | None, typer.Option(help="A .safetensors file.")] = None,
    initial: Annotated[
        bool, typer.Option("--initial", help="Write a network that has no weights, untrained.")
    ] = False,
    opset: Annotated[int | None, typer.Option(help="ONNX: the operator set, 17 to 24.")] = None,
    inline: Annotated[bool, typer.Option("--inline", help="ONNX: write no functions.")] = False,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="ONNX: give probabilities, not logits.")
    ] = False,
    precision: Annotated[
        str | None,
        typer.Option(help="ONNX: float32, float16, int8 or int8-static; by default float32."),
    ] = None,
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
    from ...runtime.deploy.deploy import deploy

    options: dict[str, Any] = {
        "weights": weights,
        "initial": initial,
        "data": data,
        "opset": opset,
        "inline": inline or None,
        "probabilities": probabilities or None,
        "precision": precision,
        "external_data": external_data or None,
        "verify": False if no_verify else None,
    }
    found = deploy(_model(model, sets), output, to, **options)
    print_json(found) if json else print("\n".join(_lines(found)))


def _model(file: Path, sets: list[str] | None) -> Path | Spec:
    """What is compiled: a network with weights is left to `deploy`."""
    if not file.is_dir() and file.suffix not in (ONNX, SAFETENSORS):
        return load_with(file, sets)
    if sets:
        message = f"`--set` does not apply to `{file}`, whose weights are made for its numbers"
        raise fail("E506", message, help="leave it out, or train the specification anew")
    return file


def _lines(found: dict[str, Any]) -> Iterator[str]:
    for key, value in found.items():
        if key == "metrics":
            for name, metrics in value.items():
                yield f"metrics in {name}: " + ", ".join(f"{k} {v:.4f}" for k, v in metrics.items())
        elif not isinstance(value, (list, dict)):
            yield f"{key}: {value}"
