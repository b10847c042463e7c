"""Graph to Program: one lowering, for fixed and open slots alike.

A node takes the value of each of its slots, which in a hole is a mixture of its candidates, and
applies its operation, which in a hole is a mixture of its candidates' results. What a search
relaxes is decided here and nowhere else:

- the operation of a Step: softmax(γ) over the candidates, equation (10);
- an input, `shared`: a Cell, or a Step, has two logits, Zero and Identity, for each predecessor,
  and mixes with the Identity entries of their softmaxes, equations (1) and (2);
- an input, `per_input`: every open slot has one logit for each candidate, and one softmax;
- a place of the output: as an input; what may be left out has a logit for that under `per_input`,
  while `shared` has Zero for it. It adds nothing to the mixture, so that a place that is left out
  is zeros, as a place where nothing stands is to a linear map.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ...ops.types import Axis, TensorType, parameter_type
from ..diagnostics.diagnostic import fail
from ..graph.build import HEAD, Graph, reached
from ..graph.read import slots_of, sources_of
from ..network.holes import Relaxation, filling, union
from ..network.names import (
    LABELS,
    architecture_name,
    identifier,
    lengths_name,
    place_of,
    presence_name,
    target_names,
)
from ..network.network import Application, Head, Slot, channels_of, has_lengths
from ..program.program import Builder, Input, ParameterSpec, Program, Scope, validate
from ..system.collector import COLLECTOR_OFF
from .apply import apply

ARCHITECTURE_DEVIATION = 1e-3
"""Standard deviation of the initial architecture parameters."""
MOST_VALUES = 25_000
"""Values of a Program, a hypernet's included: passes over so many take seconds."""


def lower(graph: Graph, relax: Relaxation = "shared") -> Program:
    """The Program of what the Graph's head reaches.

    Raises DiagnosticError where a feature's shape is not known yet, or shapes cannot meet.
    """
    with COLLECTOR_OFF:
        return _Lowering(graph, relax).program()


def lower_with_places(
    graph: Graph, relax: Relaxation = "shared"
) -> tuple[Program, Mapping[str, int]]:
    """As `lower`, with the value that each node of the Graph became, where the head reaches it."""
    with COLLECTOR_OFF:
        lowering = _Lowering(graph, relax)
        return lowering.program(), lowering.values


