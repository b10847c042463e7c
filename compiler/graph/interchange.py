"""Graphs as GraphML and as node-link JSON, for other tools and back: untrusted like any text.

Attributes are plain there: `axes` and `operations` as they stand in a specification, and the whole
specification as an attribute of the graph, whose wording is kept where the graph still says it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import ParseError

import networkx

from ..diagnostics.diagnostic import DiagnosticError, fail
from ..diagnostics.source import Source
from ..documents.json_text import read_json
from ..documents.spellings import GraphNotation
from ..language import printer
from ..language.spec import Spec
from .build import AnyGraph, Graph, graph_of
from .write import specification, written_axes

_UNREADABLE = (
    networkx.NetworkXException,
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    ParseError,
)
"""What networkx raises for what it cannot read."""
_DECLARATION = re.compile(r"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_PLAIN = (bool, int, float, str)


def write_graph(spec: Spec, notation: GraphNotation) -> str:
    """The Graph of a specification as a text that other tools read."""
    plain = _plain(graph_of(spec), spec)
    if notation == "graphml":
        return "\n".join(networkx.generate_graphml(plain)) + "\n"
    return json.dumps(networkx.node_link_data(plain, edges="edges"), indent=1) + "\n"


def read_graph(text: str, notation: GraphNotation, name: str = "<graph>") -> Spec:
    """The specification that such a text says; raises DiagnosticError where it says none."""
    try:
        if notation == "graphml":
            graph: Any = _from_graphml(text, name)
        else:
            document = read_json(Source(name, text)).plain()
            graph = networkx.node_link_graph(document, edges="edges")
            if not isinstance(graph.graph, dict):
                raise TypeError("its `graph` is no object")
    except _UNREADABLE as error:
        if isinstance(error, DiagnosticError):
            raise
        message = f"`{name}` cannot be read as {notation}: {_one_line(error)}"
        raise fail("E702", message, help="write one with `fusewright convert --to`") from None
    return specification(graph)


def _from_graphml(text: str, name: str) -> Any:
    if _DECLARATION.search(text):
        message = f"`{name}` declares a document type or entities"
        raise fail("E702", message, help="remove the declaration")
    graph: Any = networkx.parse_graphml(text, force_multigraph=True)
    return graph


def _plain(graph: Graph, spec: Spec) -> AnyGraph:
    """A copy whose attributes are numbers and texts, with edges numbered as they come."""
    plain: AnyGraph = networkx.MultiDiGraph(specification=str(spec))
    for node, data in graph.nodes(data=True):
        plain.add_node(node, **dict(_attributes(data)))
    for tail, head, data in graph.edges(data=True):
        plain.add_edge(tail, head, **{k: v for k, v in data.items() if isinstance(v, _PLAIN)})
    return plain


def _attributes(data: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    kind = data["kind"]
    yield "kind", kind
    if kind == "step":
        yield "operations", " | ".join(printer.operation(o.operation) for o in data["operations"])
        yield "open", data["open"]
    if kind == "feature":
        yield "modality", data["modality"]
        yield "optional", data["optional"]
        if data["axes"] is not None:
            yield "axes", printer.axes(written_axes(data["axes"]))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
