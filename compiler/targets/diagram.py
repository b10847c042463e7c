"""The diagram target: a fusion Graph as DOT text, and through it as SVG, PNG or PDF.

NOTE: the picture flows upwards, so that it fits a column of a paper: each modality is a lane of
features in their order, the Cells stand above the lanes, the output and the head on top. Edges of
the upper level, into and out of Cells, are blue, those of the lower level, inside a Cell, black;
whatever is still to be found is dashed. A feature's adapter is not drawn: edges go through it.
What the output does not reach is grey and has no edges.

A hole over all predecessors shows their number, and its Cell has edges from whole lanes and Cells,
or from one box where those would be many; a restricted hole shows its candidates.

Graphviz keeps what stands in one rank in the order of edges inside it, but not across clusters.
Hence invisible points, in order, each tied to one lane or input by a `group`, which makes Graphviz
avoid crossing that edge and keep it straight.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import ceil

import networkx

from ..expression import Name, walk
from ..graph import HEAD, OUTPUT, Graph, source_of
from ..network import Application, Network, NetworkCell, NetworkFeature, NetworkStep, Slot
from ..program import identifier
from ..spec import HeadKind
from .dot_engine import (
    FONT,
    FORMATS,
    MOST_STATEMENTS,
    Look,
    attributes,
    box,
    draw,
    edge,
    formats,
    node,
    quoted,
    same_rank,
    shortened,
    text,
    too_large,
    tooltip,
)

__all__ = ["FORMATS", "dot", "formats", "render"]

INK, GREY, UPPER, HOLE = "#222222", "#666666", "#0072b2", "#a84300"
QUIET: Look = {"color": "#c4c4c4", "fontcolor": "#8c8c8c", "fillcolor": "#fafafa"}
OPEN: Look = {"style": "rounded,filled,dashed", "color": HOLE}
UPPER_EDGE: Look = {"color": UPPER, "penwidth": 1.2}
CANDIDATE: Look = {"style": "dashed", "penwidth": 0.7, "color": "#777777"}
UPPER_CANDIDATE: Look = {"style": "dashed", "penwidth": 0.7, "color": UPPER}
CELL: Look = {"color": UPPER, "fillcolor": "#e6f1f8"}
HIDDEN: Look = {"style": "invis"}
PLAIN: Look = {}
GUIDE: Look = {"style": "invis", "weight": 0}
HURRIED: Look = {"nslimit": 1, "nslimit1": 1}
POINT: Look = {"shape": "point", "style": "invis", "width": 0.01}

SINGULAR: Mapping[HeadKind, str] = {"classes": "class", "labels": "label", "values": "value"}

SMALL = 8
LONGEST_LINE, MOST_LINES = 24, 4
MOST_EDGES = 6
LONGEST_ROW = 3
MOST_NAMES = 20
LARGE = 200


def dot(graph: Graph) -> str:
    """The picture as DOT text; equal Graphs give equal texts."""
    diagram = _Diagram(graph.graph["network"], _read(graph))
    lines = "\n".join(f"  {line}" for line in diagram.lines())
    return f"digraph {quoted(node(diagram.network.name))} {{\n{lines}\n}}\n"


def render(graph: Graph, format: str) -> bytes:
    """The picture as a file of one of `formats()`.

    Raises DiagnosticError for a format that cannot be written here (the remedy says what to
    install), and for a picture that takes too long to lay out.
    """
    if graph.number_of_nodes() > MOST_STATEMENTS and format != "dot":
        raise too_large()
    return draw(dot(graph), format)


@dataclass(frozen=True)
class _Diagram:
    """The statements of a picture; `reached` are the nodes whose values the head depends on."""

    network: Network
    reached: frozenset[str]

    def lines(self) -> Iterator[str]:
        yield from _defaults()
        parts = len(self.network.features) + sum(len(c.steps) + 1 for c in self.network.cells)
        if parts > LARGE:
            yield f"graph {attributes(HURRIED)};"
        for number in range(len(self._lanes)):
            yield from self._lane(number)
        yield from self._lane_points()
        for position, cell in enumerate(self.network.cells):
            yield from self._cell(cell, len(self.network.features) + position)
        yield from self._free_cells()
        yield from self._top()

    def _look(self, name: str, kind: str, open: bool = False) -> dict[str, object]:
        if name not in self.reached:
            return {"class": f"{kind} unused", **QUIET}
        return {"class": f"{kind} hole", **OPEN} if open else {"class": kind}

    # Lanes

    @cached_property
    def _lanes(self) -> list[list[NetworkFeature]]:
        """The features of each modality, in order."""
        lanes: dict[str, list[NetworkFeature]] = {m.name: [] for m in self.network.spec.modalities}
        for feature in self.network.features:
            lanes[feature.modality].append(feature)
        return list(lanes.values())

    def _lane(self, number: int) -> Iterator[str]:
        modality = self.network.spec.modalities[number]
        label = _bold(modality.name) + (_small(" optional") if modality.optional else "")
        yield f"subgraph {quoted(_lane(number))} {{"
        yield _frame(label, modality.name, {"fillcolor": "#f0f0f0", "color": "#f0f0f0"})
        for feature in self._lanes[number]:
            yield self._feature(feature, _lane(number))
        for below, above in pairwise(self._lanes[number]):
            yield edge(identifier(below.name), identifier(above.name), HIDDEN)
        yield "}"

    def _feature(self, feature: NetworkFeature, group: str) -> str:
        source = source_of(self.network, feature.name)
        sizes = " × ".join("*" if a.size is None else str(a.size) for a in feature.axes or ())
        used = source in self.reached
        color = GREY if used else str(QUIET["fontcolor"])
        label = text(feature.name) + (f"<BR/>{_small(sizes, color)}" if sizes else "")
        tip = feature.name if used else f"{feature.name} (unused)"
        look = {**self._look(source, "feature"), "width": 0.95, "group": node(group)}
        return box(identifier(feature.name), label, tip, look)

    def _lane_points(self) -> Iterator[str]:
        """Points between the lanes and the Cells, one over each lane."""
        lanes = range(len(self._lanes))
        points = [f"%lane_{number}" for number in lanes]
        yield from _points(points, [_lane(number) for number in lanes])
        for point, lane in zip(points, self._lanes, strict=True):
            yield edge(identifier(lane[-1].name), point, GUIDE)
        lane_of = {f.name: number for number, lane in enumerate(self._lanes) for f in lane}
        for cell in self.network.cells:
            for name, slot in zip(cell.inputs, cell.slots, strict=True):
                if slot.open or slot.candidates[0] in lane_of:
                    number = lane_of.get(slot.candidates[0], 0)
                    yield edge(points[number], identifier(cell.name, name), GUIDE)

    # Cells

    def _cell(self, cell: NetworkCell, before: int) -> Iterator[str]:
        """A Cell with the edges inside it and into its inputs; `before` counts predecessors."""
        merge = identifier(cell.name)
        look: Look = CELL if merge in self.reached else QUIET
        yield f"subgraph {quoted(_cluster(cell.name))} {{"
        yield _frame(_bold(cell.name), cell.name, {**look, "labelloc": "b"})
        inputs = [identifier(cell.name, name) for name in cell.inputs]
        for name, input, slot in zip(cell.inputs, inputs, cell.slots, strict=True):
            label = text(name) + (f" = {_hole(slot, before)}" if slot.open else "")
            look = {**self._look(input, "input", slot.open), "group": node(input)}
            yield box(input, label, f"{name} of {cell.name}", look)
        yield same_rank(inputs)
        look = {**self._look(merge, "merge"), "fontsize": SMALL + 1, "group": node(inputs[0])}
        yield box(merge, "merge", f"merge of {cell.name}", look)
        yield from self._steps(cell)
        yield "}"
        for input, slot in zip(inputs, cell.slots, strict=True):
            if not _is_free(slot, before) and len(slot.candidates) <= MOST_EDGES:
                look = UPPER_CANDIDATE if slot.open else UPPER_EDGE
                yield from (self._from(c, input, look) for c in slot.candidates)

    def _steps(self, cell: NetworkCell) -> Iterator[str]:
        merge = identifier(cell.name)
        is_open = False
        for position, step in enumerate(cell.steps):
            before = len(cell.inputs) + position
            yield self._step(cell, step, before)
            yield from self._into_step(cell, step, before)
            if any(_is_free(s, before) for s in step.slots):
                is_open = True
                above = [cell.steps[position - 1].name] if position else cell.inputs
                for name in above:
                    tail, head = identifier(cell.name, name), identifier(cell.name, step.name)
                    yield edge(tail, head, {**HIDDEN, "weight": 3 if position else 0})
        for name in cell.returned:
            yield self._edge(identifier(cell.name, name), merge)
        if _reads_first(cell.merge):
            yield self._edge(identifier(cell.name, cell.inputs[0]), merge, {"weight": 4})
        if is_open:
            yield from _wall(merge, identifier(cell.name, cell.inputs[-1]))

    def _step(self, cell: NetworkCell, step: NetworkStep, before: int) -> str:
        label = _bold(step.name)
        if step.open:
            label += f" = ?{_small(f' of {len(step.operations)}')}"
            listed = _alternatives([o.label for o in step.operations])
            label += f"<BR/>{_small(listed)}" if listed else ""
        else:
            label += f"<BR/>{_call(step)}"
        if any(s.open for s in step.slots):
            label = _with_slots(label, step.slots, before)
        name = identifier(cell.name, step.name)
        look = {**self._look(name, "step", step.open), "margin": "0.05,0.05"}
        return box(name, label, f"{step.name} of {cell.name}", look)

    def _into_step(self, cell: NetworkCell, step: NetworkStep, before: int) -> Iterator[str]:
        has_ports = any(s.open for s in step.slots)
        head = identifier(cell.name, step.name)
        for number, slot in enumerate(step.slots):
            if _is_free(slot, before) or len(slot.candidates) > MOST_EDGES:
                continue
            look, port = CANDIDATE if slot.open else PLAIN, f":s{number}:s" if has_ports else ""
            for candidate in slot.candidates:
                yield self._edge(identifier(cell.name, candidate), head, look, port)

    def _edge(self, tail: str, head: str, look: Look = PLAIN, port: str = "") -> str:
        """An edge, which only guides the layout where the output does not reach its head."""
        return edge(tail, head, look if head in self.reached else HIDDEN, port)

    def _from(self, source: str, head: str, look: Look) -> str:
        """An edge of the upper level, from a feature or from the frame of a Cell."""
        if source in self.network.cell_by_name:
            look = {**look, "ltail": _cluster(source)}
        return self._edge(identifier(source), head, look)

    # Holes over all predecessors

    def _free_inputs(self) -> dict[int, list[str]]:
        """The inputs that are such holes, by the position of their Cell."""
        first = len(self.network.features)
        found: dict[int, list[str]] = {}
        for position, cell in enumerate(self.network.cells):
            for name, slot in zip(cell.inputs, cell.slots, strict=True):
                input = identifier(cell.name, name)
                if _is_free(slot, first + position) and input in self.reached:
                    found.setdefault(position, []).append(input)
        return found

    def _free_cells(self) -> Iterator[str]:
        """Rows of the Cells with such holes, in order, with edges from whole lanes and Cells."""
        free = self._free_inputs()
        edges = len(self._lanes) * len(free) + sum(free)
        few = len(free) <= 2 and edges <= MOST_EDGES
        below = [f"%lane_{number}" for number in range(len(self._lanes))]
        for number, row in enumerate(_rows(list(free))):
            cells = [self.network.cells[position] for position in row]
            inputs = [identifier(c.name, name) for c in cells for name in c.inputs]
            points = [f"%input_{number}_{i}" for i in range(len(inputs))]
            yield from _points(points, inputs)
            yield from (edge(p, i, GUIDE) for p, i in zip(points, inputs, strict=True))
            yield from (edge(name, points[len(points) // 2], GUIDE) for name in below)
            below = [identifier(c.name) for c in cells]
            if not few:
                yield from self._through_box(number, {p: free[p] for p in row})
        if few:
            yield from (e for position in free for e in self._directly(position, free[position]))

    def _directly(self, position: int, inputs: Sequence[str]) -> Iterator[str]:
        """Edges into a Cell from every lane and every earlier Cell."""
        frame = _cluster(self.network.cells[position].name)
        for lane, features in enumerate(self._lanes):
            look = {**UPPER_CANDIDATE, "ltail": _lane(lane), "lhead": frame}
            yield edge(identifier(features[-1].name), inputs[-1 if lane else 0], look)
        for earlier in self.network.cells[:position]:
            look = {**UPPER_CANDIDATE, "constraint": "false", "lhead": frame}
            yield self._from(earlier.name, inputs[-1], look)

    def _through_box(self, number: int, row: Mapping[int, Sequence[str]]) -> Iterator[str]:
        """Edges into a row of Cells from a box that stands for all predecessors."""
        name = f"%predecessors_{number}"
        look: Look = {**OPEN, "color": UPPER, "height": 0.2, "class": "predecessors"}
        yield box(name, _small("any feature or earlier Cell"), "predecessors", look)
        if number:
            yield edge(f"%predecessors_{number - 1}", name, UPPER_CANDIDATE)
        else:
            for lane, features in enumerate(self._lanes):
                look = {**UPPER_CANDIDATE, "ltail": _lane(lane)}
                yield edge(identifier(features[-1].name), name, look)
        for position, inputs in row.items():
            frame = _cluster(self.network.cells[position].name)
            look = {**UPPER_CANDIDATE, "lhead": frame}
            yield edge(name, inputs[(len(inputs) - 1) // 2], look)

    def _top(self) -> Iterator[str]:
        head = self.network.head
        label = f"{head.count} {head.kind if head.count > 1 else SINGULAR[head.kind]}"
        names = head.names or (label,)
        tip = ", ".join(names[:MOST_NAMES]) + (", …" if len(names) > MOST_NAMES else "")
        yield box(OUTPUT, "combine", "the outputs combined", {"class": "output"})
        yield box(HEAD, _bold(label), tip, {"class": "head"})
        yield from (self._from(name, OUTPUT, UPPER_EDGE) for name in self.network.outputs)
        yield edge(OUTPUT, HEAD)


def _read(graph: Graph) -> frozenset[str]:
    """The nodes whose values the head depends on."""
    return frozenset({HEAD, *networkx.ancestors(graph, HEAD)})


def _is_free(slot: Slot, before: int) -> bool:
    """Whether a slot is a hole over everything that comes before it."""
    return slot.open and len(slot.candidates) == before


def _reads_first(merge: Application) -> bool:
    """Whether a merge reads the Cell's first input: a skip connection."""
    first = merge.definition.inputs[0]
    return any(isinstance(e, Name) and e.name == first for e in walk(merge.definition.body))


