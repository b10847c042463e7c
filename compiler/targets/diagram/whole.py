"""The whole network: modalities as lanes, Cells above them, the output and the head on top.

NOTE: the picture flows upwards, so that it fits a column of a paper: each modality is a lane of
features in their order, the Cells stand above the lanes, the output and the head on top. Edges of
the upper level, into and out of Cells, are wide, those of the lower level, inside a Cell, thin;
whatever is still to be found is dashed. A feature's adapter is not drawn: edges go through it.
What no head depends on is quiet, also the output where no head reads it. Above heads with names
stands a small box, which has the outputs of all of them side by side.

A hole over all predecessors shows their number, and its Cell has edges from whole lanes and Cells,
or from one box where those would be many; a restricted hole shows its candidates. Where the weights
of mixtures are known, each candidate has an edge as wide as its weight.

Graphviz keeps what stands in one rank in the order of edges inside it, but not across clusters.
Hence invisible points, in order, each tied to one lane or input by a `group`, which makes Graphviz
avoid crossing that edge and keep it straight.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from math import ceil

from ...graph.build import HEAD
from ...network.names import OUTPUT, identifier
from ...network.network import (
    SEVERAL,
    Application,
    Architecture,
    Head,
    NetworkCell,
    NetworkFeature,
)
from ..latex import definition_latex
from .drawer import HIDDEN, POINT, Drawer, cluster, frame
from .labels import SIDE_BY_SIDE, predicted
from .statements import Look, attributes, box, edge, node, quoted, same_rank

GUIDE: Look = {"style": "invis", "weight": 0}
HURRIED: Look = {"nslimit": 1, "nslimit1": 1}

LONGEST_ROW = 3
MOST_DIRECT = 6
"""Edges from lanes and Cells into Cells that take anything; more go through a box."""
MOST_NAMES = 20
PAIR = 2
LARGE = 100


class WholeDrawer(Drawer):
    """Every statement of the picture."""

    def lines(self) -> Iterator[str]:
        parts = len(self.network.features) + sum(len(c.steps) + 1 for c in self.network.cells)
        if parts > LARGE:
            yield f"graph {attributes(HURRIED)};"
        yield from self._side_by_side()
        for number in range(len(self.lanes)):
            yield from self._lane(number)
        yield from self._lane_points()
        yield from self._cells()
        yield from self._free_cells()
        yield from self._top()

    def _cells(self) -> Iterator[str]:
        for cell in self.network.cells:
            yield from self.cell(cell)
            yield from self.into_input(cell)

    def _side_by_side(self) -> Iterator[str]:
        """Points below the Cells beside each other, in their order; of three or more, above too.

        NOTE: They stand first, since the order in which Graphviz meets nodes is where it begins.
        Above two Cells, points would push the combination out of the middle.
        """
        free = self._free_inputs()
        for number, row in enumerate(_side_by_side(self.network.cells, free)):
            inputs = [identifier(cell.name, cell.inputs[0]) for cell in row]
            below = [f"%row_{number}_{place}" for place in range(len(row))]
            yield from points(below, inputs)
            yield from (edge(p, i, GUIDE) for p, i in zip(below, inputs, strict=True))
            if len(row) > PAIR:
                above = [f"%top_{number}_{place}" for place in range(len(row))]
                merges = [identifier(cell.name) for cell in row]
                yield from points(above, inputs)
                yield from (edge(m, p, GUIDE) for m, p in zip(merges, above, strict=True))

    # Lanes

    @cached_property
    def lanes(self) -> list[list[NetworkFeature]]:
        """The features of each modality, in order."""
        lanes: dict[str, list[NetworkFeature]] = {m.name: [] for m in self.network.modalities}
        for feature in self.network.features:
            lanes[feature.modality].append(feature)
        return list(lanes.values())

    def _lane(self, number: int) -> Iterator[str]:
        modality = self.network.modalities[number]
        label = self.labels.bold(modality.name)
        label += self.labels.beside("optional") if modality.optional else ""
        yield f"subgraph {quoted(_lane(number))} {{"
        look: Look = {"fillcolor": self.style.lane, "color": self.style.lane}
        yield frame(label, modality.name, look)
        for feature in self.lanes[number]:
            yield self._feature(feature, _lane(number))
        for below, above in pairwise(self.lanes[number]):
            yield edge(identifier(below.name), identifier(above.name), HIDDEN)
        yield "}"

    def _feature(self, feature: NetworkFeature, group: str) -> str:
        name = identifier(feature.name)
        used = name in self.used
        label = self.labels.feature(feature, used)
        label = self.labels.signed(label, self.overlay.changed.get(name))
        tip = feature.name if used else f"{feature.name} (unused)"
        look = {**self.look(name, "feature"), "width": 0.95, "group": node(group)}
        return box(name, label, tip, look, definition_latex(feature.adapt.definition))

    def _lane_points(self) -> Iterator[str]:
        """Points between the lanes and the Cells, one over each lane."""
        lanes = range(len(self.lanes))
        above = [f"%lane_{number}" for number in lanes]
        yield from points(above, [_lane(number) for number in lanes])
        for point, lane in zip(above, self.lanes, strict=True):
            yield edge(identifier(lane[-1].name), point, GUIDE)
        lane_of = {f.name: number for number, lane in enumerate(self.lanes) for f in lane}
        for cell in self.network.cells:
            for name, slot in zip(cell.inputs, cell.slots, strict=True):
                if slot.open or slot.candidates[0] in lane_of:
                    number = lane_of.get(slot.candidates[0], 0)
                    yield edge(above[number], identifier(cell.name, name), GUIDE)

    # Holes over all predecessors

    def _free_inputs(self) -> dict[int, list[str]]:
        """The inputs that are such holes, by the position of their Cell."""
        inputs: dict[int, list[str]] = {}
        for position, cell in enumerate(self.network.cells):
            for name in cell.inputs:
                input = identifier(cell.name, name)
                if (input, 0) in self.free and input in self.used:
                    inputs.setdefault(position, []).append(input)
        return inputs

    def _free_cells(self) -> Iterator[str]:
        """Rows of the Cells with such holes, in order, with edges from whole lanes and Cells."""
        free = self._free_inputs()
        counted = {p: [i for i in inputs if not self._weighed(i)] for p, inputs in free.items()}
        counted = {position: inputs for position, inputs in counted.items() if inputs}
        edges = len(self.lanes) * len(counted) + sum(counted)
        few = len(counted) <= 2 and edges <= MOST_DIRECT
        below = [f"%lane_{number}" for number in range(len(self.lanes))]
        boxes = 0
        for number, row in enumerate(_rows(list(free))):
            cells = [self.network.cells[position] for position in row]
            inputs = [identifier(c.name, c.inputs[0]) for c in cells]
            row_of = [f"%input_{number}_{i}" for i in range(len(inputs))]
            yield from points(row_of, inputs)
            yield from (edge(p, i, GUIDE) for p, i in zip(row_of, inputs, strict=True))
            yield from (edge(name, row_of[len(row_of) // 2], GUIDE) for name in below)
            below = [identifier(c.name) for c in cells]
            bundled = {p: counted[p] for p in row if p in counted}
            if bundled and not few:
                yield from self._through_box(boxes, bundled)
                boxes += 1
        if few:
            yield from (e for p, holes in counted.items() for e in self._directly(p, holes))

    def _weighed(self, input: str) -> bool:
        return (input, 0) in self.overlay.weights

    def _directly(self, position: int, inputs: Sequence[str]) -> Iterator[str]:
        """Edges into a Cell from every lane and every earlier Cell."""
        into = cluster(self.network.cells[position].name)
        for lane, features in enumerate(self.lanes):
            look = self.bundle(ltail=_lane(lane), lhead=into)
            yield edge(identifier(features[-1].name), inputs[-1 if lane else 0], look)
        for earlier in self.network.cells[:position]:
            look = self.bundle(constraint="false", ltail=cluster(earlier.name), lhead=into)
            yield edge(identifier(earlier.name), inputs[-1], look)

    def _through_box(self, number: int, row: Mapping[int, Sequence[str]]) -> Iterator[str]:
        """Edges into a row of Cells from a box that stands for all predecessors."""
        name = f"%predecessors_{number}"
        yield self.anything(name, "any feature or earlier Cell")
        if number:
            yield edge(f"%predecessors_{number - 1}", name, self.bundle())
        else:
            for lane, features in enumerate(self.lanes):
                yield edge(identifier(features[-1].name), name, self.bundle(ltail=_lane(lane)))
        for position, inputs in row.items():
            into = cluster(self.network.cells[position].name)
            yield edge(name, inputs[(len(inputs) - 1) // 2], self.bundle(lhead=into))

    # The output

    def _top(self) -> Iterator[str]:
        yield from self.head_boxes(self.network)
        for number, slot in enumerate(self.network.outputs):
            for place in self.drawn(OUTPUT, number, slot):
                yield self.from_source(slot.candidates[place], OUTPUT, number, slot, place)
        yield from self.into_heads(self.network)

    def into_heads(
        self, network: Architecture, output: str = OUTPUT, last: str = HEAD
    ) -> Iterator[str]:
        """The edges into what predicts, from the combination, features, Cells or other heads."""
        heads = [head.name for head in network.heads]
        for head in network.heads:
            name = identifier(head.name)
            for number, read in enumerate(head.reads or (output,)):
                if read in (output, *heads):
                    yield self.edge(identifier(read), name, number)
                else:
                    yield self.into_head(read, name, number)
        for number, source in enumerate(self.overlay.joined or heads or (output,)):
            yield self.edge(identifier(source), identifier(last), number)

    def into_head(self, source: str, head: str, number: int) -> str:
        """An edge from a feature or a Cell into what predicts."""
        return self.from_source(source, head, number)

    def combined(self) -> str:
        """What the box of the combination says, with the holes that have no edges."""
        slots = enumerate(self.network.outputs)
        counted = [slot for number, slot in slots if not self.drawn(OUTPUT, number, slot)]
        holes = (f"? of {len(slot.candidates)}" for slot in counted)
        return " ".join(["combine", ", ".join(holes)]).rstrip()

    def head_boxes(
        self, network: Architecture, output: str = OUTPUT, last: str = HEAD
    ) -> Iterator[str]:
        """The boxes of the combination and of what is predicted; several heads have one on top."""
        name, joint = identifier(output), identifier(last)
        equation = definition_latex(network.combine.definition)
        hidden = self.hidden(name, dict(enumerate(network.outputs)), "")
        look = {**self.look(name, "output"), **hidden}
        combined = self.labels.signed(self.combined(), self.overlay.changed.get(name))
        yield box(name, combined, "the outputs combined", look, equation)
        for head in network.heads:
            label = self.labels.bold(self.title(head)) + self.labels.beside(predicted(head.head))
            yield self._head(identifier(head.name), head.head, label, head.role)
        if network.head.kind == SEVERAL:
            label = self.labels.small(predicted(network.head))
            signed = self.labels.signed(label, self.overlay.changed.get(joint))
            look = {**self.look(joint, "heads"), "height": 0.2}
            yield box(joint, signed, SIDE_BY_SIDE, look)
        else:
            label = self.labels.bold(predicted(network.head))
            yield self._head(joint, network.head, label, network.head_role)

    def _head(self, name: str, head: Head, label: str, role: Application) -> str:
        names = head.names or (predicted(head),)
        tip = ", ".join(names[:MOST_NAMES]) + (", …" if len(names) > MOST_NAMES else "")
        signed = self.labels.signed(label, self.overlay.changed.get(name))
        return box(name, signed, tip, self.look(name, "head"), definition_latex(role.definition))


def _side_by_side(cells: Sequence[NetworkCell], free: Collection[int]) -> list[list[NetworkCell]]:
    """Cells that stand as many Cells above the lanes, where these are several, in their order.

    Those in the places `free` have rows of their own, and what reads one stands above it.
    """
    height: dict[str, int] = {}
    for cell in cells:
        below = [height.get(name, 0) for slot in cell.slots for name in slot.candidates]
        height[cell.name] = 1 + max(below)
    others = [cell for place, cell in enumerate(cells) if place not in free]
    rows = [[c for c in others if height[c.name] == level] for level in sorted({*height.values()})]
    return [row for row in rows if len(row) > 1]


def _rows(cells: Sequence[int]) -> list[Sequence[int]]:
    """Cells in rows of about the same length."""
    count = max(1, ceil(len(cells) / LONGEST_ROW))
    length = max(1, ceil(len(cells) / count))
    return [cells[start : start + length] for start in range(0, len(cells), length)]


def _lane(number: int) -> str:
    return f"cluster%lane_{number}"


def points(names: Sequence[str], groups: Sequence[str]) -> Iterator[str]:
    """Invisible points in one rank, from left to right, each in a group."""
    for name, group in zip(names, groups, strict=True):
        yield f"{quoted(node(name))} {attributes({**POINT, 'group': node(group)})};"
    yield same_rank(names)
    yield from (edge(a, b, HIDDEN) for a, b in pairwise(names))
