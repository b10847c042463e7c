"""The diagram target: a fusion Graph as DOT text, and through it as SVG, PNG or PDF.

NOTE: the picture flows upwards, so that it fits a column of a paper: each modality is a lane of
features in their order, the Cells stand above the lanes, the output and the head on top. Edges of
the upper level, into and out of Cells, are blue, those of the lower level, inside a Cell, black;
whatever is still to be found is dashed. A feature's adapter is not drawn: edges go through it.
What the output does not reach is grey and has no edges.

A hole over all predecessors shows their number, and the lanes and Cells that it may take point at
its Cell, through one box where that would be many edges; a restricted hole names its candidates.

Text from a specification enters through `_text`, `_tooltip` and `_node` alone, which leave it no
way to end a label or to set an attribute.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from ..expression import Name, walk
from ..graph import HEAD, OUTPUT, Graph, reached, source_of
from ..network import Application, Network, NetworkCell, NetworkFeature, NetworkStep, Slot
from ..program import identifier
from .dot_engine import FONT, formats, run

__all__ = ["dot", "formats", "render"]

Look: TypeAlias = Mapping[str, object]

INK, GREY, UPPER, HOLE = "#222222", "#666666", "#0072b2", "#a84300"
QUIET: Look = {"color": "#c4c4c4", "fontcolor": "#8c8c8c", "fillcolor": "#fafafa"}
OPEN: Look = {"style": "rounded,filled,dashed", "color": HOLE}
UPPER_EDGE: Look = {"color": UPPER, "penwidth": 1.2}
CANDIDATE: Look = {"style": "dashed", "penwidth": 0.7, "color": "#777777"}
UPPER_CANDIDATE: Look = {"style": "dashed", "penwidth": 0.7, "color": UPPER}
GUIDE: Look = {"style": "invis", "weight": 0}

import os
WALL=int(os.environ.get('WALL','1'))
SMALL = 8
LONGEST_NAME = 28
LONGEST_LINE = 24
MOST_LINES = 4
MOST_EDGES = 6
CELLS_IN_A_ROW = 3


def dot(graph: Graph) -> str:
    """The picture as DOT text; equal Graphs give equal texts."""
    diagram = _Diagram(graph.graph["network"], frozenset(reached(graph)))
    lines = "\n".join(f"  {line}" for line in diagram.lines())
    return f"digraph {_quoted(_node(diagram.network.name))} {{\n{lines}\n}}\n"


def render(graph: Graph, format: str) -> bytes:
    """The picture as a file of one of `formats()`.

    Raises DiagnosticError for a format that cannot be written here (for one that lacks a program,
    the remedy says what to install) and for a picture that takes too long to lay out.
    """
    return run(dot(graph), format)


@dataclass(frozen=True)
class _Diagram:
    network: Network
    reached: frozenset[str]

    def lines(self) -> Iterator[str]:
        yield from _defaults()
        for number in range(len(self.network.spec.modalities)):
            yield from self._lane(number)
        yield from self._floor()
        for cell in self.network.cells:
            yield from self._cell(cell)
        yield from self._upper_level()
        yield from self._top()

    def _look(self, node: str, kind: str, open: bool = False) -> dict[str, object]:
        if node not in self.reached:
            return {"class": f"{kind} unused", **QUIET}
        return {"class": f"{kind} hole", **OPEN} if open else {"class": kind}

    # Lanes

    @cached_property
    def _lanes(self) -> list[list[NetworkFeature]]:
        """The features of each modality, in order."""
        modalities = self.network.spec.modalities
        return [[f for f in self.network.features if f.modality == m.name] for m in modalities]

    def _lane(self, number: int) -> Iterator[str]:
        modality = self.network.spec.modalities[number]
        label = _bold(modality.name) + (_small(" optional") if modality.optional else "")
        yield f"subgraph {_quoted(_lane(number))} {{"
        yield from _frame(label, modality.name, fillcolor="#f0f0f0", color="#f0f0f0")
        names = [identifier(f.name) for f in self._lanes[number]]
        yield from (self._feature(f) for f in self._lanes[number])
        pairs = zip(names, names[1:], strict=False)
        yield from (_edge(a, b, style="invis", weight=100) for a, b in pairs)
        yield "}"

    def _feature(self, feature: NetworkFeature) -> str:
        node = source_of(self.network, feature.name)
        sizes = " × ".join("*" if a.size is None else str(a.size) for a in feature.axes or ())
        label = _name(feature.name) + (f"<BR/>{_small(sizes)}" if sizes else "")
        tip = feature.name if node in self.reached else f"{feature.name} (unused)"
        return _box(identifier(feature.name), label, tip, width=0.95, **self._look(node, "feature"))

    def _floor(self) -> Iterator[str]:
        """Invisible points over the lanes, which keep them in order and below the Cells.

        Graphviz orders what stands in one rank by edges inside it, but not across clusters.
        """
        points = [f"%lane_{number}" for number in range(len(self._lanes))]
        yield from _in_order(points, [identifier(lane[-1].name) for lane in self._lanes], above=True)
        lane_of = {f.name: n for n, lane in enumerate(self._lanes) for f in lane}
        for cell in self.network.cells:
            for name, slot in zip(cell.inputs, cell.slots, strict=True):
                number = lane_of.get(slot.candidates[0])
                if number is not None:
                    yield _edge(points[number], identifier(cell.name, name), **GUIDE)

    # Cells

    def _cell(self, cell: NetworkCell) -> Iterator[str]:
        node = identifier(cell.name)
        color = UPPER if node in self.reached else QUIET["color"]
        yield f"subgraph {_quoted(_cluster(cell.name))} {{"
        yield from _frame(_bold(cell.name), cell.name, "b", fillcolor="#e6f1f8", color=color)
        before = self._before(cell)
        for name, slot in zip(cell.inputs, cell.slots, strict=True):
            input = identifier(cell.name, name)
            label = _name(name) + (f" = {_hole(slot, before)}" if slot.open else "")
            tip = f"{name} of {cell.name}"
            yield _box(input, label, tip, **self._look(input, "input", slot.open))
        inputs = "; ".join(_quoted(_node(identifier(cell.name, n))) for n in cell.inputs)
        yield f'{{ rank="same"; {inputs}; }}'
        yield from (self._step(cell, step) for step in cell.steps)
        look = self._look(node, "merge")
        yield _box(node, "merge", f"merge of {cell.name}", fontsize=SMALL + 1, height=0.2, **look)
        yield from self._lower_level(cell)
        yield "}"

    def _before(self, cell: NetworkCell) -> tuple[str, ...]:
        """All predecessors of a Cell."""
        return self.network.sequence[: self.network.sequence.index(cell.name)]

    def _step(self, cell: NetworkCell, step: NetworkStep) -> str:
        node = identifier(cell.name, step.name)
        label = _bold(step.name)
        if step.open:
            label += f" = ?{_small(f' of {len(step.operations)}')}"
            listed = _alternatives([o.label for o in step.operations])
            label += f"<BR/>{_small(listed)}" if listed else ""
        else:
            label += f"<BR/>{_call(step)}"
        if any(s.open for s in step.slots):
            label = _with_slots(label, step.slots, _steps_before(cell, step))
        tip = f"{step.name} of {cell.name}"
        return _box(node, label, tip, margin="0.05,0.05", **self._look(node, "step", step.open))

    def _lower_level(self, cell: NetworkCell) -> Iterator[str]:
        merge = identifier(cell.name)
        previous = cell.inputs
        for step in cell.steps:
            node = identifier(cell.name, step.name)
            everything = _steps_before(cell, step)
            if any(_is_free(s, everything) for s in step.slots):
                sources = (identifier(cell.name, name) for name in previous)
                yield from (_edge(s, node, style="invis", weight=3) for s in sources)
            if node in self.reached:
                yield from _into_step(cell, step, everything)
            previous = (step.name,)
        if WALL and (WALL == 2 or any(_is_free(s, _steps_before(cell, step)) for step in cell.steps for s in step.slots)):
            wall = merge + "%wall"
            yield f"{_quoted(_node(wall))} {_attributes(shape='point', style='invis', width=0.01)};"
            yield f'{{ rank="same"; {_quoted(_node(merge))}; {_quoted(_node(wall))}; }}'
            yield _edge(identifier(cell.name, cell.inputs[-1]), wall, style="invis", weight=4)
        if merge in self.reached:
            yield from (_edge(identifier(cell.name, name), merge) for name in cell.returned)
            if _reads_first(cell.merge):
                yield _edge(identifier(cell.name, cell.inputs[0]), merge, weight=4)

    # The upper level

    def _upper_level(self) -> Iterator[str]:
        free: list[NetworkCell] = []
        for cell in self.network.cells:
            if identifier(cell.name) not in self.reached:
                continue
            before = self._before(cell)
            for name, slot in zip(cell.inputs, cell.slots, strict=True):
                if _is_free(slot, before):
                    free += [] if cell in free[-1:] else [cell]
                elif not slot.open or len(slot.candidates) <= MOST_EDGES:
                    look = UPPER_CANDIDATE if slot.open else UPPER_EDGE
                    node = identifier(cell.name, name)
                    yield from (self._from(c, node, **look) for c in slot.candidates)
        yield from self._free(free)

    def _from(self, source: str, node: str, **look: object) -> str:
        """An edge from a feature, or from the frame of a Cell."""
        if source in self.network.cell_by_name:
            look = {**look, "ltail": _cluster(source)}
        return _edge(identifier(source), node, **look)

    def _free(self, free: Sequence[NetworkCell]) -> Iterator[str]:
        """The edges into Cells with holes over all predecessors, which stand in rows, in order."""
        rows = [free[i : i + CELLS_IN_A_ROW] for i in range(0, len(free), CELLS_IN_A_ROW)]
        lanes = [(identifier(lane[-1].name), _lane(n)) for n, lane in enumerate(self._lanes)]
        few = len(rows) == 1 and len(lanes) * len(free) <= MOST_EDGES
        below = [f"%lane_{number}" for number in range(len(lanes))]
        sources = lanes
        for number, row in enumerate(rows):
            inputs = [identifier(c.name, name) for c in row for name in c.inputs]
            points = [f"%input_{number}_{k}" for k in range(len(inputs))]
            yield from _in_order(points, inputs)
            yield from (_edge(node, points[len(points) // 2], **GUIDE) for node in below)
            below = [identifier(c.name) for c in row]
            if few:
                yield from self._direct(lanes, row)
                continue
            box = f"%predecessors_{number}"
            label = _small("any feature or earlier Cell")
            if number: sources = sources[:1]
            yield _box(box, label, "predecessors", **{**OPEN, "color": UPPER, "height": 0.2})
            yield from (_edge(tail, box, ltail=frame, **UPPER_CANDIDATE) for tail, frame in sources)
            yield from (_edge(box, c, lhead=f, **UPPER_CANDIDATE) for c, f in _entries(row))
            sources = [(box, ""), *((identifier(c.name), _cluster(c.name)) for c in row)]

    def _direct(self, lanes, row) -> Iterator[str]:
        for k, (tail, frame) in enumerate(lanes):
            for cell in row:
                end = identifier(cell.name, cell.inputs[-1 if k else 0])
                yield _edge(tail, end, ltail=frame, lhead=_cluster(cell.name), **UPPER_CANDIDATE)
        for a, b in zip(row, row[1:]):
            ends = {"ltail": _cluster(a.name), "lhead": _cluster(b.name)}
            tail, head = identifier(a.name), identifier(b.name, b.inputs[-1])
            yield _edge(tail, head, constraint="false", **ends, **UPPER_CANDIDATE)

    def _top(self) -> Iterator[str]:
        head = self.network.head
        label = f"{head.count} {head.kind}"
        tip = ", ".join(head.names or (label,))
        yield _box(OUTPUT, "combine", "the outputs combined", **{"class": "output"})
        yield _box(HEAD, _bold(label), tip, **{"class": "head"})
        yield from (self._from(name, OUTPUT, **UPPER_EDGE) for name in self.network.outputs)
        yield _edge(OUTPUT, HEAD)


def _entries(row):
    return [(identifier(c.name, c.inputs[(len(c.inputs)-1) // 2]), _cluster(c.name)) for c in row]


# What is in a Cell


def _is_free(slot: Slot, everything: Sequence[str]) -> bool:
    """Whether a slot is a hole over all that comes before it."""
    return slot.open and len(slot.candidates) == len(everything)


def _steps_before(cell: NetworkCell, step: NetworkStep) -> tuple[str, ...]:
    names = [s.name for s in cell.steps]
    return (*cell.inputs, *names[: names.index(step.name)])


def _reads_first(merge: Application) -> bool:
    """Whether a merge reads the Cell's first input: a skip connection."""
    first = merge.definition.inputs[0]
    return any(isinstance(e, Name) and e.name == first for e in walk(merge.definition.body))


