"""What a page says of each node: its shape, parameters, multiply-adds and equations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from ...diagnostics.diagnostic import DiagnosticError
from ...diagnostics.text import printable
from ...graph.build import HEAD, Graph
from ...lowering.lower import lower
from ...lowering.types import Arriving
from ...measure.architectures import count_architectures
from ...measure.parts import Part, Parts
from ...measure.sizes import count_macs, count_parameters
from ...network.names import OUTPUT, identifier
from ...network.network import (
    Application,
    Network,
    NetworkCell,
    NetworkFeature,
    NetworkHead,
    NetworkStep,
    Slot,
)
from ...passes import optimise
from ...program.program import Scope
from ..diagram.labels import SIDE_BY_SIDE, predicted
from ..diagram.statements import node
from ..latex import definition_latex
from ..mathml import definition_mathml

Fact = dict[str, Any]
"""A record for the page's script: numbers, texts, and lists of them."""


class Facts:
    """Facts about a network by the nodes of its picture.

    Names of nodes are those in the picture; every other text is to be shown as text, but for the
    MathML of operations, which is markup.
    """

    def __init__(
        self, network: Network, graph: Graph, moved: Callable[[str], str] = lambda place: place
    ) -> None:
        """`moved` says what a node of the Graph is in the picture, where that shows several."""
        self.graph, self.network, self._moved = graph, network, moved
        self.operations: list[Fact] = []
        self.nodes: dict[str, Fact] = {}
        self._parts, self._arriving = Parts(network), Arriving(network)
        self._places: dict[tuple[object, ...], int] = {}
        for feature in network.features:
            self._add(identifier(feature.name), self._feature(feature))
        for cell in network.cells:
            for name, fact in self._cell(cell):
                self._add(name, fact)
        self._add(OUTPUT, self._output())
        self._add(HEAD, self._side_by_side() if network.heads else self._head())
        for head in network.heads:
            self._add(identifier(head.name), self._named_head(head))

    def whole(self) -> Fact:
        """The network itself; in a search space, the hypernet's numbers."""
        program = lower(self.graph)
        return {
            "name": printable(self.network.name),
            "kind": "search space" if self.network.has_holes else "network",
            "parameters": count_parameters(program),
            "macs": count_macs(optimise(program, "inference")),
            "architectures": str(count_architectures(self.network)),
        }

    def _add(self, name: str, fact: Fact) -> None:
        self.nodes[self._node(name)] = fact

    def _node(self, place: str) -> str:
        return node(self._moved(place))

    def _feature(self, feature: NetworkFeature) -> Fact:
        axes = ", ".join(map(str, feature.axes or ()))
        shape = f"(batch, {axes})" if axes else "not known"
        key = ("adapter", feature.name)
        place = self._operation(key, feature.adapt, lambda: self._parts.adapter(feature.name))
        return self._fact("feature", feature.name, f"feature of {feature.modality}", shape, [place])

    def _cell(self, cell: NetworkCell) -> Iterator[tuple[str, Fact]]:
        inner = str(self.network.inner)
        for name, slot in zip(cell.inputs, cell.slots, strict=True):
            shape = str(self._arriving.slot(slot))
            fact = self._fact("input", name, f"input of {cell.name}", shape, [], cell)
            fact["slots"] = [self._slot("takes", slot, ())]
            yield identifier(cell.name, name), fact
        steps: list[Fact] = []
        for step in cell.steps:
            places = [self._step_operation(cell, step, o) for o in step.operations]
            fact = self._fact("step", step.name, f"Step of {cell.name}", inner, places, cell)
            inside = (cell.name,)
            fact["slots"] = [
                self._slot(f"input {number}", slot, inside)
                for number, slot in enumerate(step.slots, 1)
            ]
            steps.append(fact)
            yield identifier(cell.name, step.name), fact
        types = self._arriving.merge(cell)
        key = (id(cell.merge.definition), cell.merge.parameters, types)
        merge = self._operation(key, cell.merge, lambda: self._parts.merge(cell.name))
        fact = self._fact("cell", cell.name, "Cell", inner, [merge], cell)
        for what in ("parameters", "macs"):
            fact[what] = (fact[what] or 0) + sum(s[what] or 0 for s in steps)
        yield identifier(cell.name), fact

    def _step_operation(
        self, cell: NetworkCell, step: NetworkStep, application: Application
    ) -> int:
        types = self._arriving.step(cell, step)
        key = (id(application.definition), application.parameters, types)
        part = partial(self._parts.operation, cell, step, application)
        return self._operation(key, application, part)

    def _output(self) -> Fact:
        combine = self.network.combine
        place = self._operation(("output",), combine, None)
        fact = self._fact("output", "combine", "the outputs combined", "", [place])
        slots = self.network.outputs
        fact["slots"] = [self._slot(f"input {i}", slot, ()) for i, slot in enumerate(slots, 1)]
        return fact

    def _head(self) -> Fact:
        head = self.network.head
        place = self._operation(("head",), self.network.head_role, self._parts.head)
        what = "what is predicted; its numbers are with those of the combination"
        return self._fact("head", predicted(head), what, f"(batch, {head.count})", [place])

    def _side_by_side(self) -> Fact:
        """What has the outputs of all heads that have names, and computes nothing of them."""
        head = self.network.head
        return self._fact("heads", predicted(head), SIDE_BY_SIDE, f"(batch, {head.count})", [])

    def _named_head(self, head: NetworkHead) -> Fact:
        """One of several heads, whose numbers are with those of all of them in the whole."""
        place = self._operation(("head", head.name), head.role, None)
        reads = ", ".join(head.reads) or "the outputs combined"
        what = f"head of {reads}"
        shape = f"(batch, {head.head.count})"
        return self._fact("head", f"{head.name}: {predicted(head.head)}", what, shape, [place])

    def _operation(self, key: tuple[object, ...], application: Application, part: Any) -> int:
        """The place of an operation in the list of all."""
        if key not in self._places:
            self._places[key] = len(self.operations)
            self.operations.append(
                {
                    "name": printable(application.label),
                    "latex": printable(definition_latex(application.definition)),
                    "mathml": definition_mathml(application.definition),
                    **_sizes(part),
                }
            )
        return self._places[key]

    def _fact(
        self,
        kind: str,
        name: str,
        what: str,
        shape: str,
        operations: Sequence[int],
        cell: NetworkCell | None = None,
    ) -> Fact:
        parts = [self.operations[place] for place in operations]
        sizes = {size: _sum(one[size] for one in parts) for size in ("parameters", "macs")}
        return {
            "kind": kind,
            "name": printable(name),
            "what": printable(what),
            "cell": self._node(identifier(cell.name)) if cell else "",
            "shape": shape,
            "operations": list(operations),
            "slots": [],
            **sizes,
        }

    def _slot(self, title: str, slot: Slot, inside: Scope) -> Fact:
        """A slot with the names of its candidates, and the nodes that they are."""
        return {
            "title": title,
            "open": slot.open,
            "names": [printable(name) for name in slot.candidates],
            "nodes": [self._node(identifier(*inside, name)) for name in slot.candidates],
        }


def _sizes(part: Any) -> Fact:
    """Parameters and multiply-adds of a part; None where its shapes are not known."""
    if part is None:
        return {"parameters": 0, "macs": 0}
    try:
        result: Part = part()
        return {
            "parameters": count_parameters(result.program),
            "macs": count_macs(result.optimised),
        }
    except DiagnosticError:
        return {"parameters": None, "macs": None}


def _sum(numbers: Iterable[int | None]) -> int | None:
    """The sum, None where one of them is not known."""
    total = 0
    for number in numbers:
        if number is None:
            return None
        total += number
    return total
