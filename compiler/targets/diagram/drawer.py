"""Cells in a picture: a frame with the inputs, the Steps and the merge, and the edges inside it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import ClassVar

from ...language.expression import Name, walk
from ...network.names import OUTPUT, identifier
from ...network.network import (
    Application,
    Architecture,
    NetworkCell,
    NetworkHead,
    NetworkStep,
    Slot,
)
from ..latex import definition_latex
from .labels import MOST_BARS, Labels
from .overlay import Overlay
from .statements import Look, attributes, box, edge, node, quoted, same_rank, tooltip, unread
from .styles import Change, Style

HIDDEN: Look = {"style": "invis"}
POINT: Look = {"shape": "point", "style": "invis", "width": 0.01}
MOST_EDGES = 6
"""Candidates of a restricted hole that are drawn as edges; more are counted."""


@dataclass(frozen=True)
class Drawer(ABC):
    """Statements about a network.

    `used` are the nodes whose values the head depends on; `free` are the nodes and slots that are
    holes over everything that comes before them.
    """

    network: Architecture
    used: Collection[str]
    free: Collection[tuple[str, int]]
    overlay: Overlay
    style: Style

    gaps: ClassVar[Look] = {"nodesep": 0.16, "ranksep": 0.22}
    """Inches between neighbours in a rank, and between ranks."""
    framed: ClassVar[bool] = True
    """Whether Cells that are read have a frame."""

    @abstractmethod
    def lines(self) -> Iterator[str]:
        """The statements between the defaults and the end."""

    @cached_property
    def labels(self) -> Labels:
        return Labels(self.style)

    def look(self, name: str, kind: str, open: bool = False) -> Look:
        """The frame of a node, and its class."""
        used, change = name in self.used, self.overlay.changed.get(name)
        weighed = name in self.overlay.operations or (name, 0) in self.overlay.weights
        states = [kind, *(["hole"] if open else []), *([] if used else ["unused"])]
        states += [change] if change else []
        return {
            "class": " ".join(states),
            **self.style.of_box(used, open and not weighed, change),
        }

    # A Cell

    def title(self, part: NetworkCell | NetworkHead) -> str:
        """What a reader calls a Cell or a head."""
        return part.name

    def cell(self, cell: NetworkCell) -> Iterator[str]:
        """A Cell with the edges inside it."""
        merge = identifier(cell.name)
        yield f"subgraph {quoted(cluster(cell.name))} {{"
        yield self._frame(cell)
        inputs = [identifier(cell.name, name) for name in cell.inputs]
        for name, input, slot in zip(cell.inputs, inputs, cell.slots, strict=True):
            label = self.labels.input(name, input, slot, (input, 0) in self.free, self.overlay)
            look = {**self.look(input, "input", slot.open), "group": node(input)}
            hidden = self.hidden(input, {0: slot}, "")
            yield box(input, label, f"{name} of {self.title(cell)}", {**look, **hidden})
        yield same_rank(inputs)
        yield self._merge(cell, merge, inputs)
        yield from self._steps(cell)
        yield "}"

    def _frame(self, cell: NetworkCell) -> str:
        merge = identifier(cell.name)
        change = self.overlay.changed.get(merge)
        look: dict[str, object] = {"color": self.style.upper, "fillcolor": self.style.cell}
        if merge not in self.used:
            look = dict(self.style.of_box(False, False, None))
        if change is not None:
            look |= {**self.style.of_box(True, False, change), "fillcolor": self.style.cell}
        label = self.labels.signed(self.labels.bold(self.title(cell)), change)
        return frame(label, self.title(cell), {**look, "labelloc": self.style.top})

    def _merge(self, cell: NetworkCell, merge: str, inputs: Sequence[str]) -> str:
        look = {
            **self.look(merge, "merge"),
            "fontsize": self.style.size - 1,
            "group": node(inputs[0]),
        }
        skipped = {} if reads_first(cell.merge) else {0: dict(enumerate(self._skipped(cell)))}
        tip, equation = f"merge of {self.title(cell)}", definition_latex(cell.merge.definition)
        return box(merge, "merge", tip, {**look, **unread(skipped)}, equation)

    def _skipped(self, cell: NetworkCell) -> Sequence[str]:
        """What a merge takes beside the Steps: the first input, of a difference that of both."""
        first = identifier(cell.name, cell.inputs[0])
        return self.overlay.skipped.get(identifier(cell.name), (first,))

    def _steps(self, cell: NetworkCell) -> Iterator[str]:
        merge = identifier(cell.name)
        is_open = False
        for position, step in enumerate(cell.steps):
            yield self._step(cell, step)
            yield from self._into_step(cell, step)
            name = identifier(cell.name, step.name)
            edges = [(self.drawn(name, n, s), s) for n, s in enumerate(step.slots)]
            if any(len(drawn) < len(slot.candidates) for drawn, slot in edges):
                is_open = True
                above = [cell.steps[position - 1].name] if position else cell.inputs
                for tail in above:
                    guide: Look = {**HIDDEN, "weight": 3 if position else 0}
                    yield edge(identifier(cell.name, tail), name, guide)
        yield from self._in_order(cell)
        for slot, name in enumerate(cell.returned, 1):
            yield self.edge(identifier(cell.name, name), merge, slot, cell=True)
        if reads_first(cell.merge):
            more: Look = {"weight": 4}
            for place, tail in enumerate(self._skipped(cell)):
                yield self.edge(tail, merge, 0, None, place, cell=True, more=more)
        if is_open:
            yield from _walls(merge, [identifier(cell.name, name) for name in cell.inputs])

    def _in_order(self, cell: NetworkCell) -> Iterator[str]:
        """Steps that take none of each other, beside each other; others, each above the last."""
        height: dict[str, int] = {}
        for step in cell.steps:
            below = [height.get(name, 0) for slot in step.slots for name in slot.candidates]
            height[step.name] = 1 + max(below)
        for level in sorted(set(height.values())):
            row = [identifier(cell.name, s.name) for s in cell.steps if height[s.name] == level]
            if len(row) > 1:
                yield same_rank(row)
                yield from (edge(a, b, {**HIDDEN, "weight": 9}) for a, b in pairwise(row))

    def _step(self, cell: NetworkCell, step: NetworkStep) -> str:
        name = identifier(cell.name, step.name)
        free = [(name, number) in self.free for number in range(len(step.slots))]
        label = self.labels.step(name, step, free, self.overlay)
        hidden = self.hidden(name, dict(enumerate(step.slots)), cell.name)
        look = {**self.look(name, "step", step.open), "margin": "0.05,0.05", **hidden}
        equations = [definition_latex(o.definition) for o in step.operations[:MOST_BARS]]
        return box(name, label, f"{step.name} of {self.title(cell)}", look, *equations)

    def _into_step(self, cell: NetworkCell, step: NetworkStep) -> Iterator[str]:
        has_ports = any(s.open for s in step.slots)
        head = identifier(cell.name, step.name)
        for number, slot in enumerate(step.slots):
            port = f":s{number}:{self.style.entry}" if has_ports else ""
            for place in self.drawn(head, number, slot):
                tail = identifier(cell.name, slot.candidates[place])
                yield self.edge(tail, head, number, slot, place, port=port)

    # Edges

    def anything(self, name: str, said: str) -> str:
        """A box that stands for all predecessors of something."""
        look: Look = {**self.style.of_box(True, True, None), "color": self.style.upper}
        label = self.labels.small(said)
        return box(name, label, "predecessors", {**look, "height": 0.2, "class": "predecessors"})

    def bundle(self, **more: object) -> Look:
        """An edge that stands for many candidates."""
        upper = self.style.of_edge(True, True, True, None, None)
        return {**upper, "class": "upper bundle", **more}

    def drawn(self, head: str, number: int, slot: Slot) -> list[int]:
        """The candidates of a slot that have an edge; the others are counted.

        Of a mixture these are the candidates whose weight is no less than the average, and the
        heaviest in any case, unless none is to be drawn.
        """
        every = range(len(slot.candidates))
        shares = self.overlay.weights.get((head, number))
        if shares is not None:
            least = min(self.overlay.least / len(every), self.overlay.heaviest(shares))
            return [place for place in every if shares[place] >= least]
        counted = (head, number) in self.free or (slot.open and len(every) > MOST_EDGES)
        return [] if counted else list(every)

    def hidden(self, head: str, slots: Mapping[int, Slot], cell: str) -> Look:
        """What a node reads without an edge."""
        sources: dict[int, Mapping[int, str] | str] = {}
        for number, slot in slots.items():
            edges = self.drawn(head, number, slot)
            if (head, number) in self.free and not edges:
                sources[number] = "*"
            elif len(edges) < len(slot.candidates):
                within = [cell] if cell else []
                names = [identifier(*within, name) for name in slot.candidates]
                sources[number] = {i: n for i, n in enumerate(names) if i not in set(edges)}
        return unread(sources)

    def into_input(self, cell: NetworkCell) -> Iterator[str]:
        """The edges into the inputs of a Cell, as far as they are drawn one by one."""
        for name, slot in zip(cell.inputs, cell.slots, strict=True):
            head = identifier(cell.name, name)
            for place in self.drawn(head, 0, slot):
                yield self.from_source(slot.candidates[place], head, 0, slot, place)

    def from_source(
        self,
        source: str,
        head: str,
        number: int,
        slot: Slot | None = None,
        place: int = 0,
    ) -> str:
        """An edge of the upper level, from a feature or from the frame of a Cell."""
        has_frame = source in self.network.cell_by_name and self.framed
        tail: Look = {"ltail": cluster(source)} if has_frame else {}
        return self.edge(identifier(source), head, number, slot, place, upper=True, more=tail)

    def edge(
        self,
        tail: str,
        head: str,
        number: int,
        slot: Slot | None = None,
        place: int = 0,
        *,
        upper: bool = False,
        cell: bool = False,
        port: str = "",
        more: Look | None = None,
    ) -> str:
        """An edge into a slot of a node; `place` is that of the candidate."""
        open = slot is not None and slot.open
        weight = self.overlay.weight(head, number, place)
        change: Change | None = self.overlay.changed_edges.get((head, number, place))
        states = ["upper" if upper else "merged" if cell else "lower"]
        states += ["candidate"] if open else []
        states += [change] if change else []
        look: dict[str, object] = {"class": " ".join(states), "slot": number}
        if open:
            look["candidate"] = place
        look |= self.style.of_edge(upper, head in self.used, open, change, weight)
        if change is None and self.overlay.has_changes:
            look |= self.style.unchanged
        return edge(tail, head, {**look, **(more or {})}, port)


def free_slots(network: Architecture) -> Iterator[tuple[str, int]]:
    """The nodes and slots that are holes over everything that comes before them."""
    before = len(network.features)
    for cell in network.cells:
        for name, slot in zip(cell.inputs, cell.slots, strict=True):
            if slot.open and len(slot.candidates) == before:
                yield identifier(cell.name, name), 0
        for inside, step in enumerate(cell.steps, len(cell.inputs)):
            for number, slot in enumerate(step.slots):
                if slot.open and len(slot.candidates) == inside:
                    yield identifier(cell.name, step.name), number
        before += 1
    for number, slot in enumerate(network.outputs):
        if slot.open and len(slot.candidates) == before:
            yield OUTPUT, number


def reads_first(merge: Application) -> bool:
    """Whether a merge reads the Cell's first input: a skip connection."""
    first = merge.definition.inputs[0]
    return any(isinstance(e, Name) and e.name == first for e in walk(merge.definition.body))


def cluster(cell: str) -> str:
    """The frame of a Cell."""
    return f"cluster_{node(identifier(cell))}"


def frame(label: str, tip: str, look: Look) -> str:
    """Attributes of a cluster; as the picture flows upwards, `t` is its bottom."""
    shared: Look = {"style": "rounded,filled", "penwidth": 0.8, "margin": 6, "labeljust": "l"}
    place: Look = {"labelloc": "t", "tooltip": tooltip(tip)}
    return f"graph {attributes({**shared, **place, **look}, label)};"


def _walls(merge: str, inputs: Sequence[str]) -> Iterator[str]:
    """Invisible lines on both sides of a Cell, past which Graphviz lets no edge swing."""
    walls = [f"{merge}%wall_{side}" for side in range(2)]
    ends = inputs[0], inputs[-1]
    for wall, input in zip(walls, ends, strict=True):
        yield f"{quoted(node(wall))} {attributes(POINT)};"
        yield edge(input, wall, {**HIDDEN, "weight": 4})
    row = [walls[0], merge, walls[1]]
    yield same_rank(row)
    yield from (edge(a, b, HIDDEN) for a, b in pairwise(row))
    yield from (edge(a, b, HIDDEN) for a, b in pairwise(inputs))