def _into_step(cell: NetworkCell, step: NetworkStep, everything: Sequence[str]) -> Iterator[str]:
    has_slots = any(s.open for s in step.slots)
    for number, slot in enumerate(step.slots):
        if _is_free(slot, everything) or len(slot.candidates) > MOST_EDGES:
            continue
        node, port = identifier(cell.name, step.name), f":s{number}:s" if has_slots else ""
        look = CANDIDATE if slot.open else {}
        for candidate in slot.candidates:
            yield _edge(identifier(cell.name, candidate), node, port, **look)


def _call(step: NetworkStep) -> str:
    """`MHA(x, y, heads = 4)`."""
    (operation,) = step.operations
    written = operation.written
    name = written.name if written else operation.definition.name
    arguments = ["?" if s.open else _name(s.candidates[0]) for s in step.slots]
    arguments += [_text(f"{k} = {v}") for k, v in (written.parameters if written else ())]
    return f"{_name(name)}({', '.join(arguments)})"


def _hole(slot: Slot, everything: Sequence[str]) -> str:
    """`?` with the number of candidates, or the names of those that a hole is restricted to."""
    listed = "" if _is_free(slot, everything) else _alternatives(slot.candidates)
    return listed or f"?{_small(f' of {len(slot.candidates)}')}"