def lower_adapter(graph: Graph, feature: str) -> Program:
    """The Program of a feature's adapter alone, over the feature."""
    return _Lowering(graph, "shared").adapter_alone(identifier(feature))


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

    @cached_property
    def numbers(self) -> Mapping[str, int | float]:
        numbers: Mapping[str, int | float] = self.graph.graph["numbers"]
        return numbers

    @cached_property
    def inputs(self) -> Mapping[str, Mapping[str, Slot]]:
        """The inputs of every Cell, in their order, each with its slot."""
        found: dict[str, dict[str, Slot]] = {}
        for node, data in self.graph.nodes(data=True):
            if data["kind"] == "input":
                (slot,) = slots_of(self.graph, node)
                found.setdefault(place_of(node)[0], {})[node] = slot
        return found

    def program(self) -> Program:
        wanted = reached(self.graph)
        for node, data in self.graph.nodes(data=True):
            if node in wanted:
                self.values[node] = self._node(node, data)
                self._require_few_values(data)
        return validate(self.builder.program(self.values[HEAD]), "lowering")

    def _require_few_values(self, data: Mapping[str, Any]) -> None:
        if len(self.builder.values) > MOST_VALUES:
            message = f"the network computes more than {MOST_VALUES:,} values"
            remedy = "use fewer Cells or Steps, or fewer operations in the pool"
            raise fail("E308", message, data.get("span"), help=remedy)

    def adapter_alone(self, feature: str) -> Program:
        (adapter,) = self.graph.successors(feature)
        for node in (feature, adapter):
            self.values[node] = self._node(node, self.graph.nodes[node])
        return self.builder.program(self.values[adapter])

    def _node(self, node: str, data: Mapping[str, Any]) -> int:
        place = place_of(node)
        match data["kind"]:
            case "feature":
                return self._feature(place[0], data)
            case "adapter":
                return self._adapter(node, data["operations"][0])
            case "input":
                return self._input(node, place[0])
            case "step":
                return self._step(node, place, data)
            case "output":
                return self._output(node, place, data["operations"][0])
            case "head":
                return self._head(node, data)
            case "heads":
                logits = self._fixed(node)
                return self.builder.call("concat", logits, {}, place) if logits[1:] else logits[0]
            case _:  # a Cell's merge
                return self._apply(data["operations"][0], self._fixed(node), place)

    def _head(self, node: str, data: Mapping[str, Any]) -> int:
        """What is predicted; values are computed standardised, and given as those of the data."""
        place = () if node == HEAD else place_of(node)
        head: Head = data.get("head") or self.graph.graph["head"]
        numbers, arguments = {**self.numbers, "K": head.count}, self._fixed(node)
        if data.get("combine") is not None:
            arguments = [self._apply(data["combine"], arguments, place)]
        result = self._apply(data["operations"][0], arguments, place, numbers)
        if head.kind != "values":
            return result
        scale, shift = target_names(head.name)
        of_targets = (("multiply", scale, 1.0), ("add", shift, 0.0))
        for primitive, name, initial in of_targets:
            spec = ParameterSpec(name, (head.count,), "statistic", initial)
            constant = self.builder.parameter(spec, parameter_type(spec.sizes), (*place, LABELS))
            result = self.builder.call(primitive, [result, constant], {}, (*place, LABELS))
        return result

    # Features

    def _feature(self, name: str, data: Mapping[str, Any]) -> int:
        axes: tuple[Axis, ...] | None = data["axes"]
        if axes is None:
            message = f"the shape of the feature `{name}` is not known"
            remedy = f"write its axes: `{name}[c 512, h 14, w 14]`"
            raise fail("E307", message, data["span"], help=remedy)
        value = self.builder.input(Input(name, TensorType(axes)))
        if has_lengths(axes):
            lengths = Input(lengths_name(name), TensorType(()), "lengths")
            self.lengths[name] = self.builder.input(lengths)
        modality: str = data["modality"]
        if data["optional"] and modality not in self.presence:
            presence = Input(presence_name(modality), TensorType(()), "presence")
            self.presence[modality] = self.builder.input(presence)
        return value

    def _adapter(self, node: str, adapt: Application) -> int:
        (feature,) = self.graph.predecessors(node)
        place, data = place_of(feature), self.graph.nodes[feature]
        numbers = {**self.numbers, "c": channels_of(data["axes"])}
        lengths = self.lengths.get(place[0])
        value = apply(adapt, self._fixed(node), self.builder, place, numbers, lengths)
        if not data["optional"]:
            return value
        sizes = self.builder.type(value).sizes
        absent = ParameterSpec(identifier(*place, "absent"), sizes, "weight", 0.0)
        constant = self.builder.parameter(absent, parameter_type(sizes), place)
        present = self.presence[data["modality"]]
        return self.builder.call("gate", [present, value, constant], {}, place)

    # Slots and operations

    def _fixed(self, node: str) -> list[int]:
        """The values of a node's inputs where none is open, in the order of its slots."""
        return [self.values[source] for source in sources_of(self.graph, node)]

    def _input(self, node: str, cell: str) -> int:
        inputs = self.inputs[cell]
        return self._slot(list(inputs.values()), list(inputs).index(node), (cell,), "alpha")

    def _step(self, node: str, place: Scope, data: Mapping[str, Any]) -> int:
        slots = slots_of(self.graph, node)
        inputs = [self._slot(slots, i, place, "beta") for i in range(len(slots))]
        results = [self._apply(o, inputs, place) for o in data["operations"]]
        if not data["open"]:
            return results[0]
        weights = self._architecture((len(results),), place, "gamma", "choice_weights")
        return self.builder.call("mix", [weights, *results], {}, place)

    def _output(self, node: str, place: Scope, combine: Application) -> int:
        slots = slots_of(self.graph, node)
        return self._apply(
            combine, [self._slot(slots, i, place, "alpha") for i in range(len(slots))], place
        )

    def _apply(
        self,
        application: Application,
        arguments: Sequence[int],
        place: Scope,
        numbers: Mapping[str, int | float] | None = None,
    ) -> int:
        return apply(application, arguments, self.builder, place, numbers or self.numbers)

    def _slot(self, slots: Sequence[Slot], index: int, place: Scope, letter: str) -> int:
        """The value of a slot; in a hole, the mixture of its candidates."""
        slot = slots[index]
        if not slot.open:
            return self.values[slot.candidates[0]]
        if self.relax == "per_input":
            size = (len(filling(slot)),)
            weights = self._architecture(size, place, letter, "choice_weights", index + 1)
            if slot.optional:
                chosen = {"rows": tuple(range(len(slot.candidates)))}
                weights = self.builder.call("take", [weights], chosen, place)
            return self._mix(weights, slot.candidates, place)
        key = (identifier(*place), slot.candidates)
        if key not in self.mixtures:
            rows = union(slots)
            weights = self._architecture((len(rows), 2), place, letter, "identity_weights")
            if slot.candidates != rows:
                chosen = {"rows": tuple(rows.index(c) for c in slot.candidates)}
                weights = self.builder.call("take", [weights], chosen, place)
            self.mixtures[key] = self._mix(weights, slot.candidates, place)
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
