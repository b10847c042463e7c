"""What notebooks show: specifications and Graphs by their pictures, searches by their pages.

And while these run, by a bar that is text and HTML, and needs no widgets.

It stands above everything, since it draws and reports; what is shown finds its way here through
`compiler/system/display.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import singledispatch
from html import escape
from time import monotonic
from typing import Any

from .compiler.check.check import checked
from .compiler.diagnostics.diagnostic import DiagnosticError
from .compiler.graph.build import Graph, build
from .compiler.graph.write import specification
from .compiler.language.spec import Spec
from .compiler.system.display import Bundle, Report
from .compiler.targets.diagram import Drawing, render
from .compiler.tools.difference import Difference
from .runtime.progress import clock_text

MOST_ROWS = 10
"""Epochs that are shown, the last."""
FRAME = 'title="the search" sandbox="allow-scripts" width="100%" height="760" style="border: 0"'


@singledispatch
def bundle(shown: object) -> Bundle:
    """What a notebook shows of a result, by media type; a diagnostic where it cannot be drawn."""
    from .runtime.report.build import RunReport
    from .runtime.runs.read import FinishedRun
    from .runtime.search.consensus import Consensus
    from .runtime.search.loop import SearchResult
    from .runtime.training.train import TrainResult

    if isinstance(shown, SearchResult):
        return _of_search(shown)
    if isinstance(shown, FinishedRun):
        return _of_run(shown)
    if isinstance(shown, Consensus):
        rows = [[s.place, ", ".join(s.picks), s.share] for s in shown.support]
        return _tabled(str(shown), shown.genotype, ("place", "picks", "share of runs"), rows)
    if isinstance(shown, TrainResult):
        last = shown.history[-MOST_ROWS:]
        columns = tuple(last[-1])
        rows = [[record.get(column) for column in columns] for record in last]
        return _tabled(repr(shown), shown.genotype, columns, rows)
    if isinstance(shown, RunReport):
        return _framed(repr(shown), lambda: shown.page)
    return {"text/plain": repr(shown)}


@bundle.register
def _of_spec(shown: Spec) -> Bundle:
    return _drawn(str(shown), lambda: build(checked(shown)))


@bundle.register
def _of_graph(shown: Graph) -> Bundle:
    """Its size, and its picture where it is the whole Graph of a network."""
    try:
        spec = specification(shown)
    except DiagnosticError:
        return {"text/plain": str(shown)}
    return _drawn(str(shown), lambda: build(checked(spec)))


@bundle.register
def _of_difference(shown: Difference) -> Bundle:
    """What changed, as lines and in one picture."""

    try:
        old, new = (build(checked(spec)) for spec in (shown.old, shown.new))
        picture = render(new, "svg", Drawing(old=old))
    except DiagnosticError as error:
        return {"text/plain": f"{shown}\n{error}"}
    return {"text/plain": str(shown), "image/svg+xml": picture.decode()}


def _drawn(text: str, made: Callable[[], Graph]) -> Bundle:
    try:
        return {"text/plain": text, "image/svg+xml": render(made(), "svg").decode()}
    except DiagnosticError as error:
        return {"text/plain": f"{text}\n{error}"}


def _tabled(
    text: str, genotype: Spec, header: Sequence[str], rows: Sequence[Sequence[object]]
) -> Bundle:
    """A genotype's picture and a table below it, everything in it escaped."""
    from .runtime.report.page import picture, table

    try:
        svg = render(build(checked(genotype)), "svg").decode()
    except DiagnosticError as error:
        return {"text/plain": f"{text}\n{error}"}
    return {"text/plain": text, "text/html": picture(svg) + table(header, rows)}


def _of_search(shown: object) -> Bundle:
    """The genotype, and a page of the rounds."""
    from .runtime.report.pages import page_of
    from .runtime.runs.read import records
    from .runtime.search.loop import SearchResult

    assert isinstance(shown, SearchResult)
    rounds = records(shown.history, "round")
    return _framed(str(shown), lambda: page_of(shown.space, shown.name, rounds, shown.best_round))


def _of_run(shown: object) -> Bundle:
    """The genotype, and a page of the search's rounds."""
    from .runtime.report.pages import pages
    from .runtime.runs.read import FinishedRun

    assert isinstance(shown, FinishedRun)
    return _framed(str(shown), lambda: pages([shown.path]))


def _framed(text: str, made: Callable[[], str]) -> Bundle:
    """A text, and a page in a frame of its own."""
    try:
        frame = f'<iframe srcdoc="{escape(made())}" {FRAME}></iframe>'
    except DiagnosticError as error:
        return {"text/plain": f"{text}\n{error}"}
    return {"text/plain": text, "text/html": frame}


# While it runs


def report(what: str, total: int | None) -> Report:
    """Shows a search or a training by a bar below its cell, with the time left and its numbers."""
    from IPython import display

    shown_in: Any = display
    start = monotonic()
    handle = shown_in.display({"text/plain": what}, raw=True, display_id=True)

    def show(record: dict[str, Any]) -> None:
        done = record.get("round", record.get("epoch", 0))
        passed, of = monotonic() - start, record.get("rounds", total)
        handle.update(_bar(what, done, of, passed, record), raw=True)

    return show


def _bar(
    what: str, done: int, total: int | None, passed: float, record: Mapping[str, Any]
) -> Bundle:
    """How far it is, as text and as an element that notebooks draw."""
    parts = [f"{what} {done:,}" + (f"/{total:,}" if total else ""), clock_text(passed)]
    if total and 0 < done < total:
        parts.append(f"{clock_text(passed * (total - done) / done)} left")
    numbers = [f"{name} {value:.4f}" for name, value in record.items() if isinstance(value, float)]
    text = ", ".join(parts) + (f": {'  '.join(numbers)}" if numbers else "")
    bar = f'<progress value="{done}" max="{total or done}" aria-label="{escape(what)}"></progress>'
    return {"text/plain": text, "text/html": f"{bar} {escape(text)}"}