def _with_slots(label: str, slots: Sequence[Slot], everything: Sequence[str]) -> str:
    """A Step's label over a row of its slots, which edges find as the ports `s0`, `s1`, …"""
    cells = ""
    for number, slot in enumerate(slots):
        style, color = ("dashed", HOLE) if slot.open else ("solid", INK)
        content = _hole(slot, everything) if slot.open else _name(slot.candidates[0])
        look = f'PORT="s{number}" BORDER="1" STYLE="rounded,{style}" COLOR="{color}"'
        cells += f"<TD {look}>{content}</TD>"
    look = 'BORDER="0" CELLBORDER="0" CELLSPACING="3" CELLPADDING="1"'
    first = f'<TR><TD COLSPAN="{len(slots)}">{label}</TD></TR>'
    return f"<TABLE {look}>{first}<TR>{cells}</TR></TABLE>"


def _alternatives(names: Sequence[str]) -> str:
    """`A | B | C` on a few lines; nothing where it would take more."""
    lines: list[list[str]] = [[]]
    for name in names:
        if lines[-1] and len(" | ".join([*lines[-1], _shortened(name)])) > LONGEST_LINE:
            lines.append([])
        lines[-1].append(_shortened(name))
    shown = (" | ".join(map(_text, line)) for line in lines)
    return " |<BR/>".join(shown) if len(lines) <= MOST_LINES else ""


