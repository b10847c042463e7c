"""What a page says of missing modalities: how well networks do the more samples lack them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...compiler.targets.html import Html
from ..runs.missing import MissingCurve, MissingPoint, Robustness
from ..runs.read import FinishedRun, TrainedEnsemble
from .charts import DASHED, Line, colour, legend, line_chart, pair
from .page import figure, number, paragraph, section, table

Measured = tuple[FinishedRun | TrainedEnsemble, Robustness]


def measured_missing(runs: Sequence[FinishedRun | TrainedEnsemble]) -> list[Measured]:
    """The runs that say how they do where modalities are missing, with what they say."""
    stages = [(run, run.training) for run in runs]
    return [(run, one.missing) for run, one in stages if one and one.missing]


def missing_facts(measured: Sequence[Measured]) -> list[dict[str, Any]]:
    """The curves as records."""
    return [{"run": run.name, **found.as_json()} for run, found in measured]


def missing_section(measured: Sequence[Measured]) -> Html:
    """A picture and a table for each run; nothing where none was measured."""
    if not measured:
        return Html()
    text = (
        "The metric on the test split where ever more samples lack a modality, of those that have "
        "it; which ones is drawn at random, for each modality by itself. Bands and brackets are "
        "95 % intervals over samples."
    )
    cards = [
        section(run.name if len(measured) > 1 else "", *_card(run, found), level=3)
        for run, found in measured
    ]
    return section("Missing modalities", paragraph(text), *cards)


def _card(run: FinishedRun | TrainedEnsemble, found: Robustness) -> list[Html]:
    lines = [
        Line(
            [(100 * p.share, p.score) for p in curve.points],
            colour(place),
            [(100 * p.share, p.low, p.high) for p in curve.points],
        )
        for place, curve in enumerate(found.curves)
    ]
    alone = _alone(run, found)
    lines += [Line([(0, score), (100, score)], DASHED) for score in alone.values()]
    entries: list[tuple[str, object, float | None, bool]] = [
        (colour(place), f"{curve.name}, at 100 %", curve.points[-1].score, False)
        for place, curve in enumerate(found.curves)
    ]
    entries += [(DASHED, f"a network of {name}", score, False) for name, score in alone.items()]
    label = f"{found.metric} over the share of samples that lack a modality"
    chart = line_chart(lines, label, size=(520, 220), along="% missing")
    return [pair([figure(chart, _said(found, bool(alone))), legend(entries)]), _table(found)]


def _said(found: Robustness, compared: bool) -> str:
    """What stands below the picture."""
    said = [f"{found.metric} of {found.samples:,} test samples, the mean of {found.masks} draws."]
    if compared:
        said.append("Dashed: controls of the search, scored on samples that it held out.")
    if found.needed:
        said.append(f"Not optional: {', '.join(found.needed)}.")
    return " ".join(said)


def _alone(run: FinishedRun | TrainedEnsemble, found: Robustness) -> dict[str, float]:
    """The scores of networks of the one modality that a curve leaves, by the names of controls."""
    search = run.search if isinstance(run, FinishedRun) else None
    if search is None or search.controls is None:
        return {}
    lacked = (name for curve in found.curves for name in curve.modalities)
    every = {*found.needed, *lacked}
    left = [every.difference(curve.modalities) for curve in found.curves]
    names = {f"{name} alone" for one in left if len(one) == 1 for name in one}
    return {row.name: row.score for row in search.controls.rows if row.name in names}


def _table(found: Robustness) -> Html:
    header = ["missing", *(curve.name for curve in found.curves)]
    rows = [
        [f"{round(100 * points[0].share)} %", *map(_shown, points)]
        for points in zip(*map(_points, found.curves), strict=False)
    ]
    return table(header, rows)


def _points(curve: MissingCurve) -> Sequence[MissingPoint]:
    return curve.points


def _shown(point: MissingPoint) -> str:
    return f"{number(point.score)} [{number(point.low)}, {number(point.high)}]"
