"""`fusewright compile`: a network to a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.language.spec import Spec
from ...compiler.system.files import is_folder
from ...compiler.system.options import either
from ...compiler.targets.onnx.options import OnnxOptions
from ...compiler.targets.target import file_targets, target_of
from ...runtime.backbones.options import BackboneOptions
from .. import complete
from ..app import Json, Sets, app, load_with, print_json
from ..options import Backbones, backbones_from, require_none, with_options
from ..screen.warned import data_warnings

ENDINGS = [target.ending for target in file_targets().values()]


@app.command()
@with_options(OnnxOptions, "deploy")
@with_options(BackboneOptions, "compile", into="given")
def compile(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="FILE|RUN",
            help="A trained run, a specification, or a .safetensors file that holds one.",
            autocompletion=complete.networks_and_runs,
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help=f"FILE{either(ENDINGS)}.")],
    *,
    to: Annotated[
        str | None,
        typer.Option(help=f"{either(list(file_targets()))}; by default what the ending says."),
    ] = None,
    weights: Annotated[Path | None, typer.Option(help="A .safetensors file.")] = None,
    initial: Annotated[
        bool, typer.Option("--initial", help="Write a network that has no weights, untrained.")
    ] = False,
    memory: Annotated[
        str, typer.Option(metavar="64GB", help="The most memory to take; else what there is.")
    ] = "",
    joint: Annotated[
        bool, typer.Option("--joint", help="ONNX: from raw inputs, with the backbones.")
    ] = False,
    backbones: Backbones = None,
    given: dict[str, Any],
    options: dict[str, Any],
    sets: Sets = None,
    json: Json = False,
) -> None:
    """Compile a network to ONNX, torch weights, plain Python or a torch program.

    An ONNX file is run beside the reference before it is written, and certified.
    """
    from ...runtime.deploy.deploy import deploy

    own: dict[str, Any] = {"weights": weights, "initial": initial}
    if joint:
        from ...runtime.deploy.joint import deploy_joint

        own["backbones"] = backbones_from(backbones, given)
        facts = deploy_joint(_model(model, sets), output, **own, **options)
    else:
        require_none({**given, "backbones": backbones}, "--joint")
        with data_warnings():
            facts = deploy(_model(model, sets), output, to, memory=memory, **own, **options)
    print_json(facts) if json else print("\n".join(_lines(facts)))


def _model(file: Path, sets: list[str] | None) -> Path | Spec:
    """What is compiled: a network with weights is left to `deploy`."""
    target = target_of(file)
    if not is_folder(file) and (target is None or target.specification is None):
        return load_with(file, sets)
    if sets:
        message = f"`--set` does not apply to `{file}`, whose weights are made for its numbers"
        raise fail("E506", message, help="leave it out, or train the specification anew")
    return file


_IN_VERDICT = ("absolute", "relative", "tolerance", "margin", "utmost")
"""What the certificate says in numbers, and its verdict in words."""


def _lines(found: dict[str, Any]) -> Iterator[str]:
    for key, value in found.items():
        if key in _IN_VERDICT:
            continue
        if key == "metrics":
            for name, metrics in value.items():
                yield f"metrics in {name}: " + ", ".join(f"{k} {v:.4f}" for k, v in metrics.items())
        elif not isinstance(value, (list, dict)):
            yield f"{key}: {value}"
