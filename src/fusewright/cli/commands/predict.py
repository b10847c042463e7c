"""The command `predict`: what a network gives for every sample."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ...compiler.diagnostics.diagnostic import fail
from ...runtime.settings import Settings
from ..app import Data, Trained, app, print_values
from ..options import with_options
from ..screen.bar import Bar
from ..screen.warned import data_warnings


@app.command()
@with_options(Settings, "predict")
def predict(
    model: Trained,
    data: Data,
    output: Annotated[Path, typer.Option("-o", "--output", help="FILE.npz or FILE.csv.")],
    options: dict[str, Any],
) -> None:
    """Write what a trained run or an ONNX file gives for every sample, and what that predicts."""
    from ...compiler.system.files import write_file
    from ...runtime.predict.evaluate import predict_with
    from ...runtime.predict.open import open_predictor
    from ...runtime.predict.outputs import as_csv, as_npz, predictions

    if output.suffix not in (".npz", ".csv"):
        raise fail("E504", f"`{output}` names no format", help="end it in .npz or .csv")
    predictor = open_predictor(model)
    settings = predictor.settings.with_options(**options)
    with data_warnings(), Bar("predict") as bar:
        outputs = predict_with(predictor, data, settings, bar.show)
    head = predictor.network.head
    arrays = predictions(head, predictor.output, outputs)
    write_file(output, as_csv(head, arrays) if output.suffix == ".csv" else as_npz(arrays))
    print_values({"file": str(output), "samples": len(outputs)})
