"""Figures 7 and 8 as SVG pictures: the paper's figures and those of here in panels of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import combinations

import numpy as np

from ..report.charts import Scale
from .outcome import Outcome
from .paper import Table

WIDTH, PANEL, LEFT, TOP, GAP = 460, 230, 56, 44, 84
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#a8578a")
DASHES = ("", "7 3", "2 3", "9 3 2 3")
"""Lines differ in their dashes too, for eyes and printers that see no colours."""


@dataclass(frozen=True)
class Curve:
    """A line of a panel: its name and its points, (x, percent)."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Panel:
    """A chart: its title, its lines, what x is, and the names of places along it."""

    title: str
    curves: Sequence[Curve]
    along: str
    ticks: Sequence[tuple[float, str]] = ()


def figure(table: Table, found: Sequence[Outcome]) -> str:
    """The picture of a figure, from the rows that were run."""
    make: Callable[[Table, Sequence[Outcome]], Iterator[Panel]]
    make = _agreement if table.key == "figure-7" else _curves
    panels = list(make(table, found))
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    size = columns * (WIDTH + 20), rows * (PANEL + GAP)
    drawn = "".join(
        f"<g transform='translate({(place % columns) * (WIDTH + 20)} "
        f"{(place // columns) * (PANEL + GAP)})'>{''.join(_drawn(panel))}</g>"
        for place, panel in enumerate(panels)
    )
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' role='img' aria-label='{escape(table.title)}' "
        f"viewBox='0 0 {size[0]} {size[1]}' width='{size[0]}' height='{size[1]}' "
        f"font-family='sans-serif' font-size='12'><rect width='100%' height='100%' fill='white'/>"
        f"{drawn}</svg>\n"
    )


def _agreement(table: Table, found: Sequence[Outcome]) -> Iterator[Panel]:
    """Figure 7: scores in the search and in evaluation, configuration by configuration."""
    for start, rows in _by_data(table, found):
        numbers = [(i, one.row.printed) for i, one in enumerate(rows, 1)]
        search = [(i, p.search_score) for i, p in numbers if p.search_score is not None]
        score = [(i, p.score) for i, p in numbers if p.score is not None]
        yield _both(f"the paper, {start}", search, score)
    for start, rows in _by_data(table, found):
        done = [(i, one) for i, one in enumerate(rows, 1) if one.done]
        search = [(i, one.search_score) for i, one in done if one.search_score is not None]
        if done:
            name = f"here, {done[0][1].data}" + (f" for {start}" if done[0][1].stands_in else "")
            yield _both(name, search, [(i, one.scores.mean) for i, one in done])


def _both(
    title: str, search: Sequence[tuple[int, float]], score: Sequence[tuple[int, float]]
) -> Panel:
    alike = agreement([y for _, y in search], [y for _, y in score])
    said = "" if alike is None else f"; Kendall’s τ {alike:.2f}"
    curves = (Curve("search, validation", search), Curve("evaluation, test", score))
    return Panel(title + said, curves, "configuration", [(i, str(i)) for i, _ in score])


def agreement(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Kendall's τ of two rankings, ties counting for neither; None for fewer than two."""
    pairs = list(combinations(range(min(len(first), len(second))), 2))
    if not pairs or len(first) != len(second):
        return None
    signs = [np.sign(first[i] - first[j]) * np.sign(second[i] - second[j]) for i, j in pairs]
    return float(np.mean(signs))


def _curves(table: Table, found: Sequence[Outcome]) -> Iterator[Panel]:
    """Figure 8: the mean over seeds of hypernets' validation scores, epoch by epoch.

    The paper's are a picture without numbers, so they are not drawn.
    """
    for start, rows in _by_data(table, found):
        curves: list[Curve] = []
        for one in rows:
            each = [done.curve for done in one.done if done.curve]
            length = min(map(len, each), default=0)
            mean = 100 * np.mean([curve[:length] for curve in each], 0) if length else []
            if length:
                points = [(epoch, float(value)) for epoch, value in enumerate(mean, 1)]
                curves.append(Curve(one.row.name, points))
        if curves:
            data, stands_in = rows[0].data, rows[0].stands_in
            title = f"here, {data}" + (f" for {start}" if stands_in else "")
            yield Panel(title, curves, "epoch of the search")


def _by_data(table: Table, found: Sequence[Outcome]) -> Iterator[tuple[str, list[Outcome]]]:
    """The rows of each set, under the first word of their names."""
    for data in dict.fromkeys(table.data_of(one.row) for one in found):
        rows = [one for one in found if table.data_of(one.row) == data]
        yield rows[0].row.name.rpartition(" ")[0], rows


# Drawing


def _drawn(panel: Panel) -> Iterator[str]:
    xs = [x for curve in panel.curves for x, _ in curve.points]
    ys = [y for curve in panel.curves for _, y in curve.points]
    low, high, step = _rounded(min(ys), max(ys))
    across = Scale(min(xs), max(xs), LEFT + 12, WIDTH - 20)
    up = Scale(low, high, TOP + PANEL - 60, TOP)
    bottom = TOP + PANEL - 60
    yield f"<text x='{LEFT}' y='18' font-weight='bold'>{escape(panel.title)}</text>"
    yield f"<text x='{LEFT}' y='36' fill='#555'>score, %</text>"
    for value in np.arange(low, high + step / 2, step):
        y = up(float(value))
        yield f"<path d='M{LEFT} {y}H{WIDTH - 12}' stroke='#e3e3e3'/>"
        yield _text(LEFT - 6, y + 4, f"{value:g}", "end")
    yield f"<path d='M{LEFT} {TOP}V{bottom}H{WIDTH - 12}' stroke='#888' fill='none'/>"
    for x, name in panel.ticks or _ends(xs):
        yield _text(across(x), bottom + 16, name, "middle")
    yield _text((LEFT + WIDTH) / 2, bottom + 32, panel.along, "middle")
    place = float(LEFT)
    for number, curve in enumerate(panel.curves):
        look = f"stroke='{COLOURS[number % 4]}' stroke-dasharray='{DASHES[number % 4]}'"
        pairs = " ".join(f"{across(x)},{up(y)}" for x, y in curve.points)
        yield f"<polyline points='{pairs}' fill='none' stroke-width='2' {look}/>"
        fill = f"fill='{COLOURS[number % 4]}'"
        for x, y in curve.points if panel.ticks else ():
            yield f"<circle cx='{across(x)}' cy='{up(y)}' r='3.5' {fill}/>"
        yield f"<path d='M{place:.0f} {bottom + 50}h24' stroke-width='2' {look}/>"
        yield _text(place + 30, bottom + 54, curve.name, "start")
        place += 44 + 7 * len(curve.name)


def _ends(xs: Sequence[float]) -> list[tuple[float, str]]:
    return [(x, f"{x:g}") for x in sorted({min(xs), max(xs)})]


def _rounded(low: float, high: float) -> tuple[float, float, float]:
    """Ends and a step between them for a scale that holds both."""
    span = max(high - low, 1.0)
    step = next(s for s in (0.5, 1, 2, 5, 10, 20, 50) if span / s <= 6)
    return float(np.floor(low / step) * step), float(np.ceil(high / step) * step), step


def _text(x: float, y: float, shown: str, anchor: str) -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}'>{escape(shown)}</text>"
