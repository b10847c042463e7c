"""The critical difference diagram: mean ranks on a line, and bars over those that are alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from .statistics import alike

WIDTH, SIDE, TOP, ROW = 760, 210, 56, 20
STYLE = "font-family='sans-serif' font-size='13' fill='black' stroke='none'"


def diagram(mean_ranks: Mapping[str, float], difference: float) -> str:
    """An SVG picture of contenders by mean rank, best on the left, with the critical difference."""
    names = sorted(mean_ranks, key=mean_ranks.__getitem__)
    values = [mean_ranks[name] for name in names]
    groups = alike(values, difference)
    half = (len(names) + 1) // 2
    below = TOP + 12 + 10 * len(groups)
    height = below + ROW * (half + 1)
    parts = [*_axis(len(names), difference), *_bars(values, groups, len(names))]
    for place, name in enumerate(names):
        left = place < half
        row = place if left else len(names) - 1 - place
        parts += _label(name, _x(values[place], len(names)), below + ROW * (row + 1), left)
    told = f"Mean ranks; those within {difference:.2f} of each other are alike"
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' role='img' aria-label='{escape(told)}' "
        f"viewBox='0 0 {WIDTH} {height}' width='{WIDTH}' height='{height}' "
        f"stroke='black' fill='none'>{''.join(parts)}</svg>\n"
    )


def _x(rank: float, count: int) -> float:
    """Where a rank from 1 to `count` stands."""
    return round(SIDE + (rank - 1) / max(1, count - 1) * (WIDTH - 2 * SIDE), 1)


def _axis(count: int, difference: float) -> Iterator[str]:
    yield f"<path d='M{_x(1, count)} {TOP}H{_x(count, count)}'/>"
    for rank in range(1, count + 1):
        x = _x(rank, count)
        yield f"<path d='M{x} {TOP - 6}V{TOP}'/>"
        yield _text(x, TOP - 10, str(rank), "middle")
    start, end = _x(1, count), _x(1 + difference, count)
    yield f"<path d='M{start} 12V20M{start} 16H{end}M{end} 12V20'/>"
    yield _text(end + 6, 20, f"critical difference {difference:.2f}", "start")


def _bars(values: Sequence[float], groups: Sequence[tuple[int, ...]], count: int) -> Iterator[str]:
    for place, group in enumerate(groups):
        start, end = _x(values[group[0]], count) - 4, _x(values[group[-1]], count) + 4
        y = TOP + 12 + 10 * place
        yield f"<path d='M{start:.1f} {y}H{end:.1f}' stroke-width='4'/>"


def _label(name: str, x: float, y: float, left: bool) -> Iterator[str]:
    edge = SIDE - 10 if left else WIDTH - SIDE + 10
    yield f"<path d='M{x} {TOP}V{y}H{edge}'/>"
    yield _text(edge + (-4 if left else 4), y + 4, name, "end" if left else "start")


def _text(x: float, y: float, shown: str, anchor: str) -> str:
    return f"<text x='{x:.1f}' y='{y}' text-anchor='{anchor}' {STYLE}>{escape(shown)}</text>"
