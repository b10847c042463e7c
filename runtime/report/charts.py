"""Charts as small SVGs, whose colours are those of the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ...compiler.targets.html import Html, html, joined
from .page import name, number
from .style import COLOURS

T = TypeVar("T")
Points = Sequence[tuple[float, float]]
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 10, 24
MOST_POINTS = 400
"""How many points of a line are drawn; of more, evenly chosen ones."""
DASHED, OTHER = "dashed", ""


@dataclass(frozen=True)
class Line:
    """A line of a chart; `look` is a colour, `DASHED`, or `OTHER`, which is grey.

    The `band` around it is where it may be: places with their lowest and highest values.
    """

    points: Points
    look: str = "c0"
    band: Sequence[tuple[float, float, float]] = ()


@dataclass(frozen=True)
class Scale:
    """Where values stand in a picture of so many units."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        span = self.high - self.low
        share = (value - self.low) / span if span else 0.5
        return round(self.start + share * (self.end - self.start), 1)


def colour(place: int) -> str:
    """The look of the line at a place; grey beyond the colours."""
    return f"c{place}" if place < COLOURS else OTHER


def line_chart(
    lines: Sequence[Line],
    label: str,
    *,
    size: tuple[int, int] = (520, 180),
    range: tuple[float, float] | None = None,
    along: str = "round",
    mark: tuple[float, float] | None = None,
) -> Html:
    """Lines over rounds; `label` says to a reader without eyes what they show."""
    thin_lines = [
        Line(_thinned(line.points), line.look, _thinned(line.band)) for line in lines if line.points
    ]
    if not thin_lines:
        return Html()
    width, height = size
    xs = [x for line in thin_lines for x, _ in line.points]
    ys = [y for line in thin_lines for _, y in line.points]
    ys += [y for line in thin_lines for _, *ends in line.band for y in ends]
    low, high = range or (min(ys), max(ys))
    across = Scale(min(xs), max(xs), LEFT, width - RIGHT)
    up = Scale(low, high, height - BOTTOM, TOP)
    marked = (
        f"<circle class='mark' cx='{across(mark[0])}' cy='{up(mark[1])}' r='5'/>" if mark else ""
    )
    return Html(
        f"<svg class='chart' role='img' aria-label='{html(label)}' viewBox='0 0 {width} {height}' "
        f"width='{width}' height='{height}'>"
        f"<path class='axis' d='M{LEFT} {TOP}V{height - BOTTOM}H{width - RIGHT}'/>"
        + "".join(_band(line, across, up) for line in thin_lines)
        + "".join(_line(line, across, up) for line in thin_lines)
        + marked
        + _labels(across, up, along, height)
        + "</svg>"
    )


def _line(line: Line, across: Scale, up: Scale) -> str:
    points = [(across(x), up(y)) for x, y in line.points]
    if len(points) == 1:
        ((x, y),) = points
        return f"<circle class='dot {line.look}' cx='{x}' cy='{y}' r='3'/>"
    pairs = " ".join(f"{x},{y}" for x, y in points)
    return f"<polyline class='line {line.look}' points='{pairs}'/>"


def _band(line: Line, across: Scale, up: Scale) -> str:
    if not line.band:
        return ""
    below = [(across(x), up(low)) for x, low, _ in line.band]
    above = [(across(x), up(high)) for x, _, high in reversed(line.band)]
    pairs = " ".join(f"{x},{y}" for x, y in [*below, *above])
    return f"<polygon class='band {line.look}' points='{pairs}'/>"


def _labels(across: Scale, up: Scale, along: str, height: int) -> str:
    def text(x: float, y: float, shown: str, anchor: str) -> str:
        return f"<text x='{x}' y='{y}' text-anchor='{anchor}'>{html(shown)}</text>"

    labels = [text(LEFT - 6, up(up.high) + 4, _short(up.high), "end")]
    if up.low < up.high:
        labels.append(text(LEFT - 6, up(up.low) + 4, _short(up.low), "end"))
    labels.append(text(LEFT, height - 6, f"{along} {_short(across.low)}", "start"))
    if across.low < across.high:
        labels.append(text(across.end, height - 6, _short(across.high), "end"))
    return "".join(labels)


def _short(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e6 else f"{value:.3g}"


def _thinned(points: Sequence[T]) -> Sequence[T]:
    if len(points) <= MOST_POINTS:
        return points
    last = len(points) - 1
    return [points[round(i * last / (MOST_POINTS - 1))] for i in range(MOST_POINTS)]


def legend(entries: Iterable[tuple[str, object, float | None, bool]]) -> Html:
    """What lines mean: for each its look, its name, its last value, and whether it was taken."""
    items = (
        f"<li class='{'taken' if taken else ''}'><span class='swatch {look}'></span>"
        f"{name(shown)}{'' if value is None else _value(value)}</li>"
        for look, shown, value, taken in entries
    )
    return Html(f"<ul class='legend'>{''.join(items)}</ul>\n")


def _value(value: float) -> str:
    return f"<span class='value'>{number(value)}</span>"


def bar(share: float) -> Html:
    """A share from 0 to 1 as a bar with its number."""
    width = round(8 * min(1.0, max(0.0, share)), 2)
    return Html(f"<span class='bar' style='width:{width}rem'></span> {100 * share:.0f} %")


def pair(parts: Iterable[object]) -> Html:
    """Parts beside each other that share the room there is; nothing where there are none."""
    content = joined(Html(f"<div>{html(part)}</div>") for part in parts)
    return Html(f"<div class='pair'>{content}</div>\n") if content else content


def grid(cards: Iterable[object]) -> Html:
    """Cards beside each other, as many as there is room for."""
    content = joined(Html(f"<div>{html(card)}</div>") for card in cards)
    return Html(f"<div class='grid'>{content}</div>\n") if content else content
