"""What a page says of each search: its rounds, its candidates, and the genotype that was kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...compiler.diagnostics.diagnostic import DiagnosticError
from ...compiler.graph.build import build
from ...compiler.network.network import Network
from ...compiler.resolve.unfill import unfilled
from ...compiler.targets.diagram import EnsembleGraph, render
from ...compiler.targets.html import Html, html, joined
from ..genotypes.agreement import Agreement, mean_pairwise
from ..metrics import TRAIN_LOSS, VALIDATION_LOSS, spoken
from ..runs.names import GIVEN_UP
from ..runs.read import FinishedRun, Record, Search
from ..search.perceptron import called
from ..search.plans import said
from .charts import OTHER, Line, bar, colour, grid, legend, line_chart, pair
from .holes import holes
from .page import figure, folded, paragraph, picture, section, table

PERCEPTRON_FOUND = (
    "What was found is a {} over all features: no candidate of the space was decided above "
    "it. The best of these stands in the last round's record."
)
MOST_CANDIDATES = 6
MOST_FACTS, DEEPEST_FACTS = 200, 5


def diagram(network: Network | EnsembleGraph, caption: object) -> Html:
    """The picture of a network or an ensemble; a line where it cannot be drawn."""
    try:
        drawn = network if isinstance(network, EnsembleGraph) else build(network)
        svg = render(drawn, "svg").decode()
    except DiagnosticError as error:
        return paragraph(f"No picture: {error.diagnostics[0].message}.")
    return figure(picture(svg), caption, "diagram")


def overview(runs: Sequence[FinishedRun]) -> Html:
    """A row for each search."""
    rows: list[list[object]] = []
    metric = ""
    for run in runs:
        if run.search is not None:
            settings, best = run.search.settings, run.search.best
            how = f"{settings.strategy}, {settings.selection}".removesuffix(", ")
            metric = run.search.metric
            place = f"{best.number} of {len(run.search.rounds)}" if best else "not recorded"
            cost = run.search.about.get("cost")
            seconds = cost.get("seconds") if isinstance(cost, Mapping) else None
            rows.append(
                [
                    run.name,
                    how,
                    settings.seed,
                    place,
                    run.search.score,
                    run.search.weight_steps,
                    float(seconds) if isinstance(seconds, (int, float)) else None,
                ]
            )
    score = spoken(metric)
    header = ("run", "strategy", "seed", "round kept", score, "cost in weight steps", "seconds")
    return table(header, rows)


def details(run: FinishedRun, search: Search, open: bool) -> Html:
    """Everything about one search."""
    choices = unfilled(search.network, run.genotype)
    parts = [
        paragraph(PERCEPTRON_FOUND.format(called(run.genotype))) if choices is None else Html(),
        _given_up(search),
        curves(search),
        candidates(search),
        Html() if choices is None else holes(search, choices),
        folded("Settings", table((), _facts(vars(search.settings)))),
        folded("Versions, machine and data", table((), _facts(search.about))),
    ]
    return folded(Html(f"<b>{html(run.name)}</b>"), *parts, open=open)


def _given_up(search: Search) -> Html:
    """What was not done to keep a limit of time, as far as the record can be believed."""
    known = search.about.get(GIVEN_UP)
    facts = known.items() if isinstance(known, Mapping) else ()
    text = said({str(part): str(what) for part, what in facts}, search.settings.minutes)
    return paragraph(f"{text[0].upper()}{text[1:]}.") if text else Html()


def curves(search: Search) -> Html:
    """The losses and the metric over the rounds."""
    metric = search.metric
    best = search.best
    losses = (TRAIN_LOSS, VALIDATION_LOSS)
    pairs = [(n, _points(search.rounds, n)) for n in losses]
    series = [(colour(i), n, points) for i, (n, points) in enumerate(pairs) if points]
    parts: list[Html] = []
    if series:
        lines = [Line(points, look) for look, _, points in series]
        entries = [(look, spoken(n), points[-1][1], False) for look, n, points in series]
        chart = line_chart(lines, f"losses over {len(search.rounds)} rounds", size=(420, 180))
        parts.append(joined([chart, legend(entries)]))
    if points := _points(search.rounds, metric):
        mark = (best.number, best.numbers[metric]) if best and metric in best.numbers else None
        label = f"{spoken(metric)} over {len(search.rounds)} rounds"
        chart = line_chart([Line(points)], label, size=(420, 180), mark=mark)
        caption = "The dot is the round whose genotype was kept." if mark else ""
        entries = [("c0", spoken(metric), points[-1][1], False)]
        parts.append(joined([figure(chart), legend(entries), paragraph(caption)]))
    return section("Rounds", pair(parts), level=3)


def _points(rounds: Sequence[Record], what: str) -> list[tuple[float, float]]:
    return [(r.number, r.numbers[what]) for r in rounds if what in r.numbers]


def candidates(search: Search) -> Html:
    """Candidates that were trained by themselves, by the epochs that they were trained for."""
    metric = search.metric
    trained: dict[float, list[tuple[float, float]]] = {}
    for record in search.rounds:
        numbers = record.numbers
        if {"candidate", "epochs", metric} <= numbers.keys():
            point = (numbers["epochs"], numbers[metric])
            trained.setdefault(numbers["candidate"], []).append(point)
    if not trained:
        return Html()
    order = sorted(trained, key=lambda c: (trained[c][-1][0], trained[c][-1][1]), reverse=True)
    looks = {c: colour(i) if i < MOST_CANDIDATES else OTHER for i, c in enumerate(order)}
    lines = [Line(trained[c], looks[c]) for c in reversed(order)]
    entries = [
        (looks[c], f"candidate {c:g}, {trained[c][-1][0]:g} epochs", trained[c][-1][1], i == 0)
        for i, c in enumerate(order[:MOST_CANDIDATES])
    ]
    label = f"{spoken(metric)} of {len(order)} candidates"
    chart = line_chart(lines, f"{label} over epochs", along="epoch")
    caption = f"{label} that were trained by themselves."
    return section("Candidates", figure(chart, caption), legend(entries), level=3)


def stability(found: Sequence[Agreement], runs: int) -> Html:
    """How far the runs agree, place by place; nothing for a single one."""
    if runs < 2:
        return Html()
    cards = [
        joined(
            [
                Html(f"<h4>{html(a.hole.title)}</h4>"),
                table((), [(c, bar(s)) for c, s in _by_share(a) if s]),
                paragraph(f"pairwise agreement {100 * (a.pairwise or 0):.0f} %"),
            ]
        )
        for a in found
    ]
    mean = mean_pairwise(found)
    text = (
        f"The share of the {runs} runs that chose each candidate. Two runs have "
        f"{100 * (mean or 0):.0f} % of their choices in common on average."
    )
    return section("Stability of the genotype", paragraph(text), grid(cards), level=2)


def _by_share(agreement: Agreement) -> list[tuple[str, float]]:
    return sorted(agreement.shares.items(), key=lambda item: -item[1])


def _facts(values: Mapping[str, Any]) -> list[tuple[str, object]]:
    """Nested facts as rows of a name in words and a value."""
    facts: list[tuple[str, object]] = []

    def add(place: tuple[str, ...], value: object) -> None:
        if len(facts) >= MOST_FACTS:
            return
        if isinstance(value, Mapping) and len(place) < DEEPEST_FACTS:
            for key, inner in value.items():
                add((*place, str(key).replace("_", " ")), inner)
        elif isinstance(value, (list, tuple)) and len(place) < DEEPEST_FACTS:
            for number, inner in enumerate(value, 1):
                add((*place, str(number)), inner)
        else:
            facts.append((", ".join(place), str(value)))

    add((), values)
    return facts
