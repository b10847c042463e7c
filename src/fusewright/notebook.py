"""What notebooks show: specifications and Graphs by their pictures, searches by their pages.

It stands above everything, since it draws and reports; what is shown finds its way here through
`compiler/system/display.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch
from html import escape

from .compiler.check.check import checked
from .compiler.diagnostics.diagnostic import DiagnosticError
from .compiler.graph.build import Graph, build
from .compiler.graph.write import specification
from .compiler.language.spec import Spec
from .compiler.system.display import Bundle
from .compiler.targets.diagram import render

FRAME = 'title="the search" sandbox="allow-scripts" width="100%" height="760" style="border: 0"'


@singledispatch
def bundle(shown: object) -> Bundle:
    """What a notebook shows of a result, by media type; a diagnostic where it cannot be drawn."""
    from .runtime.runs.read import FinishedRun
    from .runtime.search.loop import SearchResult

    if isinstance(shown, SearchResult):
        return _of_search(shown)
    if isinstance(shown, FinishedRun):
        return _of_run(shown)
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


def _drawn(text: str, made: Callable[[], Graph]) -> Bundle:
    try:
        return {"text/plain": text, "image/svg+xml": render(made(), "svg").decode()}
    except DiagnosticError as error:
        return {"text/plain": f"{text}\n{error}"}


def _of_search(shown: object) -> Bundle:
    """The genotype, and a page of the rounds."""
    from .runtime.report.pages import page_of
    from .runtime.runs.read import record_of
    from .runtime.search.loop import SearchResult

    assert isinstance(shown, SearchResult)
    text = f"round {shown.best_round} of {len(shown.history)} was kept:\n\n{shown.genotype}"
    records = [record_of(r, int(r["round"])) for r in shown.history]
    name = f"{shown.settings.strategy}, seed {shown.settings.seed}"
    return _framed(text, lambda: page_of(shown.space, name, records, shown.best_round))


def _of_run(shown: object) -> Bundle:
    """The genotype, and a page of the search's rounds."""
    from .runtime.report.pages import pages
    from .runtime.runs.read import FinishedRun

    assert isinstance(shown, FinishedRun)
    return _framed(f"{shown.name}:\n\n{shown.genotype}", lambda: pages([shown.path]))


def _framed(text: str, made: Callable[[], str]) -> Bundle:
    """A text, and a page in a frame of its own."""
    try:
        frame = f'<iframe srcdoc="{escape(made())}" {FRAME}></iframe>'
    except DiagnosticError as error:
        return {"text/plain": f"{text}\n{error}"}
    return {"text/plain": text, "text/html": frame}
