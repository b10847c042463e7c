"""How the holes of a search settled: weights, entropy and drops of every mixture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import log
from typing import cast

from ...compiler.network.choices import Choices
from ...compiler.network.holes import Hole, Relaxation, holes_of
from ...compiler.targets.html import Html, html, joined
from ..runs.read import Record, Search
from .charts import DASHED, OTHER, Line, colour, grid, legend, line_chart
from .page import name, paragraph, section

SIZE = (280, 130)
MOST_NAMED = 6
MOST_HOLES = 200
_TEXT = (
    "The weight of each candidate over the rounds. Dashed is the entropy as a share of its "
    "largest: 1 is undecided, 0 settled. What the genotype took is set in bold."
)


def holes(search: Search, choices: Choices) -> Html:
    """A small chart for every hole of a run; nothing where its strategy keeps no weights."""
    relax = cast(Relaxation, search.settings.relax)
    every = holes_of(search.network.variant(choices.variant), relax)
    cards = [card for hole in every if (card := _card(hole, hole.picks(choices), search.rounds))]
    if not cards:
        return Html()
    more = len(cards) - MOST_HOLES
    left = paragraph(f"and {more} more holes") if more > 0 else Html()
    return section(
        "How the holes settled", paragraph(_TEXT), grid(cards[:MOST_HOLES]), left, level=3
    )


def _card(hole: Hole, picks: Sequence[str], rounds: Sequence[Record]) -> Html:
    parameter, count = hole.parameter, len(hole.candidates)
    mixed = [r for r in rounds if _rows(r, parameter) == count]
    parts = [_weights(hole, picks, mixed)] if mixed else []
    drops = next((r.drops for r in rounds if r.hole == parameter and len(r.drops) == count), None)
    if drops is not None:
        parts.append(_drops(hole, picks, drops))
    return joined([Html(f"<h4>{name(hole.title)}</h4>"), *parts]) if parts else Html()


def _rows(record: Record, parameter: str) -> int:
    return len(record.architecture[parameter]) if parameter in record.architecture else 0


def _weights(hole: Hole, picks: Sequence[str], rounds: Sequence[Record]) -> Html:
    weights = [hole.shares(r.architecture) for r in rounds]
    order = sorted(range(len(hole.candidates)), key=lambda place: -weights[-1][place])
    looks = {place: colour(rank) for rank, place in enumerate(order)}
    lines = [
        Line([(r.number, float(w[place])) for r, w in zip(rounds, weights, strict=True)], look)
        for place, look in reversed(looks.items())
    ]
    entropy = list(_entropies(hole.parameter, rounds))
    chart = line_chart(
        [*lines, Line(entropy, DASHED)],
        f"weights of {len(order)} candidates over {len(rounds)} rounds",
        size=SIZE,
        range=(0.0, 1.0),
    )
    last = {hole.candidates[place]: float(weights[-1][place]) for place in order}
    entries = _entries(last, picks, list(looks.values()))
    more = [(DASHED, "entropy", entropy[-1][1], False)] if entropy else []
    return joined([chart, legend([*entries, *more])])


def _entropies(parameter: str, rounds: Sequence[Record]) -> Iterator[tuple[float, float]]:
    """The entropy of a mixture, as a share of the largest that it can have, round by round."""
    for record in rounds:
        if parameter in record.entropy:
            most = log(record.architecture[parameter].shape[-1])
            if most:
                yield record.number, record.entropy[parameter] / most


def _drops(hole: Hole, picks: Sequence[str], drops: Sequence[float]) -> Html:
    order = sorted(range(len(drops)), key=lambda place: -drops[place])
    values = {hole.candidates[place]: drops[place] for place in order}
    what = html("What the metric loses without each candidate:")
    return joined([Html(f"<p class='legend'>{what}</p>"), legend(_entries(values, picks, []))])


def _entries(
    values: Mapping[str, float], picks: Sequence[str], looks: Sequence[str]
) -> Iterator[tuple[str, object, float | None, bool]]:
    """The first candidates, those that were taken, and how many others there are."""
    shown = [
        (looks[rank] if rank < len(looks) else OTHER, candidate, value, candidate in picks)
        for rank, (candidate, value) in enumerate(values.items())
    ]
    top = [entry for rank, entry in enumerate(shown) if rank < MOST_NAMED or entry[3]]
    yield from top
    if len(top) < len(shown):
        yield OTHER, f"{len(shown) - len(top)} others", None, False
