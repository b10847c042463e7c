"""One Cell alone, over what it takes and below what takes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from ...diagnostics.diagnostic import did_you_mean, fail, one_of
from ...network.names import OUTPUT, identifier
from ...network.network import NetworkCell
from .drawer import HIDDEN, Drawer, cluster
from .statements import Look, box, edge, text
from .styles import Change

MOST_READERS = 3


@dataclass(frozen=True)
class Single(Drawer):
    """The statements of a picture of one Cell."""

    name: str = ""
    framed: ClassVar[bool] = False

    def lines(self) -> Iterator[str]:
        cell = self._found()
        yield from self.cell(cell)
        inputs = [identifier(cell.name, name) for name in cell.inputs]
        yield from (edge(left, right, HIDDEN) for left, right in pairwise(inputs))
        sources: dict[str, None] = {}
        free: list[str] = []
        for input, slot in zip(inputs, cell.slots, strict=True):
            places = self.drawn(input, 0, slot)
            sources |= dict.fromkeys(slot.candidates[place] for place in places)
            free += [input] if (input, 0) in self.free and not places else []
        yield from map(self._source, sources)
        yield from self.into_input(cell)
        if free:
            before = len(self.network.features) + self.network.cells.index(cell)
            yield self.anything("%predecessors", f"any of {before} features and Cells")
            yield from (edge("%predecessors", input, self.bundle()) for input in free)
        yield from self._above(cell)

    def _source(self, name: str) -> str:
        """A feature or Cell that is taken."""
        node, is_cell = identifier(name), name in self.network.cell_by_name
        fill: Look = {"fillcolor": self.style.cell if is_cell else self.style.lane}
        label = self.labels.signed(text(name), self.overlay.changed.get(node))
        look = self.look(node, "cell" if is_cell else "feature")
        return box(node, label, name, {**fill, **look})

    def _found(self) -> NetworkCell:
        cells = self.network.cell_by_name
        if self.name not in cells:
            remedy = did_you_mean(self.name, cells) or (
                f"Cells are {one_of(list(cells))}" if cells else "the network has none"
            )
            raise fail("E506", f"there is no Cell `{self.name}`", help=remedy)
        return cells[self.name]

    def _above(self, cell: NetworkCell) -> Iterator[str]:
        """Who takes what the Cell gives."""
        readers = list(self._readers(cell.name))
        if not readers:
            return
        shown = ", ".join(self.labels.signed(text(r), c) for r, c in readers[:MOST_READERS])
        shown += ", …" if len(readers) > MOST_READERS else ""
        look: Look = {"shape": "plaintext", "style": "", "class": "readers"}
        tip = ", ".join(reader for reader, _ in readers)
        yield box("%readers", self.labels.small(f"to {shown}"), tip, look)
        upper = self.style.of_edge(True, True, False, None, None)
        tail: Look = {"ltail": cluster(cell.name), "class": "upper"}
        yield edge(identifier(cell.name), "%readers", {**upper, **tail})

    def _readers(self, name: str) -> Iterator[tuple[str, Change | None]]:
        """The Cells that take a Cell for certain, the output and heads, with what changed there."""
        changes = self.overlay.changed_edges
        for cell in self.network.cells:
            for input, slot in zip(cell.inputs, cell.slots, strict=True):
                if name in slot.candidates and not slot.open:
                    place = slot.candidates.index(name)
                    yield cell.name, changes.get((identifier(cell.name, input), 0, place))
        for number, slot in enumerate(self.network.outputs):
            if name in slot.candidates and not slot.open:
                place = slot.candidates.index(name)
                yield "combine", changes.get((OUTPUT, number, place))
        for head in self.network.heads:
            if name in head.reads:
                yield head.name, changes.get((identifier(head.name), head.reads.index(name), 0))
