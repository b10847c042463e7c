"""Adapters, Cells and Steps as model-local functions of ONNX, nested, named as the specification
names them: an adapter has the name of its feature. A member of an ensemble is a function that calls
its own."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import onnx
from onnx import helper

from ...language.printer import definition_text, name
from ...network.names import identifier
from ...network.network import Network, Slot
from ...program.program import INPUT, PARAMETER, Program, Scope, Value
from .builder import GraphBuilder

DOMAIN = "fusewright"


def opset_imports(opset: int) -> list[onnx.OperatorSetIdProto]:
    """What a model or function says that it is written with."""
    return [helper.make_opsetid("", opset), helper.make_opsetid(DOMAIN, 1)]


@dataclass(frozen=True)
class Outliner:
    """Emits values, those of one place that has a text in `documented` as a call of a function."""

    program: Program
    names: Sequence[str]
    documented: Mapping[Scope, str]
    functions: list[onnx.FunctionProto]
    readers: Sequence[Sequence[int]]
    opset: int
    taken: set[str]

    def emit(self, indices: Iterable[int], within: tuple[str, ...], into: GraphBuilder) -> None:
        """Adds values to a graph or function, whose scope is `within`."""
        groups: dict[tuple[str, ...] | int, list[int]] = {}
        for index in indices:
            value = self.program.values[index]
            if value.primitive not in (INPUT, PARAMETER):
                groups.setdefault(self._function(value, within) or index, []).append(index)
        for key in self._ordered(groups):
            if isinstance(key, int):
                into.value(key)
            else:
                self._call(key, groups[key], into)

    def _function(self, value: Value, within: tuple[str, ...]) -> tuple[str, ...] | None:
        """The place below `within` that a value belongs to, where that is a function."""
        place = value.scope[: len(within) + 1]
        return place if len(place) > len(within) and place in self.documented else None

    def _ordered(
        self, groups: Mapping[tuple[str, ...] | int, list[int]]
    ) -> list[tuple[str, ...] | int]:
        """The groups in an order in which each reads only what comes before it."""
        owner = {i: key for key, members in groups.items() for i in members}
        needs = {
            key: {owner[a] for i in members for a in self.program.values[i].arguments if a in owner}
            - {key}
            for key, members in groups.items()
        }
        readers: dict[tuple[str, ...] | int, list[tuple[str, ...] | int]] = {k: [] for k in groups}
        for key, sources in needs.items():
            for source in sources:
                readers[source].append(key)
        waiting = {key: len(sources) for key, sources in needs.items()}
        first = {key: members[0] for key, members in groups.items()}
        ready = [(first[key], key) for key, count in waiting.items() if count == 0]
        heapq.heapify(ready)
        order = []
        while ready:
            _, key = heapq.heappop(ready)
            order.append(key)
            for reader in readers[key]:
                waiting[reader] -= 1
                if waiting[reader] == 0:
                    heapq.heappush(ready, (first[reader], reader))
        if len(order) < len(groups):
            raise AssertionError("the values of a Cell cannot be gathered into one function")
        return order

    def _call(self, scope: tuple[str, ...], members: list[int], into: GraphBuilder) -> None:
        inside = set(members)
        values = self.program.values
        arguments = [a for i in members for a in values[i].arguments if a not in inside]
        inputs = list(dict.fromkeys(self.names[a] for a in arguments))
        outputs = [
            self.names[i]
            for i in members
            if i == self.program.output or any(r not in inside for r in self.readers[i])
        ]
        body = GraphBuilder(self.program, self.names, self.opset, self.taken)
        self.emit(members, scope, body)
        called, text = identifier(*scope), self.documented[scope]
        imports = opset_imports(self.opset)
        function = helper.make_function(DOMAIN, called, inputs, outputs, body.nodes, imports)
        function.doc_string = text
        self.functions.append(function)
        call = helper.make_node(called, inputs, outputs, called, domain=DOMAIN, doc_string=text)
        into.nodes.append(call)


def documented(networks: Mapping[Scope, Network]) -> dict[Scope, str]:
    """What becomes a function, with what it is: adapters, Cells, Steps, and members."""
    texts: dict[Scope, str] = {}
    for within, network in networks.items():
        places: list[Scope] = [(n,) for n in (*network.feature_by_name, *network.cell_by_name)]
        places += network.step_by_place
        texts |= {(*within, *place): _documentation(network, place) for place in places}
        if within:
            texts[within] = f"network {name(network.name)}"
    return texts


def _documentation(network: Network, place: Scope) -> str:
    """What an adapter, Cell or Step is in the specification, then the equation it applies."""
    if place[0] in network.feature_by_name:
        feature = network.feature_by_name[place[0]]
        axes = ", ".join(str(axis) for axis in feature.axes or ())
        applied, line = feature.adapt, f"{name(feature.name)}[{axes}]"
    elif len(place) == 1:
        cell = network.cell_by_name[place[0]]
        applied, line = cell.merge, f"cell {name(cell.name)}({_slots(cell.slots)})"
    else:
        step = network.step_by_place[place]
        labels = [operation.label for operation in step.operations]
        chosen = labels[0] if not step.open else f"{{{' | '.join(labels)}}}"
        applied, line = step.operations[0], f"{name(step.name)} = {chosen}({_slots(step.slots)})"
    return f"{line}\n{definition_text(applied.definition)}"


def _slots(slots: Sequence[Slot]) -> str:
    shown = (" | ".join(name(c) for c in slot.candidates) for slot in slots)
    return ", ".join(
        f"{{{text}}}" if slot.open else text for text, slot in zip(shown, slots, strict=True)
    )