def _rows(cells: Sequence[int]) -> list[Sequence[int]]:
    """Cells in rows of about the same length."""
    count = max(1, ceil(len(cells) / LONGEST_ROW))
    length = max(1, ceil(len(cells) / count))
    return [cells[start : start + length] for start in range(0, len(cells), length)]


# Labels


def _bold(name: str) -> str:
    return f"<B>{text(name)}</B>"


def _small(markup: str, color: str = GREY) -> str:
    return f'<FONT POINT-SIZE="{SMALL}" COLOR="{color}">{markup}</FONT>'


def _call(step: NetworkStep) -> str:
    """`MHA(x, y, heads = 4)`."""
    (operation,) = step.operations
    written = operation.written
    arguments = ["?" if s.open else text(s.candidates[0]) for s in step.slots]
    arguments += [text(f"{k} = {v}") for k, v in (written.parameters if written else ())]
    name = written.name if written else operation.definition.name
    return f"{text(name)}({', '.join(arguments)})"


def _hole(slot: Slot, before: int) -> str:
    """`?` with the number of candidates, or the names of those that a hole is restricted to."""
    listed = "" if _is_free(slot, before) else _alternatives(slot.candidates)
    return listed or f"?{_small(f' of {len(slot.candidates)}')}"


def _alternatives(names: Sequence[str]) -> str:
    """`A | B | C` on a few lines; nothing where it would take more."""
    lines: list[list[str]] = [[]]
    for name in names:
        if lines[-1] and len(" | ".join(map(shortened, [*lines[-1], name]))) > LONGEST_LINE:
            lines.append([])
        if len(lines) > MOST_LINES:
            return ""
        lines[-1].append(name)
    return " |<BR/>".join(" | ".join(map(text, line)) for line in lines)


