"""A large network at a glance: modalities as one box each, Cells that follow each other folded.

Cells are folded where their Steps have the same operations; an edge says how many inputs it stands
for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import groupby
from typing import ClassVar

from ...network.names import OUTPUT, identifier
from ...network.network import NetworkCell, Slot
from .labels import GAP
from .statements import Look, box, edge, shortened, text
from .whole import LONGEST_ROW, WholeDrawer

MOST_OPERATIONS = 3


class Compact(WholeDrawer):
    """The statements of a compact picture."""

    gaps: ClassVar[Look] = {"nodesep": 0.06, "ranksep": 0.3}

    def lines(self) -> Iterator[str]:
        yield from (self._modality(number) for number in range(len(self.lanes)))
        yield from map(self._fold, self._folds)
        yield from self._between()
        yield from self.head_boxes(self.network)
        tops = Counter((self._home(name), is_open) for name, is_open in self._tops)
        for (name, is_open), count in tops.items():
            yield self._counted(name, OUTPUT, count, is_open)
        yield from self.into_heads(self.network)

    def into_head(self, source: str, head: str, number: int) -> str:
        return self._counted(self._home(source), head, 1, False)

    # Boxes

    def _modality(self, number: int) -> str:
        modality, features = self.network.modalities[number], self.lanes[number]
        taken = [f.name for f in features if identifier(f.name) in self.used]
        count = f"{len(features)} feature{'s' if len(features) != 1 else ''}"
        count += f", {len(taken)} used" if len(taken) < len(features) else ""
        label = f"{self.labels.bold(modality.name)}<BR/>{self.labels.small(count)}"
        look: Look = {"fillcolor": self.style.lane, "class": "modality"}
        if not taken:
            look = {**look, **self.style.of_box(False, False, None)}
        return box(self._lane_box(number), label, ", ".join(f.name for f in features), look)

    @cached_property
    def _folds(self) -> list[list[NetworkCell]]:
        """Cells that follow each other and are made alike, together."""
        return [list(group) for _, group in groupby(self.network.cells, self._kind)]

    def _kind(self, cell: NetworkCell) -> tuple[object, ...]:
        steps = tuple((s.open, tuple(o.label for o in s.operations)) for s in cell.steps)
        return identifier(cell.name) in self.used, len(cell.inputs), steps

    def _fold(self, cells: Sequence[NetworkCell]) -> str:
        first, last = cells[0], cells[-1]
        name = identifier(first.name)
        label = self.labels.bold(first.name)
        if len(cells) > 1:
            label += (
                f"{GAP}…{GAP}{self.labels.bold(last.name)}{self.labels.beside(f'×{len(cells)}')}"
            )
        for step in first.steps[:MOST_OPERATIONS]:
            shown = f"? of {len(step.operations)}" if step.open else step.operations[0].label
            label += f"<BR/>{self.labels.small(text(shown))}"
        more = len(first.steps) - MOST_OPERATIONS
        label += f"<BR/>{self.labels.small(f'and {more} more Steps')}" if more > 0 else ""
        open = any(s.open for c in cells for s in c.slots) or any(s.open for s in first.steps)
        look = {"fillcolor": self.style.cell, "color": self.style.upper}
        own = self.look(name, "cell", open)
        tip = ", ".join(shortened(c.name) for c in cells[:8]) + (", …" if len(cells) > 8 else "")
        return box(name, label, tip, {**look, **own, **({"peripheries": 2} if cells[1:] else {})})

    # Edges

    @property
    def _takes_all(self) -> bool:
        """Whether the output takes all of many Cells."""
        every = tuple(Slot((c.name,), open=False) for c in self.network.cells)
        return self.network.outputs == every and len(self._folds) > LONGEST_ROW

    @property
    def _tops(self) -> Sequence[tuple[str, bool]]:
        """What has an edge to the output, and whether it only may be taken.

        All that it takes, or what no other Cell takes.
        """
        tops = [(name, slot.open) for slot in self.network.outputs for name in slot.candidates]
        if not self._takes_all:
            return tops
        read = {c for cell in self.network.cells for slot in cell.slots for c in slot.candidates}
        return [(name, is_open) for name, is_open in tops if name not in read]

    def combined(self) -> str:
        return f"combine all {len(self.network.cells)} Cells" if self._takes_all else "combine"

    @cached_property
    def _homes(self) -> dict[str, str]:
        """The box that a feature or Cell stands in."""
        boxes = {f.name: self._lane_box(n) for n, lane in enumerate(self.lanes) for f in lane}
        return boxes | {c.name: identifier(fold[0].name) for fold in self._folds for c in fold}

    def _home(self, name: str) -> str:
        return self._homes[name]

    def _between(self) -> Iterator[str]:
        """Edges between boxes; what may take anything has one from each modality and the last."""
        modalities = [self._lane_box(n) for n in range(len(self.lanes))]
        last: list[str] = []
        for fold in self._folds:
            name = identifier(fold[0].name)
            counts: Counter[tuple[str, bool]] = Counter()
            for cell in fold:
                for input, slot in zip(cell.inputs, cell.slots, strict=True):
                    if (identifier(cell.name, input), 0) in self.free:
                        counts.update((b, True) for b in (*modalities, *last))
                    else:
                        counts.update((self._home(c), slot.open) for c in slot.candidates)
            for (source, open), count in counts.items():
                if source != name or not open:
                    yield self._counted(source, name, count, open)
            last = [name]

    def _counted(self, tail: str, head: str, count: int, open: bool) -> str:
        look = {**self.style.of_edge(True, head in self.used, open, None, None), "class": "upper"}
        label = self.labels.small(f"×{count}") if count > 1 and not open else None
        return edge(tail, head, look, label=label)

    def _lane_box(self, number: int) -> str:
        return f"%modality_{number}"
