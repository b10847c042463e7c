"""A Graph as a specification: what `build` made of one, and what a user made of that.

The wording is that of the specification that the Graph was built from wherever the Graph still says
the same; what was changed is written anew, a family Cell by Cell where its members differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ...ops.types import Axis
from ..diagnostics.diagnostic import DiagnosticError, Report, fail
from ..language.nodes import (
    Cell,
    CellInput,
    Feature,
    FeatureAxis,
    Hole,
    Modality,
    NetworkHeader,
    Operation,
    Output,
    Predict,
    Reference,
    Step,
    first,
    operations_of,
    references_of,
)
from ..language.spec import Spec
from ..network.names import input_name, place_of
from ..network.network import Application, Head, NetworkCell, Slot
from ..network.written import written_outputs
from ..resolve.resolve import resolve
from ..syntax.parse import parse
from .build import HEAD, AnyGraph
from .read import name_of, slots_of
from .structure import check_structure, in_order

Candidates = tuple[str, ...] | None
"""What a slot is filled with, as it is compared: None is a hole over everything."""


def specification(graph: AnyGraph) -> Spec:
    """The specification that a Graph says; of an unchanged one, that which it was built from.

    Raises DiagnosticError, by the names of nodes and edges, where it is no fusion network. Names,
    shapes and rules are not checked.
    """
    report = Report()
    check_structure(graph, report)
    report.raise_errors()
    spec = _statements(graph)
    return _Writer(graph, replace(spec, network=_header(graph, spec.network))).spec()


def _statements(graph: AnyGraph) -> Spec:
    """The specification whose wording the Graph has, and what is neither node nor edge."""
    wording = graph.graph.get("specification")
    if isinstance(wording, str):
        return parse(wording, "<graph>")
    if isinstance(wording, Spec):
        return wording
    message = "the graph has no `specification`, which says what is neither node nor edge"
    remedy = 'give it one: `specification="network n(C = 64, L = 8) predict 10 classes"`'
    raise fail("E702", message, help=remedy)


def _header(graph: AnyGraph, written: NetworkHeader | None) -> NetworkHeader | None:
    """The network's name and numbers, which the Graph may say otherwise."""
    if written is None:
        return None
    name = graph.graph.get("name") or written.name
    numbers = graph.graph.get("numbers", written.values)
    if (name, numbers) == (written.name, written.values):
        return written
    return NetworkHeader(name, tuple(numbers.items()))


@dataclass(frozen=True)
class _Member:
    """A Cell as it is compared: with the text of its operations, and holes over everything."""

    inputs: tuple[tuple[str, Candidates, bool], ...]
    steps: tuple[tuple[str, tuple[Operation, ...], bool, tuple[tuple[Candidates, bool], ...]], ...]
    returned: tuple[str, ...]


