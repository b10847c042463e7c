"""The demo's report: one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...compiler.system.files import write_file
from ...compiler.targets.html import Html
from ..metrics import selection_metric
from ..report.charts import Line, line_chart
from ..report.page import code, figure, page, paragraph, picture, section, table

SCORE = selection_metric("classes")


@dataclass(frozen=True)
class DemoReport:
    """What the page shows; `rows` are name, accuracy and number of parameters."""

    spec: str
    genotype: str
    rows: Sequence[tuple[str, str, int | None]]
    history: Sequence[Mapping[str, Any]]
    best_round: int
    checks: Mapping[str, str]
    pictures: Mapping[str, str]
    samples: Sequence[int]


def write_report(path: Path, report: DemoReport) -> None:
    """Writes the page."""
    write_file(path, _page(report).encode())


def _page(report: DemoReport) -> Html:
    train, validation, test = report.samples
    about = (
        "A picture of 32 × 32 pixels and the names of an emoji are fused to tell its category. Two "
        f"small backbones were trained on the training split ({train} samples) and their stages "
        f"extracted once; validation has {validation} samples, test {test}. Variants of one emoji "
        "stay in one split. Graphics: Twemoji, CC-BY 4.0, copyright Twitter, Inc and other "
        "contributors."
    )
    caveat = (
        "Every fused network was trained on the training and validation samples, with the settings "
        "that the search found: what was found and members of the ensemble with their own, the "
        "others with the best candidate's; the test split was read at the end alone. With "
        f"{test} test samples the standard error of an accuracy near 60 % is "
        f"{100 * (0.24 / test) ** 0.5:.1f} points, so differences below that say little."
    )
    figures = (figure(picture(svg), title, "diagram") for title, svg in report.pictures.items())
    caption = "Test accuracy, mean ± standard deviation over seeds"
    rows = table(("what", "accuracy", "parameters"), report.rows, caption)
    title = "Emoji: from a specification to a trained, exported network"
    return page(
        title,
        [
            paragraph(about),
            section("Comparison", rows, paragraph(caveat)),
            section("Pictures", *figures),
            section("The search", _curve(report.history, report.best_round)),
            section("The specification", code(report.spec)),
            section("The genotype, in the same language", code(report.genotype)),
            section("The exported network", table((), report.checks.items())),
        ],
    )


def _curve(history: Sequence[Mapping[str, Any]], best: int) -> Html:
    """The validation accuracy over the rounds that have one."""
    scores = {r["round"]: r[SCORE] for r in history if SCORE in r}
    label = f"validation accuracy over {len(scores)} rounds"
    chart = line_chart([Line(list(scores.items()))], label, mark=(best, scores[best]))
    caption = "Validation accuracy round by round; the dot is the round whose genotype was kept."
    return figure(chart, caption)
