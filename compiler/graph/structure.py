"""Whether a Graph is a fusion network: its kinds of nodes, its edges, its slots.

What the nodes mean together (shapes, arity, rules) is checked on the specification that it says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import networkx

from ..diagnostics.diagnostic import Report, did_you_mean, one_of
from ..network.names import place_of
from ..network.network import Application
from .build import HEAD, AnyGraph

INTO: Mapping[str, tuple[str, ...]] = {
    "feature": (),
    "adapter": ("feature",),
    "input": ("adapter", "feature", "cell"),
    "step": ("input", "step"),
    "cell": ("input", "step"),
    "output": ("adapter", "feature", "cell"),
    "head": ("output", "adapter", "feature", "cell", "head"),
    "heads": ("head",),
}
"""The kinds of nodes, and what each may read."""
_PARTS = {"adapter": 2, "input": 2, "step": 2}
_NAMES = {"cell": "a Cell", "step": "a Step", "input": "an input", "adapter": "an adapter"}
MOST_SHOWN = 5


def check_structure(graph: object, report: Report) -> None:
    """Reports what a graph has that no fusion network has, by the names of nodes and edges."""
    if not isinstance(graph, networkx.MultiDiGraph):
        message = f"a fusion graph is a directed multigraph, not a `{type(graph).__name__}`"
        report.add("E702", message, help="build a `fw.Graph`, or a `networkx.MultiDiGraph`")
        return
    nodes: Mapping[Any, Mapping[str, Any]] = graph.nodes
    kinds = {node: _kind(node, data, report) for node, data in nodes.items()}
    if report.errors:
        return
    cells = {node for node, kind in kinds.items() if kind == "cell"}
    for node, kind in kinds.items():
        if kind in ("input", "step") and node.partition(".")[0] not in cells:
            message = f"`{node}` stands in `{node.partition('.')[0]}`, which is no Cell"
            report.add("E702", message, help='add the node of its Cell, `kind="cell"`')
    for tail, head, edge in graph.edges(data=True):
        _check_edge(tail, head, edge, kinds, report)
    if report.errors:
        return
    for node, kind in kinds.items():
        for problem, remedy in _slots(graph, node, kind):
            report.add("E702", problem, help=remedy)
    if not report.errors:
        _check_cycles(graph, report)


def _kind(node: object, data: Mapping[str, Any], report: Report) -> str:
    """The kind of a node whose name and attributes fit it; another text after a diagnostic."""
    kind = data.get("kind")
    if not isinstance(node, str) or not node:
        report.add("E702", f"the node `{node!r}` is not named by a text", help="name it `A`, say")
        return ""
    if not isinstance(kind, str) or kind not in INTO:
        message = f"the node `{node}` is of no kind" if kind is None else f"`{node}` is a `{kind}`"
        remedy = did_you_mean(str(kind), INTO) or f"kinds are {one_of(list(INTO))}"
        report.add("E702", message, help=remedy)
        return ""
    parts = place_of(node)
    if len(parts) != _PARTS.get(kind, 1) or not all(parts):
        form = "CELL.NAME" if kind in ("input", "step") else "FEATURE.adapt"
        remedy = f"name it `{form}`" if kind in _PARTS else "write a dot in a name as `%2E`"
        report.add("E702", f"`{node}` is no name of {_NAMES.get(kind, f'a {kind}')}", help=remedy)
    if kind == "feature" and not isinstance(data.get("modality"), str):
        report.add("E702", f"the feature `{node}` has no `modality`", help="name one")
    if kind == "step" and not _are_operations(data.get("operations")):
        message = f"the Step `{node}` has no `operations`"
        report.add("E702", message, help='give it one, `operations="Sum"`, or several')
    return kind


def _are_operations(value: object) -> bool:
    """Whether they are a text, or several of texts and applications."""
    several = [value] if isinstance(value, str) else value
    return (
        isinstance(several, (list, tuple))
        and all(isinstance(one, (str, Application)) for one in several)
        and any(several)
    )


def _check_edge(
    tail: str, head: str, edge: Mapping[str, Any], kinds: Mapping[str, str], report: Report
) -> None:
    shown = f"the edge `{tail}` → `{head}`"
    allowed = ("output",) if (head, kinds[head]) == (HEAD, "head") else INTO[kinds[head]]
    if kinds[tail] not in allowed:
        remedy = f"a {kinds[head]} reads a node of the kind {' or '.join(allowed) or 'none'}"
        message = f"{shown} leads from a {kinds[tail]} to a {kinds[head]}"
        report.add("E702", message, help=remedy)
    elif kinds[head] in ("step", "cell") and place_of(tail)[0] != place_of(head)[0]:
        remedy = "Cells are joined through their inputs"
        report.add("E702", f"{shown} leads from one Cell into another", help=remedy)
    for key in ("slot", "candidate"):
        number = edge.get(key)
        is_known = isinstance(number, int) and not isinstance(number, bool) and number >= 0
        if not is_known and (number is not None or (key == "slot" and kinds[head] != "adapter")):
            message = f"{shown} has no `{key}` that is a number from 0"
            remedy = "`slot` is its place among the inputs, `candidate` that in a hole, or None"
            report.add("E702", message, help=remedy)


def _slots(graph: AnyGraph, node: str, kind: str) -> Iterator[tuple[str, str]]:
    """What is wrong with the slots of a node, each with a remedy."""
    slots: dict[int, list[tuple[str, int | None]]] = {}
    for source, _, edge in graph.in_edges(node, data=True):
        slots.setdefault(edge.get("slot", 0), []).append((source, edge.get("candidate")))
    if kind in ("feature", "output"):
        return  # an output takes what it is given, in the order of its slots
    if not slots:
        yield f"nothing leads into `{node}`", "add an edge into its slot 0"
    elif (gap := next((n for n in range(len(slots)) if n not in slots), None)) is not None:
        yield f"nothing leads into slot {gap} of `{node}`", "number its slots from 0"
    for number, sources in slots.items():
        candidates = [candidate for _, candidate in sources]
        listed = one_of([source for source, _ in sources], MOST_SHOWN)
        if len(sources) > 1 and None in candidates:
            remedy = "keep one of them, or number all as candidates of a hole"
            yield f"several edges lead into slot {number} of `{node}`: {listed}", remedy
        elif len({*candidates}) < len(candidates):
            yield f"two candidates of slot {number} of `{node}` have one number", "number them"
        if kind in ("cell", "adapter", "head", "heads") and candidates[0] is not None:
            yield (
                f"slot {number} of `{node}` is a hole, but it cannot be",
                "set `candidate` to None",
            )
    if (kind in ("input", "adapter") or (node, kind) == (HEAD, "head")) and len(slots) > 1:
        yield f"`{node}` has {len(slots)} slots, but takes one value", "keep slot 0"


def _check_cycles(graph: AnyGraph, report: Report) -> None:
    try:
        cycle = networkx.find_cycle(graph)
    except networkx.NetworkXNoCycle:
        return
    shown = " → ".join(f"`{edge[0]}`" for edge in cycle[:MOST_SHOWN])
    more = " → …" if len(cycle) > MOST_SHOWN else f" → `{cycle[0][0]}`"
    report.add("E702", f"{shown}{more} is a cycle", help="drop one of its edges")


def in_order(graph: AnyGraph) -> list[str]:
    """The nodes in topological order; those that stand in one already stay where they are."""
    done: dict[str, None] = {}
    for first in graph:
        waiting: list[str] = [first]
        while waiting:
            node = waiting[-1]
            missing = [s for s in graph.predecessors(node) if s not in done]
            if not missing:
                done[waiting.pop()] = None
            waiting += reversed(missing)
    return list(done)