# Text


def _shortened(name: str) -> str:
    """A name with its middle left out where it is long; the tooltip has all of it."""
    half = LONGEST_NAME // 2
    return name if len(name) <= LONGEST_NAME else f"{name[:half]}…{name[1 - half :]}"


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _text(text: str) -> str:
    """Text inside an HTML-like label, where a backslash still begins an escape."""
    return html.escape(_printable(text)).replace("\\", "\\\\")


def _name(name: str) -> str:
    return _text(_shortened(name))


def _bold(name: str) -> str:
    return f"<B>{_name(name)}</B>"


def _small(markup: str) -> str:
    return f'<FONT POINT-SIZE="{SMALL}" COLOR="{GREY}">{markup}</FONT>'


def _tooltip(text: str) -> str:
    """Text of a tooltip, from which Graphviz takes escapes twice."""
    return html.escape(_printable(text)).replace("\\", "\\\\\\\\")


def _node(node: str) -> str:
    """A node of the Graph as a node of the picture: what has a meaning in DOT or XML as %XX.

    In a node of the Graph, a % already stands before two hexadecimal digits.
    """
    return "".join(c if c.isprintable() and c not in '<>&"\\' else f"%{ord(c):02X}" for c in node)


# Statements


def _quoted(text: object) -> str:
    escaped = str(text).replace('"', '\\"')
    return f'"{escaped}"'


