"""Pictures of Graphs: what is drawn, in which style, how wide."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeAlias

import networkx

from ...diagnostics.diagnostic import fail
from ...graph.build import HEAD, Graph
from ...graph.read import architecture
from .changes import of_changes
from .compact import Compact
from .drawer import Drawer, free_slots
from .engine import MOST_STATEMENTS, draw, too_large
from .ensemble import EnsembleDrawer, EnsembleGraph, moved
from .labels import Labels
from .overlay import PLAIN, Overlay
from .single import Single
from .statements import attributes, node, quoted
from .styles import SCREEN, SIGNS, Style
from .whole import WholeDrawer

ONE_COLUMN, TWO_COLUMNS = 3.3, 7.0
"""The widths of AAAI's columns, in inches."""
LEGIBLE = 5.0
"""Points; smaller text is not read in print."""
_SCALE = re.compile(r'transform="scale\(([\d.]+)')
Drawn: TypeAlias = Graph | EnsembleGraph
"""What a picture shows."""
HIGHEST = 200
"""Inches; no picture is scaled down for its height."""


@dataclass(frozen=True)
class Drawing:
    """How a Graph is drawn.

    `width` is what a picture may take at most, in inches; it is scaled down to it. `cell` names one
    Cell to be drawn alone; `compact` folds modalities and Cells; `old` is a Graph to show changes
    from, and `overlay` what else is said.
    """

    style: Style = SCREEN
    width: float | None = None
    cell: str = ""
    compact: bool = False
    old: Graph | None = None
    overlay: Overlay = PLAIN


def dot(graph: Drawn, drawing: Drawing = Drawing()) -> str:
    """The picture as DOT text; equal Graphs give equal texts.

    Raises DiagnosticError where the drawing names a Cell that is not there.
    """
    drawer, style = _drawer(graph, drawing), drawing.style
    page = {**style.of_page, **drawer.gaps}
    if drawing.width is not None:
        page["size"] = f"{drawing.width:g},{HIGHEST}"
    legend = _legend(style) if drawing.old is not None else None
    lines = [
        f"graph {attributes(page, legend)};",
        f"node {attributes(style.of_nodes)};",
        f"edge {attributes(style.of_edges)};",
        *drawer.lines(),
    ]
    text = "\n".join(f"  {line}" for line in lines)
    return f"digraph {quoted(node(drawer.network.name))} {{\n{text}\n}}\n"


def render(graph: Drawn, format: str, drawing: Drawing = Drawing()) -> bytes:
    """The picture as a file of one of `formats()`.

    Raises DiagnosticError for a format that cannot be written here (the remedy says what to
    install), and for a picture that takes too long to lay out.
    """
    is_large = graph.number_of_nodes() > MOST_STATEMENTS and not (drawing.cell or drawing.compact)
    if is_large and format != "dot":
        raise too_large()
    return draw(dot(graph, drawing), format, drawing.style)


def smallest_text(graph: Drawn, drawing: Drawing, svg: bytes | None = None) -> float:
    """The size of the smallest text, in points, after the picture is scaled down to its width.

    `svg` is the picture, where it has been drawn already.
    """
    picture = draw(dot(graph, drawing), "svg", drawing.style) if svg is None else svg
    scale = _SCALE.search(picture.decode())
    return drawing.style.small * (float(scale[1]) if scale else 1.0)


def _drawer(graph: Drawn, drawing: Drawing) -> Drawer:
    if isinstance(graph, EnsembleGraph):
        return _of_ensemble(graph, drawing)
    network = architecture(graph)
    nodes, free, overlay = _used(graph), frozenset(free_slots(network)), drawing.overlay
    _require_possible(drawing)
    if drawing.old is not None:
        union = of_changes(architecture(drawing.old), network)
        network, free, overlay = union.network, frozenset(union.free), union.overlay
        nodes = {*nodes, *_used(drawing.old)}
    if drawing.cell:
        return Single(network, nodes, free, overlay, drawing.style, drawing.cell)
    return (Compact if drawing.compact else WholeDrawer)(
        network, nodes, free, overlay, drawing.style
    )


def _of_ensemble(ensemble: EnsembleGraph, drawing: Drawing) -> Drawer:
    """Raises DiagnosticError for what is drawn of a single network alone."""
    if drawing.cell or drawing.compact or drawing.old is not None or drawing.overlay != PLAIN:
        message = "an ensemble is drawn whole, without weights and changes"
        raise fail("E506", message, help="draw the specification of a member")
    used = {
        moved(name, architecture(graph), place)
        for name, graph in ensemble.graphs.items()
        for place in _used(graph)
    }
    return EnsembleDrawer.of(ensemble, used, drawing.style)


def _require_possible(drawing: Drawing) -> None:
    """Raises DiagnosticError for what would leave out something that was asked for."""
    more = drawing.old is not None or drawing.overlay != PLAIN
    if drawing.compact and (more or drawing.cell):
        message = "a compact picture shows no weights, no changes, and no single Cell"
        raise fail("E506", message, help="draw it without `--compact`")
    if drawing.old is not None and drawing.overlay != PLAIN:
        message = "a picture shows weights or changes, not both"
        raise fail("E506", message, help="draw one after the other")


def _used(graph: Graph) -> Collection[str]:
    """The nodes whose values the head depends on."""
    return frozenset({HEAD, *networkx.ancestors(graph, HEAD)})


def _legend(style: Style) -> str:
    labels = Labels(style)
    said = (f"{labels.signed(labels.small(change), change)}" for change in SIGNS)
    return "  ".join(said)