@dataclass(frozen=True)
class _Writer:
    graph: AnyGraph
    written: Spec

    def spec(self) -> Spec:
        return replace(
            self.written,
            modalities=tuple(self._modalities()),
            cells=tuple(self._cells()),
            outputs=self._outputs(),
            predict=self._predict(),
            heads=tuple(self._heads()),
        )

    @cached_property
    def numbers(self) -> Mapping[str, Any]:
        header = self.written.network
        return header.values if header else {}

    @cached_property
    def order(self) -> Mapping[str, list[str]]:
        """The nodes of each kind: as they stand, Cells and Steps in topological order."""
        nodes: dict[str, list[str]] = {}
        for node, data in self.graph.nodes(data=True):
            nodes.setdefault(data["kind"], []).append(node)
        places = {node: place for place, node in enumerate(in_order(self.graph))}
        for kind in ("step", "cell"):
            nodes.get(kind, []).sort(key=places.__getitem__)
        return nodes

    # Features

    @cached_property
    def features(self) -> Mapping[str, list[str]]:
        """The nodes of the features of each modality, in the order of the modalities."""
        nodes: dict[str, list[str]] = {m.name: [] for m in self.written.modalities}
        for node in self.order.get("feature", ()):
            nodes.setdefault(self.graph.nodes[node]["modality"], []).append(node)
        return nodes

    def _modalities(self) -> Iterator[Modality]:
        modalities = {m.name: m for m in self.written.modalities}
        for name, nodes in self.features.items():
            modality = modalities.get(name, Modality(name, ()))
            feature_by_name = {feature.name: feature for feature in modality.features}
            features = tuple(self._feature(node, feature_by_name) for node in nodes)
            optional = any(self.graph.nodes[n].get("optional", modality.optional) for n in nodes)
            if nodes:
                yield replace(modality, features=features, optional=optional)

    def _feature(self, node: str, known: Mapping[str, Feature]) -> Feature:
        (name,) = place_of(node)
        axes = _axes(node, self.graph.nodes[node].get("axes"))
        feature = known.get(name, Feature(name))
        same = feature.axes is None if axes is None else self._resolved(feature) == axes
        return feature if same else replace(feature, axes=axes)

    def _resolved(self, feature: Feature) -> tuple[FeatureAxis, ...]:
        """The axes of a feature with the network's numbers in place of their names."""
        sizes = self.numbers
        return tuple(
            FeatureAxis(a.name, sizes.get(a.size, a.size) if isinstance(a.size, str) else a.size)
            for a in feature.axes or ()
        )

    # Cells

    def _cells(self) -> Iterator[Cell]:
        names = [name for nodes in self.features.values() for n in nodes for name in place_of(n)]
        members: dict[str, _Member] = {}
        for node in self.order.get("cell", ()):
            (name,) = place_of(node)
            members[name] = self._member(node, names)
            names.append(name)
        families = dict(self._families())
        waiting = list(members)
        while waiting:
            family = families.get(waiting[0])
            if family is not None:
                cell, expected = family
                same = waiting[: len(expected)] == list(expected)
                if same and all(members[n] == member for n, member in expected.items()):
                    yield cell
                    del waiting[: len(expected)]
                    continue
            yield self._cell(waiting[0], members[waiting[0]])
            del waiting[0]

    def _families(self) -> Iterator[tuple[str, tuple[Cell, Mapping[str, _Member]]]]:
        """The written Cells by the name of their first member, with what each member is."""
        if not self.written.cells:
            return
        try:
            network = resolve(self.written)
        except DiagnosticError:
            return  # what was written says nothing: everything is written anew
        cells = list(network.cells)
        for cell in self.written.cells:
            count = int(network.numbers.get(str(cell.count), first(cell.count or 1)))
            members, cells = cells[:count], cells[count:]
            before = network.sequence.index(members[0].name)
            expected = {
                c.name: _resolved_member(c, network.sequence[: before + place])
                for place, c in enumerate(members)
            }
            yield members[0].name, (cell, expected)

    def _member(self, node: str, before: Sequence[str]) -> _Member:
        """A Cell of the Graph; `before` are the features and the Cells before it."""
        (cell,) = place_of(node)
        inside = {
            kind: [n for n in self.order.get(kind, ()) if place_of(n)[0] == cell]
            for kind in ("input", "step")
        }
        scope = [place_of(n)[1] for n in inside["input"]]
        inputs = [
            (name, *_filled(slot, before))
            for name, n in zip(scope, inside["input"], strict=True)
            for slot in self._slots(n)
        ]
        steps: list[Any] = []
        for n in inside["step"]:
            data, (_, name) = self.graph.nodes[n], place_of(n)
            operations = tuple(_operations(n, data["operations"]))
            is_open = bool(data.get("open", len(operations) > 1))
            slots = tuple(_filled(slot, scope) for slot in self._slots(n))
            steps.append((name, operations, is_open, slots))
            scope.append(name)
        merged = [place_of(s)[-1] for slot in slots_of(self.graph, node) for s in slot.candidates]
        if inside["input"] and merged[:1] != [place_of(inside["input"][0])[1]]:
            message = f"slot 0 of `{node}` does not take the first input of the Cell"
            raise fail("E702", message, help=f"add the edge `{inside['input'][0]}` → `{node}`")
        if inside["step"] and not merged[1:]:
            remedy = f"add the edge `{inside['step'][-1]}` → `{node}`"
            raise fail("E702", f"the Cell `{node}` returns no Step", help=remedy)
        return _Member(tuple(inputs), tuple(steps), tuple(merged[1:]))

    def _slots(self, node: str) -> list[Slot]:
        """The slots of a node, their candidates by name."""
        return [
            replace(slot, candidates=tuple(name_of(self.graph, c) for c in slot.candidates))
            for slot in slots_of(self.graph, node)
        ]

    def _cell(self, name: str, member: _Member) -> Cell:
        """A Cell of a name of its own."""
        inputs = tuple(
            CellInput(_slot(candidates, is_open), None if n == input_name(i) else n)
            for i, (n, candidates, is_open) in enumerate(member.inputs)
        )
        steps = tuple(
            Step(n, self._operation(operations, is_open), tuple(_slot(*slot) for slot in slots))
            for n, operations, is_open, slots in member.steps
        )
        everything = member.returned == tuple(n for n, *_ in member.steps)
        returned = None if everything else tuple(Reference(n) for n in member.returned)
        return Cell(name, inputs, steps, returned=returned)

    def _operation(self, operations: tuple[Operation, ...], is_open: bool) -> Operation | Hole:
        if not is_open:
            return operations[0]
        return Hole() if operations == self.written.pool else Hole(operations)

    # The output and the head

    def _outputs(self) -> tuple[Output, ...] | None:
        (node,) = self.order.get("output") or (None,)
        written = self.written.outputs
        if node is None:
            return written
        slots = [
            one
            for slot in self._slots(node)
            for one in ([slot] if slot.open else _fixed(slot.candidates))
        ]  # an output takes whatever is led into it
        cells = [name for n in self.order.get("cell", ()) for name in place_of(n)]
        features = [name for n in self.order.get("feature", ()) for name in place_of(n)]
        if slots == (_fixed(cells) if written is None else self._written_outputs(written)):
            return written
        return written_outputs(slots, {*features, *cells})

    def _written_outputs(self, written: Sequence[Output]) -> list[Slot]:
        """The slots of the output as it is written; none where what is written says nothing."""
        if all(isinstance(place, Reference) for place in written):
            return _fixed([r.name for place in written for r in references_of(place)])
        try:
            return list(resolve(self.written).outputs)
        except DiagnosticError:
            return []

    def _predict(self) -> Predict | None:
        head, predict = self.graph.graph.get("head"), self.written.predict
        if not isinstance(head, Head) or head.kind == "several":
            return predict
        if predict is not None:
            count = self.numbers.get(str(predict.count), predict.count)
            if (count, predict.kind, predict.names) == (head.count, head.kind, head.names):
                return predict
        return Predict(head.count, head.kind, head.names)

    def _heads(self) -> Iterator[Predict]:
        """The heads that have names: with their wording, where the Graph reads the same."""
        written = {str(p.name): p for p in self.written.heads}
        for node in self.order.get("head", ()):
            (name,) = place_of(node)
            head = self.graph.nodes[node].get("head")
            sources = (s.candidates[0] for s in slots_of(self.graph, node))
            kinds = self.graph.nodes
            reads = [name_of(self.graph, s) for s in sources if kinds[s]["kind"] != "output"]
            if node == HEAD:
                continue
            known = written.get(name)
            if known is None:
                if not isinstance(head, Head) or head.kind == "several":
                    message = f"the head `{node}` has no `head` that says what it predicts"
                    raise fail("E702", message, help="write it in the `specification`")
                known = Predict(
                    head.count, head.kind, head.names, name, weight=head.weight, loss=head.loss
                )
            same = [r.name for r in known.reads] == reads
            yield known if same else replace(known, reads=tuple(map(Reference, reads)))


