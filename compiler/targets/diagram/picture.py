"""Pictures of Graphs: what is drawn, in which style, how wide."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

import networkx

from ...graph import HEAD, Graph
from ...network import Network
from .cells import Drawer
from .changes import of_changes
from .compact import Compact
from .engine import MOST_STATEMENTS, draw, too_large
from .labels import Labels
from .overlay import PLAIN, Overlay
from .single import Single
from .statements import attributes, node, quoted
from .styles import SCREEN, SIGNS, Style
from .whole import Whole

ONE_COLUMN, TWO_COLUMNS = 3.3, 7.0
"""The widths of AAAI's columns, in inches."""
_SCALE = re.compile(r'transform="scale\(([\d.]+)')
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


def dot(graph: Graph, drawing: Drawing = Drawing()) -> str:
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


def render(graph: Graph, format: str, drawing: Drawing = Drawing()) -> bytes:
    """The picture as a file of one of `formats()`.

    Raises DiagnosticError for a format that cannot be written here (the remedy says what to
    install), and for a picture that takes too long to lay out.
    """
    is_large = graph.number_of_nodes() > MOST_STATEMENTS and not (drawing.cell or drawing.compact)
    if is_large and format != "dot":
        raise too_large()
    return draw(dot(graph, drawing), format, drawing.style)


def smallest_text(graph: Graph, drawing: Drawing) -> float:
    """The size of the smallest text, in points, after the picture is scaled down to its width."""
    found = _SCALE.search(draw(dot(graph, drawing), "svg", drawing.style).decode())
    return drawing.style.small * (float(found[1]) if found else 1.0)


def _drawer(graph: Graph, drawing: Drawing) -> Drawer:
    network: Network = graph.graph["network"]
    nodes, overlay = _used(graph), drawing.overlay
    if drawing.old is not None:
        nodes = {*nodes, *_used(drawing.old)}
        network, overlay = of_changes(drawing.old.graph["network"], network)
    if drawing.cell:
        return Single(network, nodes, overlay, drawing.style, drawing.cell)
    return (Compact if drawing.compact else Whole)(network, nodes, overlay, drawing.style)


def _used(graph: Graph) -> Collection[str]:
    """The nodes whose values the head depends on."""
    return frozenset({HEAD, *networkx.ancestors(graph, HEAD)})


def _legend(style: Style) -> str:
    labels = Labels(style)
    said = (f"{labels.signed(labels.small(change), change)}" for change in SIGNS)
    return "  ".join(said)