def _attributes(**values: object) -> str:
    return f"[{', '.join(f'{key}={_quoted(value)}' for key, value in values.items())}]"


def _box(node: str, label: str, tip: str, **look: object) -> str:
    attributes = _attributes(**look, tooltip=_tooltip(tip))
    return f"{_quoted(_node(node))} [label=<{label}>, {attributes[1:]};"


def _edge(tail: str, head: str, port: str = "", **look: object) -> str:
    return f"{_quoted(_node(tail))} -> {_quoted(_node(head))}{port} {_attributes(**look)};"


def _cluster(cell: str) -> str:
    return f"cluster_{_node(identifier(cell))}"


def _lane(number: int) -> str:
    return f"cluster%lane_{number}"


def _frame(label: str, tip: str, place: str = "t", **look: object) -> Iterator[str]:
    """Attributes of a cluster; where a picture flows upwards, `t` is the bottom."""
    shared = {"style": "rounded,filled", "penwidth": 0.8, "labeljust": "l", "labelloc": place}
    attributes = _attributes(**shared, **look, margin=6, tooltip=_tooltip(tip))
    yield f"graph [label=<{label}>, {attributes[1:]};"


def _in_order(points: Sequence[str], nodes: Sequence[str], above: bool = False) -> Iterator[str]:
    """Keeps nodes in order by invisible points below or above them.

    Graphviz keeps what stands in one rank in the order of edges inside it, but not across clusters.
    """
    for point in points:
        yield f"{_quoted(point)} {_attributes(shape='point', style='invis', width=0.01)};"
    chain = " -> ".join(map(_quoted, points))
    yield f'{{ rank="same"; {chain} {_attributes(style="invis")}; }}'
    for point, node in zip(points, nodes, strict=True):
        ends = (node, point) if above else (point, node)
        yield from [_edge(*ends, style="invis", weight=4)] * 16


def _defaults() -> Iterator[str]:
    font: dict[str, Any] = {"fontname": FONT, "fontsize": 10, "fontcolor": INK}
    page = {"rankdir": "BT", "compound": "true", "newrank": "true", "bgcolor": "white"}
    yield f"graph {_attributes(**font, **page, nodesep=0.16, ranksep=0.22, pad=0.1)};"
    box = {"shape": "box", "style": "rounded,filled", "fillcolor": "white", "color": INK}
    size = {"margin": "0.08,0.04", "height": 0.25, "width": 0.3, "penwidth": 0.8}
    yield f"node {_attributes(**font, **box, **size)};"
    yield f"edge {_attributes(color=INK, arrowsize=0.5, penwidth=0.8)};"
