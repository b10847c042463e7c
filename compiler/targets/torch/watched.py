"""A module whose Cells, Steps and head can be watched: each is called where its value is made.

NOTE: what a module runs are passes' results, where values of several places are one. So watching,
and what the head takes, run the Program before any pass, whose parameters are the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import fx, nn

from ...check.check import checked
from ...graph.build import Graph, build
from ...graph.read import slots_of
from ...language.spec import Spec
from ...lowering.lower import lower_with_places
from ...network.holes import Relaxation
from ...network.names import OUTPUT, place_of
from ...program.program import Program
from .scopes import scope_of
from .traced import trace

KINDS = ("adapter", "cell", "step", "output", "head")
"""The nodes of a Graph that are modules."""


@dataclass(frozen=True)
class Place:
    """A node of the Graph: the values that it reads, and whether what it gives is its own."""

    name: str
    inputs: tuple[int, ...]
    is_own: bool


@dataclass(frozen=True)
class Watched:
    """What a module was compiled from, from which its places are found when they are asked for."""

    spec: Spec
    relax: Relaxation

    @cached_property
    def _lowered(self) -> tuple[Graph, Program, Mapping[str, int]]:
        graph = build(checked(self.spec))
        return graph, *lower_with_places(graph, self.relax)

    @property
    def program(self) -> Program:
        """The Program before any pass."""
        return self._lowered[1]

    @property
    def embedding(self) -> int:
        """The value that the head takes, or those of several heads that read the output."""
        return self._lowered[2].get(OUTPUT, self.program.output)

    @property
    def has_embedding(self) -> bool:
        """Whether a head reads the output."""
        return OUTPUT in self._lowered[2]

    @cached_property
    def places(self) -> Mapping[int, Sequence[Place]]:
        """The places whose value each value of the Program is, from the inside to the outside."""
        graph, program, values = self._lowered
        found: dict[int, list[Place]] = {}
        for node in names_of(graph):
            if node in values:
                scope, place = program.values[values[node]].scope, place_of(node)
                is_own = graph.nodes[node]["kind"] != "step" or scope[: len(place)] == place
                inputs = dict.fromkeys(values[n] for n in _read(graph, node) if n in values)
                found.setdefault(values[node], []).append(Place(node, tuple(inputs), is_own))
        return found

    def __getstate__(self) -> dict[str, object]:
        return {"spec": self.spec, "relax": self.relax}


def names_of(graph: Graph) -> list[str]:
    """The nodes that are modules, in topological order."""
    return [node for node, data in graph.nodes(data=True) if data["kind"] in KINDS]


def _read(graph: Graph, node: str) -> list[str]:
    """The nodes that a place reads: of a Cell its inputs, which its Steps read."""
    if graph.nodes[node]["kind"] == "cell":
        nodes = graph.nodes(data=True)
        inputs = [n for n, data in nodes if data["kind"] == "input"]
        return [n for n in inputs if place_of(n)[0] == place_of(node)[0]]
    return [source for slot in slots_of(graph, node) for source in slot.candidates]


def trace_watched(watched: Watched, module: nn.Module, training: bool) -> fx.GraphModule:
    """As `trace`, of the Program before any pass; it gives what the head takes, too.

    Every place of the network is called where its value is made, with what it reads.
    """
    called = [place.name for places in watched.places.values() for place in places]
    keys = {name: f"place_{number}" for number, name in enumerate(called)}

    def seen(index: int, values: Sequence[Any]) -> Any:
        for place in watched.places.get(index, ()):
            inputs = tuple(values[i].node for i in place.inputs)
            made = values[-1].tracer.graph.call_module(
                keys[place.name], inputs, {"result": values[-1].node}
            )
            given = fx.Proxy(made, values[-1].tracer)
            if place.is_own:
                values = [*values[:-1], given]
        return values[-1]

    modules = {key: scope_of(module, name.split(".")) for name, key in keys.items()}
    return trace(watched.program, training, seen=seen, also=(watched.embedding,), modules=modules)
