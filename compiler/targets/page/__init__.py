"""The page target: a network, or the course of its search, as one HTML file to click through.

The file needs no network: its picture is drawn as any other, its facts lie in it as JSON, and a
script (`page.js`, plain JavaScript with types in comments) shows them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from ...check.check import checked
from ...diagnostics.text import printable
from ...graph.write import specification
from ...network.network import Network
from ..diagram import Drawing, Drawn, EnsembleGraph, render
from ..diagram.labels import shown_bars
from ..diagram.overlay import PLAIN, Overlay
from ..diagram.statements import node
from ..diagram.weights import Shares, of_mixtures
from ..html import Html, html, joined
from .data import Fact, Facts
from .ensemble import EnsembleFacts
from .theme import SYMBOLS, symbolic, variables

DIGITS = 3
"""Decimals of a weight: what a line's width and a bar can show."""


@dataclass(frozen=True)
class Moment:
    """A round of a search: its score, if any, and the weights of the mixtures by parameter."""

    number: int
    score: float | None
    shares: Shares


@dataclass(frozen=True)
class Course:
    """A search from its first round on; `kept` is the round whose genotype was kept."""

    name: str
    moments: Sequence[Moment]
    kept: int | None = None


def page(graph: Drawn, courses: Sequence[Course] = (), metric: str = "") -> str:
    """The page of a network; with `courses`, all through its search space, of those searches.

    `metric` names their scores. Raises DiagnosticError where the picture cannot be laid out.
    """
    if isinstance(graph, EnsembleGraph):
        picture = render(graph, "svg", Drawing(SYMBOLS)).decode()
        return _document(symbolic(picture), _data(EnsembleFacts(graph)))
    network = checked(specification(graph))
    courses = [course for course in courses if course.moments]
    overlay = of_mixtures(network, _largest(courses), least=float("inf")) if courses else PLAIN
    picture = render(graph, "svg", Drawing(SYMBOLS, overlay=overlay)).decode()
    facts = Facts(network, graph)
    rounds = [_course(network, course, overlay) for course in courses]
    data = _data(facts, printable(metric), _mixtures(overlay), rounds)
    return _document(symbolic(picture), data)


def _data(
    facts: Facts | EnsembleFacts,
    metric: str = "",
    mixtures: Sequence[Fact] = (),
    courses: Sequence[Fact] = (),
) -> Fact:
    """What the script shows."""
    return {
        "network": facts.whole(),
        "nodes": facts.nodes,
        "operations": facts.operations,
        "metric": metric,
        "mixtures": mixtures,
        "courses": courses,
    }


def _largest(courses: Sequence[Course]) -> Shares:
    """For every mixture that a round has, the largest weight of each candidate."""
    shares: dict[str, list[float]] = {}
    for course in courses:
        for moment in course.moments:
            for name, row in moment.shares.items():
                before = shares.get(name, row)
                shares[name] = [max(*both) for both in zip(before, row, strict=False)]
    return shares


def _mixtures(overlay: Overlay) -> list[Fact]:
    """What is mixed: a slot of a node, or its operations with those that have a bar."""
    slots: list[Fact] = [
        {"node": node(name), "slot": slot, "bars": []} for name, slot in overlay.weights
    ]
    return slots + [
        {"node": node(name), "slot": None, "bars": shown_bars(shares)}
        for name, shares in overlay.operations.items()
    ]


def _course(network: Network, course: Course, overlay: Overlay) -> Fact:
    """The weights of every moment, in the order of the mixtures; None where it has none."""
    rounds: list[Fact] = []
    for moment in course.moments:
        mixtures = of_mixtures(network, moment.shares)
        rows: list[Sequence[float] | None] = [mixtures.weights.get(key) for key in overlay.weights]
        rows += [mixtures.operations.get(key) for key in overlay.operations]
        weights = [row and [round(float(share), DIGITS) for share in row] for row in rows]
        rounds.append({"number": moment.number, "score": moment.score, "weights": weights})
    return {"name": printable(course.name), "kept": course.kept, "rounds": rounds}


def _document(picture: Html, data: Mapping[str, Any]) -> str:
    title = html(f"{data['network']['name']}: {data['network']['kind']}")
    script = _source("routes.js") + _source("page.js")
    style = variables() + _source("page.css")
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    parts = {"{{title}}": title, "{{picture}}": picture}
    body = re.sub(r"\{\{\w+\}\}", lambda match: parts[match[0]], _source("page.html"))
    return joined(
        [
            Html('<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'),
            Html(f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'),
            Html('<meta name="viewport" content="width=device-width, initial-scale=1">\n'),
            Html(f"<title>{title}</title>\n<style>{style}</style></head>\n<body>\n"),
            Html(body),
            Html(f'<script type="application/json" id="data">{_embedded(data)}</script>\n'),
            Html(f"<script>{script}</script>\n</body></html>\n"),
        ]
    )


def _embedded(data: Mapping[str, Any]) -> str:
    """JSON that no HTML ends: `<` stands there as its escape."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _source(name: str) -> str:
    return (files(__name__) / name).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
