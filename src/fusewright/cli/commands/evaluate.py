"""The command `evaluate`: the metrics of the test split."""

from __future__ import annotations

from typing import Any

from ...runtime.settings import settings_read_by
from ..app import Data, Json, Trained, app, print_json, print_values
from ..options import with_settings
from ..screen.bar import Bar


@app.command()
@with_settings(*settings_read_by("evaluate"))
def evaluate(
    model: Trained,
    data: Data,
    options: dict[str, Any],
    json: Json = False,
) -> None:
    """Evaluate a trained run or an ONNX file on the test split."""
    from ...runtime.predict.evaluate import evaluate as measure

    with Bar("evaluate") as bar:
        metrics = measure(model, data, **options, progress=bar.show)
    print_json(metrics) if json else print_values(metrics)
