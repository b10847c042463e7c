"""One Cell alone, over what it takes and below what takes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from ...diagnostics import did_you_mean, fail, one_of
from ...network import Network, NetworkCell
from ...program import identifier
from .cells import HIDDEN, Drawer, cluster, is_free
from .statements import Look, box, edge, text

MOST_READERS = 3


@dataclass(frozen=True)
class Single(Drawer):
    """The statements of a picture of one Cell."""

    name: str = ""
    framed: ClassVar[bool] = False

    def lines(self) -> Iterator[str]:
        cell = self._found()
        before = len(self.network.features) + self.network.cells.index(cell)
        yield from self.cell(cell, before)
        inputs = [identifier(cell.name, name) for name in cell.inputs]
        yield from (edge(left, right, HIDDEN) for left, right in pairwise(inputs))
        sources: dict[str, None] = {}
        anything = False
        for name, slot in zip(cell.inputs, cell.slots, strict=True):
            places = self.drawn(identifier(cell.name, name), 0, slot, before)
            sources |= dict.fromkeys(slot.candidates[place] for place in places)
            anything |= not places and is_free(slot, before)
        for source in sources:
            is_cell = source in self.network.cell_by_name
            look: Look = {"fillcolor": self.style.cell if is_cell else self.style.lane}
            kind = "cell" if is_cell else "feature"
            yield box(identifier(source), text(source), source, {**look, "class": kind})
        yield from self.into_input(cell, before)
        if anything:
            yield from self._anything(cell, before)
        yield from self._above(cell)

    def _found(self) -> NetworkCell:
        cells = self.network.cell_by_name
        if self.name not in cells:
            remedy = did_you_mean(self.name, cells) or (
                f"Cells are {one_of(list(cells))}" if cells else "the network has none"
            )
            raise fail("E506", f"there is no Cell `{self.name}`", help=remedy)
        return cells[self.name]

    def _anything(self, cell: NetworkCell, before: int) -> Iterator[str]:
        name = "%predecessors"
        look: Look = {**self.style.of_box(True, True, None), "color": self.style.upper}
        count = f"any of {before} features and Cells"
        yield box(name, self.labels.small(count), "predecessors", {**look, "class": "predecessors"})
        bundle = {**self.style.of_edge(True, True, True, None, None), "class": "upper bundle"}
        for input, slot in zip(cell.inputs, cell.slots, strict=True):
            if is_free(slot, before):
                yield edge(name, identifier(cell.name, input), bundle)

    def _above(self, cell: NetworkCell) -> Iterator[str]:
        """Who takes what the Cell gives."""
        readers = readers_of(self.network, cell.name)
        if not readers:
            return
        shown = ", ".join(text(r) for r in readers[:MOST_READERS])
        shown += ", …" if len(readers) > MOST_READERS else ""
        look: Look = {"shape": "plaintext", "style": "", "class": "readers"}
        yield box("%readers", self.labels.small(f"to {shown}"), ", ".join(readers), look)
        upper = self.style.of_edge(True, True, False, None, None)
        tail: Look = {"ltail": cluster(cell.name), "class": "upper"}
        yield edge(identifier(cell.name), "%readers", {**upper, **tail})


def readers_of(network: Network, name: str) -> list[str]:
    """The Cells that take a feature or Cell for certain, and the output, by their names."""
    found = [
        cell.name
        for cell in network.cells
        if any(not s.open and s.candidates[0] == name for s in cell.slots)
    ]
    return [*found, *(["combine"] if name in network.outputs else [])]
