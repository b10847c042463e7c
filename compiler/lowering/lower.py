"""Graph to Program: one lowering, for fixed and open slots alike.

A node takes the value of each of its slots, which in a hole is a mixture of its candidates, and
applies its operation, which in a hole is a mixture of its candidates' results. What a search
relaxes is decided here and nowhere else:

- the operation of a Step: softmax(γ) over the candidates, equation (10);
- an input, `shared`: a Cell, or a Step, has two logits, Zero and Identity, for each predecessor,
  and mixes with the Identity entries of their softmaxes, equations (1) and (2);
- an input, `per_input`: every open slot has one logit for each candidate, and one softmax.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...ops.types import TensorType, parameter_type
from ..diagnostics.diagnostic import fail
from ..graph.build import HEAD, Graph, reached, source_of
from ..network.holes import Relaxation, Slot, union
from ..network.names import architecture_name, identifier, lengths_name, presence_name
from ..network.network import Application, Network, NetworkFeature
from ..program.program import Builder, Input, ParameterSpec, Program, Scope, validate
from ..system.collector import COLLECTOR_OFF
from .apply import apply

ARCHITECTURE_DEVIATION = 1e-3
"""Standard deviation of the initial architecture parameters."""


def lower(graph: Graph, relax: Relaxation = "shared") -> Program:
    """The Program of what the Graph's head reaches.

    Raises DiagnosticError where a feature's shape is not known yet, or shapes cannot meet.
    """
    with COLLECTOR_OFF:
        return _Lowering(graph, relax).program()


def lower_adapter(graph: Graph, feature: NetworkFeature) -> Program:
    """The Program of a feature's adapter alone, over the feature."""
    return _Lowering(graph, "shared").adapter_alone(feature)


