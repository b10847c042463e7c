"""What a page says behind the scores of a run: its classes, what is confused, calibration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...compiler.targets.html import Html, html
from ..predict.details import Bin, Details
from .charts import DASHED, Line, line_chart
from .page import figure, folded, name, paragraph, section, table, wide

MOST_RUNS, MOST_ROWS, MOST_COLUMNS, MOST_PAIRS = 8, 100, 30, 20
"""Runs and rows that are shown; classes of which the whole confusion is, and what is of others."""
DARKEST = 45
"""How much of its colour the fullest cell has, in percent: text on it can still be read."""


def details_section(found: Sequence[tuple[str, Details]]) -> Html:
    """What stands behind the scores of each run; nothing where none was scored."""
    cards = [
        folded(
            f"Behind the scores of {run}{name and f', {name}'}", *_card(one), open=len(found) == 1
        )
        for run, details in found[:MOST_RUNS]
        for name, one in details.by_head
    ]
    left = len(found) - MOST_RUNS
    more = paragraph(f"and {left} more runs, which `--json` has") if left > 0 else Html()
    return section("Class by class" if _has_classes(found) else "In detail", *cards, more)


def details_facts(found: Sequence[tuple[str, Details]]) -> list[dict[str, Any]]:
    """The details as records."""
    return [{"run": run, **details.as_json()} for run, details in found]


def _has_classes(found: Sequence[tuple[str, Details]]) -> bool:
    return any(one.classes for _, details in found for _, one in details.by_head)


def _card(details: Details) -> list[Html]:
    return [_classes(details), _values(details), _confusion(details), _calibration(details)]


def _classes(details: Details) -> Html:
    header = ["class", "support", "predicted", "precision", "recall", "F1", "AUROC", "AP"]
    rows = [
        [
            *(one.name, one.support, one.predicted, one.precision, one.recall, one.f1),
            *(one.auroc, one.average_precision),
        ]
        for one in details.classes[:MOST_ROWS]
    ]
    return table(header, rows, _counted(details, len(details.classes)))


def _values(details: Details) -> Html:
    header = ["value", "mean", "deviation", "R²", "absolute error", "root of squared error", "bias"]
    rows = [
        [
            *(one.name, one.mean, one.deviation, one.r2, one.mean_absolute_error),
            *(one.root_mean_squared_error, one.bias),
        ]
        for one in details.values[:MOST_ROWS]
    ]
    return table(header, rows, _counted(details, len(details.values)))


def _counted(details: Details, rows: int) -> str:
    left = f"; {rows - MOST_ROWS} more rows are left out" if rows > MOST_ROWS else ""
    return f"Of {details.samples:,} test samples{left}"


def _confusion(details: Details) -> Html:
    """A cell for each pair of classes, darker the larger its share of its row; or a few pairs."""
    if details.confusion is None:
        return Html()
    names = [one.name for one in details.classes]
    if len(names) > MOST_COLUMNS:
        rows = [[*pair] for pair in details.confused[:MOST_PAIRS]]
        return table(["class", "taken for", "samples"], rows, "What is confused most")
    rows = details.confusion.tolist()
    head = "".join(f"<th scope='col' class='number'>{name(one)}</th>" for one in names)
    body = "".join(
        f"<tr><th scope='row'>{name(one)}</th>{''.join(map(_cell, row, [sum(row)] * len(row)))}"
        "</tr>\n"
        for one, row in zip(names, rows, strict=True)
    )
    caption = html("Confusion: a row for each class, a column for what is predicted")
    return wide(
        f"<table class='confusion'><caption>{caption}</caption>"
        f"<thead><tr><th scope='col'>class</th>{head}</tr></thead><tbody>\n{body}"
        "</tbody></table>"
    )


def _cell(count: int, row: int) -> str:
    share = round(DARKEST * count / row) if row else 0
    look = f"background:color-mix(in srgb, var(--c0) {share}%, transparent)"
    return f"<td class='number' style='{look}'>{count:,}</td>"


def _calibration(details: Details) -> Html:
    """How often predictions are right over the probability that is given for them."""
    points = [p for one in details.bins if (p := _point(one)) is not None]
    lines = [Line(points), Line([(0, 0), (1, 1)], DASHED)]
    if not points:
        return Html()
    label = "how often predictions are right over the probability that is given"
    chart = line_chart(lines, label, size=(300, 220), range=(0, 1), along="probability")
    said = f"Reliability, in {len(details.bins)} bins of which {len(points)} hold predictions"
    rows = [
        [f"{b.low:.2f} to {b.high:.2f}", b.count, b.predicted, b.observed]
        for b in details.bins
        if b.count
    ]
    grid = table(["probability", "predictions", "mean of them", "share that is right"], rows)
    return Html(figure(chart, f"{said}. Dashed: as it should be.") + folded("As a table", grid))


def _point(one: Bin) -> tuple[float, float] | None:
    known = one.predicted is not None and one.observed is not None
    return (one.predicted or 0.0, one.observed or 0.0) if known else None