def _with_slots(label: str, slots: Sequence[Slot], before: int) -> str:
    """A Step's label over a row of its slots, which are the ports `s0`, `s1`, … of its edges."""
    cells = ""
    for number, slot in enumerate(slots):
        style, color = ("dashed", HOLE) if slot.open else ("solid", INK)
        content = _hole(slot, before) if slot.open else text(slot.candidates[0])
        look = f'PORT="s{number}" BORDER="1" STYLE="rounded,{style}" COLOR="{color}"'
        cells += f"<TD {look}>{content}</TD>"
    look = 'BORDER="0" CELLBORDER="0" CELLSPACING="3" CELLPADDING="1"'
    first = f'<TR><TD COLSPAN="{len(slots)}">{label}</TD></TR>'
    return f"<TABLE {look}>{first}<TR>{cells}</TR></TABLE>"


# Statements


def _cluster(cell: str) -> str:
    return f"cluster_{node(identifier(cell))}"


def _lane(number: int) -> str:
    return f"cluster%lane_{number}"


def _frame(label: str, tip: str, look: Look) -> str:
    """Attributes of a cluster; as the picture flows upwards, `t` is its bottom."""
    shared: Look = {"style": "rounded,filled", "penwidth": 0.8, "margin": 6, "labeljust": "l"}
    place: Look = {"labelloc": "t", "tooltip": tooltip(tip)}
    return f"graph {attributes({**shared, **place, **look}, label)};"


