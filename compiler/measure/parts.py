"""What a network is made of, part by part: adapters, operations, merges and the head.

Each part is a Program of its own over inputs of the inner shape (an adapter over its feature), so
it can be counted and measured alone. A network's cost by parts is an estimate: what passes make of
neighbours together is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from ..graph.build import Graph, build
from ..lowering.apply import apply
from ..lowering.lower import lower_adapter
from ..lowering.types import Arriving, Types
from ..network.names import OUTPUT
from ..network.network import Application, Network, NetworkCell, NetworkStep, fewest
from ..passes import optimise
from ..program.program import Builder, Input, Program


@dataclass(frozen=True)
class Part:
    """A part by the name that messages give it, with its program before any pass."""

    name: str
    program: Program

    @cached_property
    def optimised(self) -> Program:
        """The program as it runs in a compiled network."""
        return optimise(self.program, "inference")

    @property
    def computes(self) -> bool:
        """Whether anything is left to compute."""
        return any(v.record is not None for v in self.optimised.values)

    @cached_property
    def key(self) -> str:
        """What the part computes, as a hash: equal wherever the same is computed on equal shapes.

        Names of inputs and parameters take no part in it.
        """
        said = [
            (v.primitive, v.arguments, str(v.type), [a for a in v.attributes if a[0] != "name"])
            for v in self.program.values
        ]
        return sha256(repr((said, self.program.output)).encode()).hexdigest()[:32]


class Parts:
    """The parts that a network, or those found in a search space, can have."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._made: dict[tuple[object, ...], Part] = {}

    def adapter(self, feature: str) -> Part:
        """The adapter of a feature; raises DiagnosticError where its shape is not known."""
        key = ("adapter", feature)
        if key not in self._made:
            program = lower_adapter(self._graph, feature)
            self._made[key] = Part(f"the adapter of `{feature}`", program)
        return self._made[key]

    def operation(self, cell: NetworkCell, step: NetworkStep, application: Application) -> Part:
        """A candidate of a Step."""
        types = self._arriving.step(cell, step)
        return self._applied(f"the operation `{application.label}`", application, types)

    def merge(self, cell: str) -> Part:
        """What a Cell makes of its first input and its returned Steps."""
        resolved_cell = self.network.cell_by_name[cell]
        steps = len(resolved_cell.returned)
        name = f"merging {steps} Step{'s' if steps > 1 else ''}"
        types = self._arriving.merge(resolved_cell)
        return self._applied(name, resolved_cell.merge, types)

    def head(self, outputs: int | None = None) -> Part:
        """Combining so many outputs, all of them where nothing is said, and the head after it."""
        network, builder = self.network, Builder()
        count = len(network.outputs) if outputs is None else outputs
        key = ("head", count)
        if key not in self._made:
            types = self._arriving.outputs[:count]
            inputs = [builder.input(Input(str(i), type)) for i, type in enumerate(types)]
            combine = network.combine_of(count)
            if network.reads_output:
                inputs = [apply(combine, inputs, builder, (OUTPUT,), network.numbers)]
            if network.heads:
                result = self._heads(builder, inputs)
            else:
                numbers = {**network.numbers, "K": network.head.count}
                result = apply(network.head_role, inputs, builder, (), numbers)
            self._made[key] = Part("the head", builder.program(result))
        return self._made[key]

    def _heads(self, builder: Builder, combined: Sequence[int]) -> int:
        """The heads that have names, side by side."""
        network, values = self.network, dict[str, int]()
        for name in network.read_by_heads:
            values[name] = builder.input(Input(name, self._arriving.value(name)))
        for head in network.heads:
            place, arguments = (head.name,), [values[n] for n in head.reads] or [*combined]
            if head.combine is not None:
                arguments = [apply(head.combine, arguments, builder, place, network.numbers)]
            numbers = {**network.numbers, "K": head.head.count}
            values[head.name] = apply(head.role, arguments, builder, place, numbers)
        logits = [values[head.name] for head in network.heads]
        return builder.call("concat", logits, {}, ()) if logits[1:] else logits[0]

    @property
    def features(self) -> list[str]:
        """The features that a Cell, the output or a head may take."""
        slots = [slot for cell in self.network.cells for slot in cell.slots]
        names = [*(c for slot in slots for c in slot.candidates), *self.network.output_candidates]
        names += self.network.read_by_heads
        return [n for n in dict.fromkeys(names) if n in self.network.feature_by_name]

    def every(self) -> Iterator[Part]:
        """All parts that filling the holes may take, each once."""
        parts: dict[str, Part] = {}
        for name in self.features:
            parts.setdefault(self.adapter(name).key, self.adapter(name))
        for cell in self.network.cells:
            for step in cell.steps:
                for application in step.operations:
                    part = self.operation(cell, step, application)
                    parts.setdefault(part.key, part)
            parts.setdefault(self.merge(cell.name).key, self.merge(cell.name))
        for count in range(fewest(self.network.outputs), len(self.network.outputs) + 1):
            parts.setdefault(self.head(count).key, self.head(count))
        yield from parts.values()

    @cached_property
    def _arriving(self) -> Arriving:
        return Arriving(self.network)

    @cached_property
    def _graph(self) -> Graph:
        return build(self.network)

    def _applied(self, name: str, application: Application, inputs: Types) -> Part:
        key = (id(application.definition), application.parameters, inputs)
        if key not in self._made:
            builder = Builder()
            values = [builder.input(Input(str(i), type)) for i, type in enumerate(inputs)]
            result = apply(application, values, builder, (), self.network.numbers)
            self._made[key] = Part(name, builder.program(result))
        return self._made[key]


def parts_of(program: Program, parts: Parts) -> Mapping[tuple[str, ...], Part]:
    """The parts, by their places, that a network without holes computes.

    `program` is the network's after the passes, so that what nothing reads is not among them.
    """
    network, part_by_place = parts.network, dict[tuple[str, ...], Part]()
    for value in program.values:
        place = value.scope[:2]
        if value.record is None:
            continue
        if place in network.step_by_place:
            step = network.step_by_place[place]
            cell = network.cell_by_name[place[0]]
            part_by_place[place] = parts.operation(cell, step, step.operations[0])
        elif place and place[0] in network.feature_by_name:
            part_by_place[place[:1]] = parts.adapter(place[0])
        elif place and place[0] in network.cell_by_name:
            part_by_place[place[:1]] = parts.merge(place[0])
        else:
            part_by_place[()] = parts.head()
    return part_by_place
