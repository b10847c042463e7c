"""How trainings went: losses over epochs, and where one that stopped early was best."""

from __future__ import annotations

from collections.abc import Sequence

from ...compiler.targets.html import Html
from ..metrics import (
    BEST_EPOCH,
    SELECTION_METRIC,
    TRAIN_LOSS,
    VALIDATION_LOSS,
    on_validation,
    spoken,
)
from ..runs.read import FinishedRun, Record, TrainedEnsemble
from .charts import Line, colour, legend, line_chart
from .page import figure

SIZE = (300, 140)


def training_figure(run: FinishedRun | TrainedEnsemble) -> Html:
    """The training loss of a run, with that of validation and its metric where it is held out."""
    epochs = run.training.epochs if run.training else ()
    learned, held = _points(epochs, TRAIN_LOSS), _points(epochs, VALIDATION_LOSS)
    if not held:
        chart = line_chart([Line(learned)], "training loss over epochs", size=SIZE, along="epoch")
        return figure(chart, f"Training loss of {run.name}")
    best = int(max((e.numbers[BEST_EPOCH] for e in epochs if BEST_EPOCH in e.numbers), default=0))
    losses = [Line(learned), Line(held, colour(1))]
    label = "training and validation loss over epochs"
    chart = line_chart(losses, label, size=SIZE, along="epoch", mark=_at(held, best))
    shown = best or max(int(epoch.number) for epoch in epochs)
    at_best = dict(learned).get(shown), dict(held).get(shown)
    entries = zip((colour(0), colour(1)), ("training", "validation"), at_best, strict=True)
    told = legend((look, name, value, False) for look, name, value in entries)
    said = f"Losses of {run.name}; the dot is epoch {best}, whose weights were kept."
    if not best:
        said = f"Losses of {run.name}: means over its members, each at its best epoch until then."
    return Html(figure(chart, said) + told + _scores(epochs, best))


def _scores(epochs: Sequence[Record], best: int) -> Html:
    """The metric that selects, on validation."""
    for metric in SELECTION_METRIC.values():
        if points := _points(epochs, on_validation(metric)):
            shown = f"validation {spoken(metric)}"
            lines, mark = [Line(points, colour(1))], _at(points, best)
            label = f"{shown} over epochs"
            return figure(line_chart(lines, label, size=SIZE, along="epoch", mark=mark), shown)
    return Html()


def _points(epochs: Sequence[Record], name: str) -> list[tuple[float, float]]:
    return [(epoch.number, epoch.numbers[name]) for epoch in epochs if name in epoch.numbers]


def _at(points: Sequence[tuple[float, float]], number: int) -> tuple[float, float] | None:
    return next((point for point in points if point[0] == number), None)
