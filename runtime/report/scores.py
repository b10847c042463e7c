"""Scores of several runs side by side: on validation against controls, and on test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...compiler.targets.html import Html
from ..metrics import spoken
from ..runs.controls import Control, Controls, how_scored, span
from ..runs.read import FinishedRun, TrainedEnsemble
from ..runs.statistics import Interval, Summary, paired_interval, summary
from .page import number, paragraph, section, table

Pair = tuple[int, int]
"""The seed and the seed of the split, which scores share that are compared."""


@dataclass(frozen=True)
class Row:
    """Scores of one kind of network; `ahead` is how much the first kind is ahead of it."""

    name: str
    scores: Summary
    networks: int
    weight_steps: float | None = None
    ahead: Interval | None = None

    def as_json(self) -> dict[str, Any]:
        """The row as a record."""
        ahead = self.ahead
        return {
            "name": self.name,
            "mean": self.scores.mean,
            "deviation": self.scores.deviation,
            "count": self.scores.count,
            "weight_steps": self.weight_steps,
            "ahead": None if ahead is None else list(ahead),
        }


def control_rows(known: Sequence[Controls]) -> list[Row]:
    """The controls of searches, kind by kind, compared where they share a search.

    Of one search, over the samples that it was scored on; of several, over them.
    """
    rows: list[Row] = []
    firsts: dict[str, Control] = {}
    for controls in known:
        for row in controls.rows:
            firsts.setdefault(row.name, row)
    for first in firsts.values():
        pairs = [
            (controls.rows[0].score, row)
            for controls in known
            for row in controls.rows
            if row.name == first.name
        ]
        ahead = first.ahead
        if rows and len(known) > 1:
            ahead = paired_interval([f for f, _ in pairs], [r.score for _, r in pairs])
        scores = summary([r.score for _, r in pairs])
        cost = summary([r.weight_steps for _, r in pairs]).mean
        networks = sum(len(r.scores) for _, r in pairs)
        rows.append(Row(first.name, scores, networks, cost, ahead))
    return rows


def controls_section(known: Sequence[Controls]) -> Html:
    """The controls as a table; nothing where no search has any."""
    if not known:
        return Html()
    text = f"Every network was {how_scored(known)}; searches: {len(known)}."
    if bought := [c.bought for c in known if c.bought]:
        text += (
            f" The cost of a search bought {span(bought)} random genotypes, the best of which "
            "competes."
        )
    left_out = sorted({line for c in known for line in c.left_out})
    over = "seeds" if len(known) > 1 else "samples"
    return section(
        "Controls",
        paragraph(text),
        _table(control_rows(known), "weight steps per search", over),
        *(paragraph(f"Left out: {line}") for line in left_out),
    )


def tested_rows(
    runs: Sequence[FinishedRun | TrainedEnsemble],
    metrics: Sequence[Mapping[str, float]],
    metric: str,
) -> list[Row]:
    """Scores on test of trained runs, those of one network together, the first compared."""
    groups: dict[str, dict[Pair, list[float]]] = {}
    names: dict[str, str] = {}
    for run, values in zip(runs, metrics, strict=True):
        if run.training is not None and metric in values:
            settings, (text, shown) = run.training.settings, run.kind
            scores = groups.setdefault(text, {})
            scores.setdefault((settings.seed, settings.split_seed), []).append(values[metric])
            names.setdefault(text, shown)
    rows: list[Row] = []
    for text, scores in groups.items():
        first = next(iter(groups.values()))
        shared = [pair for pair in first if pair in scores] if rows else []
        ahead = paired_interval(
            [summary(first[p]).mean for p in shared], [summary(scores[p]).mean for p in shared]
        )
        every = [s for each in scores.values() for s in each]
        rows.append(Row(names[text], summary(every), len(every), None, ahead))
    return rows


def tested_section(rows: Mapping[str, Sequence[Row]]) -> Html:
    """Scores on the test split, a table for each metric."""
    if not any(rows.values()):
        return Html()
    text = (
        "Trained runs on the test split. What searches of one specification found stands together, "
        "and so do other runs of one network, named after the first; all are compared over the "
        "seeds that they share."
    )
    tables = [section(spoken(metric), _table(group, ""), level=3) for metric, group in rows.items()]
    return section("On the test split", paragraph(text), *tables)


def _table(rows: Sequence[Row], cost: str, over: str = "seeds") -> Html:
    """Rows with their means and spreads; only columns that say something."""
    compared = any(r.ahead for r in rows)
    header = ["network", "mean ± deviation", "scores", "networks"]
    header += [cost] * bool(cost) + ["the first is ahead by (95 %)"] * compared
    body: list[list[object]] = []
    for row in rows:
        cells: list[object] = [row.name, spread(row.scores), row.scores.count, row.networks]
        cells += [row.weight_steps] * bool(cost) + [str(row.ahead or "")] * compared
        body.append(cells)
    grid = table(header, body)
    if compared:
        note = (
            f"Intervals are paired bootstraps over {over}; of few {over} they are too narrow, and "
            "one that holds 0 shows no difference."
        )
        return Html(grid + paragraph(note))
    return grid


def spread(found: Summary) -> str:
    """A mean, with the deviation where there is one."""
    if found.deviation is None:
        return number(found.mean)
    return f"{number(found.mean)} ± {number(found.deviation)}"
