"""A Graph read: the slots of its nodes, and the architecture that it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..network.names import OUTPUT, place_of
from ..network.network import (
    Application,
    Architecture,
    NetworkCell,
    NetworkFeature,
    NetworkHead,
    NetworkModality,
    NetworkStep,
    Slot,
)
from .build import HEAD, AnyGraph


def slots_of(graph: AnyGraph, node: str) -> list[Slot]:
    """The slots of a node in order; their candidates are nodes."""
    slots: dict[int, list[tuple[int, str]]] = {}
    is_open: dict[int, bool] = {}
    is_optional: dict[int, bool] = {}
    for source, _, edge in graph.in_edges(node, data=True):
        number, candidate = edge.get("slot", 0), edge.get("candidate")
        slots.setdefault(number, []).append((candidate or 0, source))
        is_open[number] = candidate is not None
        is_optional[number] = is_optional.get(number, False) or bool(edge.get("optional"))
    return [
        Slot(tuple(s for _, s in sorted(slots[n])), is_open[n], optional=is_optional[n])
        for n in sorted(slots)
    ]


def sources_of(graph: AnyGraph, node: str) -> list[str]:
    """The nodes that a node without open slots reads, in the order of its slots."""
    return [source for slot in slots_of(graph, node) for source in slot.candidates]


def name_of(graph: AnyGraph, node: str) -> str:
    """What the text calls a node where it takes it: an adapter by the name of its feature."""
    place = place_of(node)
    return place[0] if graph.nodes[node]["kind"] == "adapter" else place[-1]


def architecture(graph: AnyGraph) -> Architecture:
    """What a Graph that `build` made, or one like it, is built of."""
    nodes: Mapping[str, Mapping[str, Any]] = graph.nodes
    inside: dict[str, dict[str, list[str]]] = {}
    for node, data in nodes.items():
        if data["kind"] in ("input", "step"):
            members = inside.setdefault(place_of(node)[0], {"input": [], "step": []})
            members[data["kind"]].append(node)
    features = tuple(
        _feature(graph, node) for node, data in nodes.items() if data["kind"] == "feature"
    )
    named = [n for n, data in nodes.items() if data["kind"] == "head" and n != HEAD]
    modalities = dict.fromkeys(NetworkModality(f.modality, f.optional) for f in features)
    return Architecture(
        name=graph.graph["name"],
        numbers=graph.graph["numbers"],
        modalities=tuple(modalities),
        features=features,
        cells=tuple(
            _cell(graph, node, inside[place_of(node)[0]])
            for node, data in nodes.items()
            if data["kind"] == "cell"
        ),
        outputs=tuple(_named_slots(graph, OUTPUT)),
        combine=_operation(graph, OUTPUT),
        head_role=_operation(graph, named[0] if named else HEAD),
        head=graph.graph["head"],
        heads=tuple(_head(graph, node) for node in named),
    )


def _operation(graph: AnyGraph, node: str) -> Application:
    (operation,) = graph.nodes[node]["operations"]
    application: Application = operation
    return application


def _head(graph: AnyGraph, node: str) -> NetworkHead:
    data, sources = graph.nodes[node], sources_of(graph, node)
    decides = any(graph.nodes[source]["kind"] == "head" for source in sources)
    reads = tuple(name_of(graph, source) for source in sources if source != OUTPUT)
    (name,) = place_of(node)
    role = _operation(graph, node)
    return NetworkHead(name, data["head"], reads, data["combine"], role, decides, data["span"])


def _feature(graph: AnyGraph, node: str) -> NetworkFeature:
    data = graph.nodes[node]
    adapter = next(n for n in graph.successors(node) if graph.nodes[n]["kind"] == "adapter")
    (name,) = place_of(node)
    adapt = _operation(graph, adapter)
    shape = data["axes"], data["modality"], data["optional"]
    return NetworkFeature(name, *shape, adapt, data["span"])


def _cell(graph: AnyGraph, node: str, members: Mapping[str, list[str]]) -> NetworkCell:
    returned = (name_of(graph, source) for source in sources_of(graph, node)[1:])
    inputs = members["input"]
    return NetworkCell(
        name=place_of(node)[0],
        inputs=tuple(place_of(name)[1] for name in inputs),
        slots=tuple(slot for name in inputs for slot in _named_slots(graph, name)),
        steps=tuple(_step(graph, step) for step in members["step"]),
        returned=tuple(returned),
        merge=_operation(graph, node),
        span=graph.nodes[node]["span"],
    )


def _step(graph: AnyGraph, node: str) -> NetworkStep:
    data = graph.nodes[node]
    slots = tuple(_named_slots(graph, node))
    return NetworkStep(place_of(node)[1], data["operations"], data["open"], slots, data["span"])


def _named_slots(graph: AnyGraph, node: str) -> list[Slot]:
    """The slots of a node, their candidates by name."""
    return [
        replace(slot, candidates=tuple(name_of(graph, c) for c in slot.candidates))
        for slot in slots_of(graph, node)
    ]
