"""The command `predict`: what a network gives for every sample."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ...compiler.diagnostics.diagnostic import fail
from ...runtime.backbones.options import BackboneOptions
from ...runtime.extract.settings import ExtractSettings
from ...runtime.settings import Settings
from ..app import (
    EitherData,
    Quiet,
    Raw,
    Root,
    Trained,
    app,
    print_values,
)
from ..options import (
    Backbones,
    Joint,
    Seconds,
    backbones_from,
    require_none,
    require_one_place,
    with_options,
)
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
    from ...runtime.predict.open import open_predictor
    from ...runtime.predict.outputs import as_csv, as_npz, predictions
    from ...runtime.predict.predictor import SECONDS

    if output.suffix not in (".npz", ".csv"):
        raise fail("E504", f"`{output}` names no format", help="end it in .npz or .csv")
    reading = {**given, **decoding, "backbones": backbones, "root": root}
    if not joint:
        require_none({**reading, "raw": raw, "seconds": seconds}, "--joint")
    if raw is None:
        require_none(reading, "--raw")
    require_one_place(data, raw)
    predictor = open_predictor(model, joint=joint, seconds=seconds or SECONDS)
    settings = predictor.settings.with_options(**options)
    taken: Any = data
    if raw is not None:
        from ...runtime.joint.decoded import decoded

        how = ExtractSettings().with_options(**decoding)
        # Weights make no difference to what values are decoded to.
        chosen = backbones_from(backbones, given).with_options(initial=True)
        spec = predictor.network.spec
        taken = decoded(spec, raw, settings=how, backbones=chosen, root=root)
    with data_warnings(), Bar("predict") as bar:
        outputs = predict_with(predictor, taken, settings, bar.show)
    head = predictor.network.head
    arrays = predictions(head, predictor.output, outputs)
    write_file(output, as_csv(head, arrays) if output.suffix == ".csv" else as_npz(arrays))
    print_values({"file": str(output), "samples": len(outputs)})