def _fixed(names: Iterable[str]) -> list[Slot]:
    """The slots of an output that has no hole."""
    return [Slot((name,), open=False) for name in names]


def _resolved_member(cell: NetworkCell, before: Sequence[str]) -> _Member:
    """A resolved Cell as those of a Graph are compared."""
    scope = list(cell.inputs)
    steps: list[Any] = []
    for step in cell.steps:
        operations = tuple(_operations(step.name, step.operations))
        slots = tuple(_filled(slot, scope) for slot in step.slots)
        steps.append((step.name, operations, step.open, slots))
        scope.append(step.name)
    pairs = zip(cell.inputs, cell.slots, strict=True)
    inputs = tuple((name, *_filled(slot, before)) for name, slot in pairs)
    return _Member(inputs, tuple(steps), cell.returned)


def _filled(slot: Slot, scope: Iterable[str]) -> tuple[Candidates, bool]:
    """The candidates of a slot, None where they are everything in scope; and whether it is open."""
    everything = slot.open and set(slot.candidates) == set(scope)
    return None if everything else slot.candidates, slot.open


def _slot(candidates: Candidates, is_open: bool) -> Reference | Hole:
    if candidates is None:
        return Hole()
    return Hole(tuple(map(Reference, candidates))) if is_open else Reference(candidates[0])


def _operations(node: str, operations: str | Iterable[Application | str]) -> Iterator[Operation]:
    """The operations of a Step as they are written: `Sum`, or `Sum | MHA(heads = 4)`."""
    for operation in [operations] if isinstance(operations, str) else operations:
        if isinstance(operation, str):
            yield from _parsed(node, operation)
        else:
            yield operation.operation


def _parsed(node: str, text: str) -> tuple[Operation, ...]:
    """The operations that a text lists; raises DiagnosticError where it is anything else."""
    try:
        spec = parse(f"cell c(x) {{ s = {{{text}}}(x) }}", f"<{node}>")
    except DiagnosticError as error:
        message = f"the `operations` of `{node}` cannot be read"
        raise DiagnosticError([*fail("E702", message).diagnostics, *error.diagnostics]) from None
    hole = spec.cells[0].steps[0].operation if spec.cells and spec.cells[0].steps else Hole()
    step = Step("s", hole, (Reference("x"),))
    if spec != Spec(cells=(Cell("c", (CellInput(Reference("x")),), (step,)),)):
        raise fail("E702", f"the `operations` of `{node}` are more than a list of operations")
    return operations_of(hole)


def _axes(node: str, axes: object) -> tuple[FeatureAxis, ...] | None:
    """The axes of a feature's node: those that it was built with, or a text, `c 512, h 14`."""
    if axes is None:
        return None
    if isinstance(axes, str):
        spec = parse(f"modality m {{ F[{axes}] }}", f"<{node}>")
        features = [f for m in spec.modalities for f in m.features]
        if len(features) == 1:
            alone = Modality("m", (Feature("F", features[0].axes),))
            if spec == Spec(modalities=(alone,)):
                return features[0].axes
    elif isinstance(axes, tuple) and all(isinstance(axis, Axis) for axis in axes):
        return written_axes(axes)
    raise fail("E702", f"the `axes` of `{node}` cannot be read", help='write `axes="c 512, h 14"`')


def written_axes(axes: Iterable[Axis]) -> tuple[FeatureAxis, ...]:
    """Axes as they stand in a specification."""
    return tuple(FeatureAxis(a.name, "*" if a.size is None else a.size) for a in axes)
