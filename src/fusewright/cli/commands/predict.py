"""The command `predict`: what a network gives for every sample."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ...compiler.diagnostics.diagnostic import fail
from ...runtime.backbones.options import BackboneOptions
from ...runtime.extract.settings import ExtractSettings
from ...runtime.settings import Settings
from ..app import EitherData, Quiet, Raw, Root, Trained, app, print_values
from ..options import Backbones, Joint, Seconds, opened, with_options
from ..screen.bar import Bar
from ..screen.warned import data_warnings


@app.command()
@with_options(Settings, "predict")
@with_options(BackboneOptions, "predict", into="given")
@with_options(ExtractSettings, "predict", into="decoding")
def predict(
    model: Trained,
    output: Annotated[Path, typer.Option("-o", "--output", help="FILE.npz or FILE.csv.")],
    *,
    data: EitherData = None,
    raw: Raw = None,
    root: Root = None,
    decoding: dict[str, Any],
    joint: Joint = False,
    seconds: Seconds = None,
    backbones: Backbones = None,
    given: dict[str, Any],
    options: dict[str, Any],
    quiet: Quiet = False,
) -> None:
    """Write what a trained run or an ONNX file gives for every sample, and what that predicts."""
    from ...compiler.system.files import write_file
    from ...runtime.predict.evaluate import predict_with
    from ...runtime.predict.outputs import as_csv, as_npz, predictions

    if output.suffix not in (".npz", ".csv"):
        raise fail("E504", f"`{output}` names no format", help="end it in .npz or .csv")
    predictor, taken = opened(
        model,
        data,
        raw,
        root,
        joint=joint,
        seconds=seconds,
        decoding=decoding,
        backbones=backbones,
        given=given,
    )
    settings = predictor.settings.with_options(**options)
    with data_warnings(), Bar("predict") as bar:
        outputs = predict_with(predictor, taken, settings, bar.show)
    head = predictor.network.head
    arrays = predictions(head, predictor.output, outputs)
    write_file(output, as_csv(head, arrays) if output.suffix == ".csv" else as_npz(arrays))
    print_values({"file": str(output), "samples": len(outputs)})