def _points(points: Sequence[str], groups: Sequence[str]) -> Iterator[str]:
    """Invisible points in one rank, from left to right, each in a group."""
    for point, group in zip(points, groups, strict=True):
        yield f"{quoted(node(point))} {attributes({**POINT, 'group': node(group)})};"
    yield same_rank(points)
    yield from (edge(a, b, HIDDEN) for a, b in pairwise(points))


def _wall(merge: str, input: str) -> Iterator[str]:
    """An invisible line on the right of a Cell, past which Graphviz lets no edge swing."""
    wall = f"{merge}%wall"
    yield f"{quoted(node(wall))} {attributes(POINT)};"
    yield same_rank([merge, wall])
    yield edge(input, wall, {**HIDDEN, "weight": 4})


def _defaults() -> Iterator[str]:
    font: Look = {"fontname": FONT, "fontsize": 10, "fontcolor": INK}
    page: Look = {"rankdir": "BT", "compound": "true", "newrank": "true", "bgcolor": "white"}
    gaps: Look = {"nodesep": 0.16, "ranksep": 0.22, "pad": 0.1}
    yield f"graph {attributes({**font, **page, **gaps})};"
    shape: Look = {"shape": "box", "style": "rounded,filled", "fillcolor": "white", "color": INK}
    size: Look = {"margin": "0.08,0.04", "height": 0.25, "width": 0.3, "penwidth": 0.8}
    yield f"node {attributes({**font, **shape, **size})};"
    yield f"edge {attributes({'color': INK, 'arrowsize': 0.5, 'penwidth': 0.8})};"
