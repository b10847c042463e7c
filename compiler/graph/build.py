"""The Graph: the fusion DAG of a network, as users analyse it and as it is drawn and lowered.

A `networkx.MultiDiGraph` whose nodes stand in topological order. A node is named by its place:
`Video_4`, `Cell_1`, `Cell_1.Step_2` (`place_of` splits it). Its attributes:

- `kind`: feature, adapter, input (of a Cell), step, cell, output, head or, where heads have names,
  heads: what joins these
- `operations`: the applications it may become, one unless it is an open Step; none for a feature
  and an input of a Cell
- `open`: whether its operation is a hole
- of a feature: `axes`, None while they are to be read off the backbone; `modality`, and whether
  that is `optional`
- `span`: where the text says it, if there is a text

An edge has `slot`, its place among the inputs, and `candidate`, its place among the candidates of
a hole, or None where the slot is fixed; one into a place of the output that may stay empty is
`optional`. Its key is the first two. The inputs of a Cell are in the order of
their nodes. `graph.graph` holds the `name`, the `numbers` (C, L, …) and the `head` of the network,
and the `specification` that it was built from: its wording, and what is neither node nor edge.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import networkx

from ..diagnostics.diagnostic import fail
from ..diagnostics.source import Span
from ..language.spec import Spec
from ..network.names import OUTPUT, identifier
from ..network.network import Application, Architecture, Network, NetworkCell, NetworkStep, Slot
from ..resolve.resolve import resolve
from ..system.collector import COLLECTOR_OFF
from ..system.display import Displayed

if TYPE_CHECKING:
    AnyGraph: TypeAlias = networkx.MultiDiGraph[Any]
    _MultiDiGraph: TypeAlias = networkx.MultiDiGraph[str]
else:
    AnyGraph = _MultiDiGraph = networkx.MultiDiGraph


class Graph(_MultiDiGraph, Displayed):
    """A `networkx.MultiDiGraph` that a notebook shows by its picture."""


HEAD = "head"
MOST_EDGES = 100_000
"""What is looked at and lowered in a moment; `check` needs no Graph, and takes many more."""


def build(network: Network) -> Graph:
    """The Graph of a network; unused features and Steps are in it.

    Raises DiagnosticError where it would have too many edges.
    """
    _require_few_edges(network)
    with COLLECTOR_OFF:
        return _build(network)


def graph_of(spec: Spec) -> Graph:
    """The Graph of a specification; raises DiagnosticError where its names do not resolve."""
    return build(resolve(spec))


def _build(network: Network) -> Graph:
    numbers = dict(network.numbers)
    graph = Graph(
        name=network.name, numbers=numbers, head=network.head, specification=network.space
    )
    for feature in network.features:
        name, adapter = identifier(feature.name), source_of(network, feature.name)
        _add(graph, name, "feature", (), feature.span)
        shape = feature.axes, feature.modality, feature.optional
        graph.nodes[name].update(zip(("axes", "modality", "optional"), shape, strict=True))
        _add(graph, adapter, "adapter", (feature.adapt,))
        _connect(graph, adapter, [name])
    for cell in network.cells:
        _add_cell(graph, network, cell)
    _add(graph, OUTPUT, "output", (network.combine,))
    for number, slot in enumerate(network.outputs):
        sources = (source_of(network, c) for c in slot.candidates)
        _connect_slot(graph, OUTPUT, number, slot, sources)
    if not network.heads:
        _add(graph, HEAD, "head", (network.head_role,))
        _connect(graph, HEAD, [OUTPUT])
    else:
        _add_heads(graph, network)
    return graph


def _require_few_edges(network: Network) -> None:
    edges = sum(len(slot.candidates) for slot in network.outputs)
    for cell in network.cells:
        slots = (*cell.slots, *(slot for step in cell.steps for slot in step.slots))
        edges += sum(len(slot.candidates) for slot in slots)
        if edges > MOST_EDGES:
            message = f"the graph has more than {MOST_EDGES:,} candidate edges"
            remedy = "use fewer Cells or Steps, or restrict the holes: `{A | B}`"
            raise fail("E308", message, cell.span, help=remedy)


def _add_heads(graph: Graph, network: Network) -> None:
    """The heads that have names, and the node that joins them; `combine` joins what one reads."""
    for head in network.heads:
        node = identifier(head.name)
        _add(graph, node, "head", (head.role,), head.span)
        graph.nodes[node].update(combine=head.combine, head=head.head)
        read = identifier if head.decides else partial(source_of, network)
        _connect(graph, node, map(read, head.reads) if head.reads else [OUTPUT])
    _add(graph, HEAD, "heads", ())
    _connect(graph, HEAD, (identifier(head.name) for head in network.heads))


def source_of(network: Architecture, name: str) -> str:
    """The node that gives the value of a feature (its adapter) or a Cell."""
    is_feature = name in network.feature_by_name
    return identifier(name, "adapt") if is_feature else identifier(name)


def reached(graph: Graph) -> set[str]:
    """The nodes that the head depends on, with every Step of the Cells among them.

    Only these have parameters: a Cell owns its Steps, also one that nothing reads.
    """
    members: dict[str, list[str]] = {}
    for node, data in graph.nodes(data=True):
        if data["kind"] in ("input", "step"):
            members.setdefault(node.partition(".")[0], []).append(node)
    nodes, waiting = {HEAD}, [HEAD]
    while waiting:
        node = waiting.pop()
        sources = [*graph.predecessors(node), *members.get(node, ())]
        waiting += [s for s in sources if s not in nodes]
        nodes.update(sources)
    return nodes


def _add(
    graph: Graph,
    node: str,
    kind: str,
    operations: Sequence[Application],
    span: Span | None = None,
    *,
    open: bool = False,
) -> None:
    graph.add_node(node, kind=kind, operations=tuple(operations), open=open, span=span)


def _connect(graph: Graph, node: str, sources: Iterable[str]) -> None:
    for slot, source in enumerate(sources):
        graph.add_edge(source, node, key=(slot, None), slot=slot, candidate=None)


def _connect_slot(graph: Graph, node: str, number: int, slot: Slot, sources: Iterable[str]) -> None:
    for position, source in enumerate(sources):
        candidate = position if slot.open else None
        key = (number, candidate)
        graph.add_edge(source, node, key=key, slot=number, candidate=candidate)
        if slot.optional:
            graph.edges[source, node, key]["optional"] = True


def _add_cell(graph: Graph, network: Network, cell: NetworkCell) -> None:
    for name, slot in zip(cell.inputs, cell.slots, strict=True):
        node = identifier(cell.name, name)
        _add(graph, node, "input", (), slot.span)
        _connect_slot(graph, node, 0, slot, (source_of(network, c) for c in slot.candidates))
    for step in cell.steps:
        _add_step(graph, cell, step)
    node = identifier(cell.name)
    _add(graph, node, "cell", (cell.merge,), cell.span)
    merged = (cell.inputs[0], *cell.returned)
    _connect(graph, node, (identifier(cell.name, name) for name in merged))


def _add_step(graph: Graph, cell: NetworkCell, step: NetworkStep) -> None:
    node = identifier(cell.name, step.name)
    _add(graph, node, "step", step.operations, step.span, open=step.open)
    for number, slot in enumerate(step.slots):
        sources = (identifier(cell.name, c) for c in slot.candidates)
        _connect_slot(graph, node, number, slot, sources)
