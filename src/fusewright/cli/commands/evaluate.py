"""The command `evaluate`: the metrics of the test split."""

from __future__ import annotations

from typing import Any

from ...runtime.settings import Settings
from ..app import Data, Json, Trained, app, print_json, print_values
from ..options import with_options
from ..screen.bar import Bar
from ..screen.warned import data_warnings


@app.command()
@with_options(Settings, "evaluate")
def evaluate(
    model: Trained,
    data: Data,
    options: dict[str, Any],
    json: Json = False,
) -> None:
    """Evaluate a trained run or an ONNX file on the test split."""
    from ...runtime.predict.evaluate import evaluate as measure

    with data_warnings() as warned, Bar("evaluate") as bar:
        metrics = measure(model, data, **options, progress=bar.show)
    print_json({**metrics, "warnings": warned}) if json else print_values(metrics)
