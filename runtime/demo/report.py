"""The demo's report: one self-contained HTML page, everything from outside it escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from ...compiler.files import write_file

_STYLE = """
body { font: 16px/1.5 Georgia, serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
       color: #1a1a1a; background: #fff; }
h1, h2 { font-family: Helvetica, Arial, sans-serif; line-height: 1.2; }
table { border-collapse: collapse; } caption { text-align: left; padding-bottom: .4rem; }
th, td { padding: .25rem .9rem .25rem 0; text-align: left; border-bottom: 1px solid #ddd; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
pre { background: #f5f5f5; padding: 1rem; overflow-x: auto; font-size: 14px; }
figure { margin: 1rem 0; overflow-x: auto; } figure svg { max-width: 100%; height: auto; }
"""
_CURVE_WIDTH, _CURVE_HEIGHT, _MARGIN = 560, 180, 40


@dataclass(frozen=True)
class Report:
    """What the page shows; `rows` are name, accuracy and number of parameters."""

    spec: str
    genotype: str
    rows: Sequence[tuple[str, str, int | None]]
    history: Sequence[Mapping[str, Any]]
    best_round: int
    checks: Mapping[str, str]
    pictures: Mapping[str, str]
    samples: Sequence[int]


def write_report(path: Path, report: Report) -> None:
    """Writes the page."""
    write_file(path, _page(report).encode())


def _page(report: Report) -> str:
    train, validation, test = report.samples
    figures = "".join(
        f"<figure>{_svg(svg)}<figcaption>{escape(title)}</figcaption></figure>"
        for title, svg in report.pictures.items()
    )
    checks = "".join(
        f"<tr><th scope='row'>{escape(what)}</th><td>{escape(value)}</td></tr>"
        for what, value in report.checks.items()
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Fusewright demo</title><style>{_STYLE}</style></head><body><main>
<h1>Emoji: from a specification to a trained, exported network</h1>
<p>A picture of 32 × 32 pixels and the names of an emoji are fused to tell its category. Two small
backbones were trained on the training split ({train} samples) and their stages extracted once;
validation has {validation} samples, test {test}. Variants of one emoji stay in one split. Graphics:
Twemoji, CC-BY 4.0, copyright Twitter, Inc and other contributors.</p>
<h2>Comparison</h2>{_table(report.rows)}
<p>Every fused network was trained alike on the training and validation samples; the test split was
read once, at the end. With {test} test samples the standard error of an accuracy near 60 % is
{100 * (0.24 / test) ** 0.5:.1f} points, so differences below that say little.</p>
<h2>Pictures</h2>{figures}
<h2>The search</h2>
<figure>{_curve(report.history, report.best_round)}
<figcaption>Validation accuracy of the hypernet after each epoch; the dot is the epoch whose
genotype was kept.</figcaption></figure>
<h2>The specification</h2><pre>{escape(report.spec)}</pre>
<h2>The genotype, in the same language</h2><pre>{escape(report.genotype)}</pre>
<h2>The exported network</h2><table>{checks}</table>
</main></body></html>
"""


def _svg(svg: str) -> str:
    """The picture without the XML declaration, which has no place inside HTML."""
    return svg[svg.index("<svg") :]


def _table(rows: Sequence[tuple[str, str, int | None]]) -> str:
    body = "".join(
        f"<tr><th scope='row'>{escape(name)}</th><td class='number'>{escape(accuracy)}</td>"
        f"<td class='number'>{'' if parameters is None else format(parameters, ',')}</td></tr>"
        for name, accuracy, parameters in rows
    )
    return (
        "<table><caption>Test accuracy, mean ± standard deviation over seeds</caption>"
        "<tr><th scope='col'>what</th><th scope='col'>accuracy</th>"
        f"<th scope='col'>parameters</th></tr>{body}</table>"
    )


def _curve(history: Sequence[Mapping[str, Any]], best: int) -> str:
    """Validation accuracy over epochs as a small SVG."""
    values = [float(record["validation_accuracy"]) for record in history]
    low, high = min(values), max(values)
    span = (high - low) or 1.0

    def point(index: int) -> tuple[float, float]:
        x = _MARGIN + index * (_CURVE_WIDTH - 2 * _MARGIN) / max(1, len(values) - 1)
        y = _CURVE_HEIGHT - _MARGIN - (values[index] - low) / span * (_CURVE_HEIGHT - 2 * _MARGIN)
        return round(x, 1), round(y, 1)

    line = " ".join(f"{x},{y}" for x, y in map(point, range(len(values))))
    x, y = point(best - 1)
    label = f"Validation accuracy from {low:.3f} to {high:.3f} over {len(values)} epochs"
    text = "font-family='Helvetica,Arial,sans-serif' font-size='12' fill='#333'"
    return (
        f"<svg role='img' aria-label='{label}' viewBox='0 0 {_CURVE_WIDTH} {_CURVE_HEIGHT}' "
        f"width='{_CURVE_WIDTH}'>"
        f"<polyline points='{line}' fill='none' stroke='#0072b2' stroke-width='2'/>"
        f"<circle cx='{x}' cy='{y}' r='5' fill='#d55e00'/>"
        f"<text x='4' y='{_MARGIN + 4}' {text}>{high:.3f}</text>"
        f"<text x='4' y='{_CURVE_HEIGHT - _MARGIN + 4}' {text}>{low:.3f}</text>"
        f"<text x='{_MARGIN}' y='{_CURVE_HEIGHT - 8}' {text}>epoch 1</text>"
        f"<text x='{_CURVE_WIDTH - _MARGIN}' y='{_CURVE_HEIGHT - 8}' text-anchor='end' {text}>"
        f"epoch {len(values)}</text></svg>"
    )