@dataclass
class _Lowering:
    graph: Graph
    relax: Relaxation
    builder: Builder = field(default_factory=Builder)
    values: dict[str, int] = field(default_factory=dict)
    presence: dict[str, int] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)
    weights: dict[str, int] = field(default_factory=dict)
    mixtures: dict[tuple[str, tuple[str, ...]], int] = field(default_factory=dict)

    @property
    def network(self) -> Network:
        network: Network = self.graph.graph["network"]
        return network

    def program(self) -> Program:
        wanted = reached(self.graph)
        for node, data in self.graph.nodes(data=True):
            if node in wanted:
                self.values[node] = self._node(node, data)
        return validate(self.builder.program(self.values[HEAD]), "lowering")

    def adapter_alone(self, feature: NetworkFeature) -> Program:
        self.values[identifier(feature.name)] = self._feature(feature)
        node = source_of(self.network, feature.name)
        return self.builder.program(self._adapter(node, feature))

    def _node(self, node: str, data: Mapping[str, Any]) -> int:
        match data["kind"]:
            case "feature":
                return self._feature(self.network.feature_by_name[data["name"]])
            case "adapter":
                return self._adapter(node, self.network.feature_by_name[data["name"]])
            case "input":
                cell = self.network.cell_by_name[data["cell"]]
                index = cell.inputs.index(data["name"])
                return self._slot(node, 0, cell.slots, index, (cell.name,), "alpha")
            case "step":
                return self._step(node, data)
            case "head":
                return self._apply(data["operations"][0], self._fixed(node), (), self._head())
            case kind:
                place = (data["cell"],) if kind == "cell" else ("output",)
                return self._apply(data["operations"][0], self._fixed(node), place)

    # Features

    def _feature(self, feature: NetworkFeature) -> int:
        if feature.axes is None:
            message = f"the shape of the feature `{feature.name}` is not known"
            remedy = f"write its axes: `{feature.name}[c 512, h 14, w 14]`"
            raise fail("E307", message, feature.span, help=remedy)
        value = self.builder.input(Input(feature.name, TensorType(feature.axes)))
        if feature.has_lengths:
            lengths = Input(lengths_name(feature.name), TensorType(()), "lengths")
            self.lengths[feature.name] = self.builder.input(lengths)
        if feature.optional and feature.modality not in self.presence:
            presence = Input(presence_name(feature.modality), TensorType(()), "presence")
            self.presence[feature.modality] = self.builder.input(presence)
        return value

    def _adapter(self, node: str, feature: NetworkFeature) -> int:
        numbers = {**self.network.numbers, "c": feature.channels}
        place = (feature.name,)
        lengths = self.lengths.get(feature.name)
        arguments = self._fixed(node)
        value = apply(feature.adapt, arguments, self.builder, place, numbers, lengths)
        if not feature.optional:
            return value
        sizes = (self.network.length, self.network.channels)
        absent = ParameterSpec(identifier(*place, "absent"), sizes, "weight", 0.0)
        constant = self.builder.parameter(absent, parameter_type(sizes), place)
        present = self.presence[feature.modality]
        return self.builder.call("gate", [present, value, constant], {}, place)

    # Slots and operations

    def _sources(self, node: str, slot: int) -> list[str]:
        """The nodes in a slot, in the order of its candidates."""
        edges = self.graph.in_edges(node, data=True)
        found = [(e["candidate"] or 0, source) for source, _, e in edges if e["slot"] == slot]
        return [source for _, source in sorted(found)]

    def _fixed(self, node: str) -> list[int]:
        """The values of a node's inputs where none is open, in the order of its slots."""
        edges = self.graph.in_edges(node, data=True)
        return [self.values[s] for _, s in sorted((e["slot"], source) for source, _, e in edges)]

    def _step(self, node: str, data: Mapping[str, Any]) -> int:
        place = (data["cell"], data["name"])
        step = self.network.step_by_place[place]
        count = len(step.slots)
        slots = [self._slot(node, i, step.slots, i, place, "beta") for i in range(count)]
        results = [self._apply(o, slots, place) for o in step.operations]
        if not step.open:
            return results[0]
        weights = self._architecture((len(results),), place, "gamma", "choice_weights")
        return self.builder.call("mix", [weights, *results], {}, place)

    def _apply(
        self,
        application: Application,
        arguments: Sequence[int],
        place: Scope,
        numbers: Mapping[str, int | float] | None = None,
    ) -> int:
        numbers = self.network.numbers if numbers is None else numbers
        return apply(application, arguments, self.builder, place, numbers)

    def _head(self) -> Mapping[str, int | float]:
        return {**self.network.numbers, "K": self.network.head.count}

    def _slot(
        self, node: str, number: int, slots: Sequence[Slot], index: int, place: Scope, letter: str
    ) -> int:
        """The value of a slot; in a hole, the mixture of its candidates."""
        slot = slots[index]
        sources = self._sources(node, number)
        if not slot.open:
            return self.values[sources[0]]
        if self.relax == "per_input":
            size = (len(slot.candidates),)
            weights = self._architecture(size, place, letter, "choice_weights", index + 1)
            return self._mix(weights, sources, place)
        key = (identifier(*place), slot.candidates)
        if key not in self.mixtures:
            rows = union(slots)
            weights = self._architecture((len(rows), 2), place, letter, "identity_weights")
            if slot.candidates != rows:
                chosen = {"rows": tuple(rows.index(c) for c in slot.candidates)}
                weights = self.builder.call("take", [weights], chosen, place)
            self.mixtures[key] = self._mix(weights, sources, place)
        return self.mixtures[key]

    def _mix(self, weights: int, sources: Sequence[str], place: Scope) -> int:
        values = [self.values[s] for s in sources]
        return self.builder.call("mix", [weights, *values], {}, place)

    def _architecture(
        self,
        sizes: tuple[int, ...],
        place: Scope,
        letter: str,
        primitive: str,
        slot: int | None = None,
    ) -> int:
        """The weights that an architecture parameter gives."""
        name = architecture_name(place, letter, slot)
        if name not in self.weights:
            spec = ParameterSpec(name, sizes, "architecture", "normal", ARCHITECTURE_DEVIATION)
            logits = self.builder.parameter(spec, parameter_type(sizes), place)
            self.weights[name] = self.builder.call(primitive, [logits], {}, place)
        return self.weights[name]
