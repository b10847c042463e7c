"""What changed between two networks, as one network with what was added, removed and changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import TypeVar

from ...graph import HEAD, OUTPUT
from ...network import Application, Network, NetworkCell, NetworkStep, Slot
from ...program import identifier
from .labels import call
from .overlay import Overlay
from .styles import SIGNS, Change

T = TypeVar("T")


def of_changes(old: Network, new: Network) -> tuple[Network, Overlay]:
    """Both networks in one, and what is in one of them alone.

    Features, Cells, inputs and Steps are the same where they have the same names. The network is to
    be drawn, not to be run: a Step may have two operations in it, and an input two sources.
    """
    found = _Union(old, new)
    return found.network(), found.overlay()


@dataclass
class _Union:
    old: Network
    new: Network
    changed: dict[str, Change] = field(default_factory=dict[str, Change])
    edges: dict[tuple[str, int, int], Change] = field(
        default_factory=dict[tuple[str, int, int], Change]
    )
    lines: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    def overlay(self) -> Overlay:
        return Overlay(changed=self.changed, changed_edges=self.edges, lines=self.lines)

    def network(self) -> Network:
        old, new = self.old, self.new
        features = [
            self._only(identifier(name), old.feature_by_name, new.feature_by_name, name)
            for name in _merged([f.name for f in old.features], [f.name for f in new.features])
        ]
        for feature in features:
            before = old.feature_by_name.get(feature.name)
            if before is not None and feature.name in new.feature_by_name and before != feature:
                self.changed[identifier(feature.name)] = "changed"
        names = _merged([c.name for c in old.cells], [c.name for c in new.cells])
        cells = [self._cell(old.cell_by_name.get(n), new.cell_by_name.get(n)) for n in names]
        outputs = _merged(old.outputs, new.outputs)
        self._mark(OUTPUT, outputs, old.outputs, new.outputs)
        if old.combine != new.combine:
            self.changed[OUTPUT] = "changed"
        if (old.head, old.head_role) != (new.head, new.head_role):
            self.changed[HEAD] = "changed"
        lanes = {m.name: m for m in (*old.spec.modalities, *new.spec.modalities)}
        order = _merged(
            [m.name for m in old.spec.modalities], [m.name for m in new.spec.modalities]
        )
        spec = replace(new.spec, modalities=tuple(lanes[name] for name in order))
        return replace(
            new, spec=spec, features=tuple(features), cells=tuple(cells), outputs=tuple(outputs)
        )

    def _only(self, node: str, old: Mapping[str, T], new: Mapping[str, T], name: str) -> T:
        """The new one, or what was removed; marked where it is in one of the two alone."""
        if name not in old:
            self.changed[node] = "added"
        if name not in new:
            self.changed[node] = "removed"
            return old[name]
        return new[name]

    def _mark(
        self, head: str, both: Sequence[str], old: Sequence[str], new: Sequence[str], first: int = 0
    ) -> None:
        """Marks the edges into a node whose slots are its sources, counted from `first`."""
        for slot, name in enumerate(both, first):
            if name not in old:
                self.edges[head, slot, 0] = "added"
            elif name not in new:
                self.edges[head, slot, 0] = "removed"

    # Cells

    def _cell(self, old: NetworkCell | None, new: NetworkCell | None) -> NetworkCell:
        either = new or old
        assert either is not None
        merge = identifier(either.name)
        if old is None or new is None:
            self._whole(either, "added" if old is None else "removed")
            return either
        inputs = _merged(old.inputs, new.inputs)
        slots = [self._input(name, old, new) for name in inputs]
        before, after = ({s.name: s for s in c.steps} for c in (old, new))
        steps = [
            self._step(either.name, before.get(name), after.get(name))
            for name in _merged(list(before), list(after))
        ]
        returned = _merged(old.returned, new.returned)
        self._mark(merge, returned, old.returned, new.returned, first=1)
        if old.merge.home != new.merge.home:  # its definition depends on how many Steps there are
            self.changed[merge] = "changed"
        return replace(
            new,
            inputs=tuple(inputs),
            slots=tuple(slots),
            steps=tuple(steps),
            returned=tuple(returned),
        )

    def _whole(self, cell: NetworkCell, change: Change) -> None:
        """Marks everything of a Cell."""
        self.changed[identifier(cell.name)] = change
        for number in range(len(cell.returned) + 1):
            self.edges[identifier(cell.name), number, 0] = change
        for name, slot in zip(cell.inputs, cell.slots, strict=True):
            node = identifier(cell.name, name)
            self.changed[node] = change
            self._slot(node, 0, slot, change)
        for step in cell.steps:
            self._whole_step(cell.name, step, change)

    def _whole_step(self, cell: str, step: NetworkStep, change: Change) -> None:
        node = identifier(cell, step.name)
        self.changed[node] = change
        for number, slot in enumerate(step.slots):
            self._slot(node, number, slot, change)

    def _slot(self, node: str, number: int, slot: Slot, change: Change) -> None:
        for place in range(len(slot.candidates)):
            self.edges[node, number, place] = change

    def _input(self, name: str, old: NetworkCell, new: NetworkCell) -> Slot:
        node = identifier(new.name, name)
        before, after = (
            dict(zip(cell.inputs, cell.slots, strict=True)).get(name) for cell in (old, new)
        )
        if before is None or after is None:
            self.changed[node] = "added" if before is None else "removed"
        return self._both(node, 0, before, after)

    def _both(self, node: str, number: int, old: Slot | None, new: Slot | None) -> Slot:
        """Both sources of a slot, with their edges marked; the new one where it is a hole."""
        either = new or old
        assert either is not None
        if old is None or new is None:
            self._slot(node, number, either, "added" if old is None else "removed")
            return either
        if old.open or new.open:
            if old != new:
                self.changed.setdefault(node, "changed")
            return new
        if old == new:
            return new
        self.edges[node, number, 0], self.edges[node, number, 1] = "removed", "added"
        return replace(new, candidates=(old.candidates[0], new.candidates[0]))

    def _step(self, cell: str, old: NetworkStep | None, new: NetworkStep | None) -> NetworkStep:
        either = new or old
        assert either is not None
        if old is None or new is None:
            self._whole_step(cell, either, "added" if old is None else "removed")
            return either
        node = identifier(cell, either.name)
        if old == new:
            return new
        self.changed[node] = "changed"
        if not any(s.open for s in (*old.slots, *new.slots)):
            self.lines[node] = (
                f"{SIGNS['removed']} {_said(old)}",
                f"{SIGNS['added']} {_said(new)}",
            )
        slots = [
            self._both(node, number, before, after)
            for number, (before, after) in enumerate(zip_longest(old.slots, new.slots))
        ]
        return replace(new, slots=tuple(slots))


def _said(step: NetworkStep) -> str:
    operations: Sequence[Application] = step.operations
    return f"? of {len(operations)}" if step.open else call(operations[0], step.slots)


def _merged(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """The new names in their order, each removed one behind what it stood behind."""
    found = list(new)
    last = -1
    for name in old:
        if name in new:
            last = found.index(name)
        else:
            last += 1
            found.insert(last, name)
    return found
