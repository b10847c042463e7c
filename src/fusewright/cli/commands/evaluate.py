"""The command `evaluate`: the metrics of the test split."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.diagnostics.text import printable
from ...runtime.backbones.options import BackboneOptions
from ...runtime.extract.settings import ExtractSettings
from ...runtime.settings import Settings
from ..app import EitherData, Json, Quiet, Raw, Root, Trained, app, print_json, print_values
from ..options import Backbones, Joint, Seconds, opened, with_options
from ..screen.bar import Bar
from ..screen.details import print_details
from ..screen.tables import print_table
from ..screen.warned import data_warnings

if TYPE_CHECKING:
    from ...runtime.runs.missing import Robustness


@app.command()
@with_options(Settings, "evaluate")
@with_options(BackboneOptions, "evaluate", into="given")
@with_options(ExtractSettings, "evaluate", into="decoding")
def evaluate(
    model: Trained,
    *,
    data: EitherData = None,
    raw: Raw = None,
    root: Root = None,
    decoding: dict[str, Any],
    options: dict[str, Any],
    joint: Joint = False,
    backbones: Backbones = None,
    given: dict[str, Any],
    seconds: Seconds = None,
    missing: Annotated[
        bool, typer.Option("--missing", help="And where modalities are missing, kept in the run.")
    ] = False,
    details: Annotated[
        bool, typer.Option("--details", help="And class by class, confusion and calibration.")
    ] = False,
    metrics: Annotated[
        str | None,
        typer.Option("--metrics", metavar="NAME,…", help="Others of torchmetrics' metrics too."),
    ] = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Evaluate a trained run or an ONNX file on the test split."""
    from ...compiler.system.files import is_folder
    from ...runtime.data.identity import data_identity
    from ...runtime.predict.evaluate import evaluate_with, to_evaluate
    from ...runtime.predict.robustness import require_optional, robustness_with
    from ...runtime.runs.history import plain
    from ...runtime.training.own_metrics import names_in

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
    if missing:
        if joint:
            raise fail(
                "E506", "`--missing` is for networks that read features", help="leave it out"
            )
        require_optional(predictor.network)
    found: Robustness | None = None
    with data_warnings() as warned, Bar("evaluate") as bar:
        samples = to_evaluate(predictor, taken, settings)
        named = names_in(metrics or "")
        scores = evaluate_with(predictor, samples, settings, bar.show, named)
        if missing:
            found = robustness_with(predictor, samples, settings, bar.show)
    if found is not None and is_folder(model):
        used = data_identity(taken, predictor.names)
        found = replace(found, data=used.digest)
        found.keep(model)
    if json:
        curves = {"missing": found.as_json()} if found else {}
        told = {"details": scores.details.as_json()} if details else {}
        print_json({**plain(scores), **curves, **told, "warnings": warned})
    else:
        print_values(scores)
        if details:
            print_details(scores.details)
        if found is not None:
            _print(found)


def _print(found: Robustness) -> None:
    """Prints the curves, a line for each share."""
    print(f"{found.metric} where samples lack modalities (95 % intervals):")
    rows = [["", *(printable(curve.name) for curve in found.curves)]]
    for points in zip(*(curve.points for curve in found.curves), strict=True):
        shown = (f"{p.score:.4f} [{p.low:.4f}, {p.high:.4f}]" for p in points)
        rows.append([f"{points[0].share:.0%}", *shown])
    print_table(rows)
