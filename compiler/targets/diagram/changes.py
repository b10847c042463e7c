"""What changed between two networks, as one network with what was added, removed and changed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import zip_longest
from typing import TypeVar

from ...graph.build import HEAD
from ...network.names import OUTPUT, identifier
from ...network.network import (
    Architecture,
    NetworkCell,
    NetworkFeature,
    NetworkHead,
    NetworkStep,
    Slot,
)
from .drawer import free_slots
from .labels import call
from .overlay import Overlay
from .statements import text
from .styles import SIGNS, Change

T = TypeVar("T")


@dataclass(frozen=True)
class Union:
    """Two networks in one, to be drawn and not to be run: a Step may have two operations in it.

    `free` are the slots that are holes over everything where they stand.
    """

    network: Architecture
    free: Collection[tuple[str, int]]
    overlay: Overlay


def of_changes(old: Architecture, new: Architecture) -> Union:
    """Both networks in one, and what is in one of them alone.

    Features, Cells, inputs and Steps are the same where they have the same names.
    """
    return _Union(old, new).made()


@dataclass
class _Union:
    old: Architecture
    new: Architecture
    changed: dict[str, Change] = field(default_factory=dict[str, Change])
    edges: dict[tuple[str, int, int], Change] = field(
        default_factory=dict[tuple[str, int, int], Change]
    )
    lines: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    skipped: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    def made(self) -> Union:
        network = self._network()
        overlay = Overlay(
            changed=self.changed,
            changed_edges=self.edges,
            lines=self.lines,
            skipped=self.skipped,
            joined=self._joined(),
        )
        slots = set(_slots(self.new))
        free = {*self._free_new, *(key for key in self._free_old if key not in slots)}
        return Union(network, free, overlay)

    @cached_property
    def _free_old(self) -> Collection[tuple[str, int]]:
        return frozenset(free_slots(self.old))

    @cached_property
    def _free_new(self) -> Collection[tuple[str, int]]:
        return frozenset(free_slots(self.new))

    def _network(self) -> Architecture:
        old, new = self.old, self.new
        features = [
            self._only(identifier(name), old.feature_by_name, new.feature_by_name, name)
            for name in _merged([f.name for f in old.features], [f.name for f in new.features])
        ]
        for feature in features:
            before = old.feature_by_name.get(feature.name, feature)
            if _feature(before) != _feature(feature):
                self.changed[identifier(feature.name)] = "changed"
        names = _merged([c.name for c in old.cells], [c.name for c in new.cells])
        cells = [self._cell(old.cell_by_name.get(n), new.cell_by_name.get(n)) for n in names]
        if old.head != new.head:
            self.changed[HEAD] = "changed"
        olds, news = ({head.name: head for head in net.heads} for net in (old, new))
        heads = [self._head(olds, news, name) for name in _merged([*olds], [*news])]
        lanes = {m.name: m for m in (*old.modalities, *new.modalities)}
        order = _merged(*([m.name for m in net.modalities] for net in (old, new)))
        return replace(
            new,
            modalities=tuple(lanes[n] for n in order if n in {f.modality for f in features}),
            features=tuple(features),
            cells=tuple(cells),
            outputs=self._outputs(),
            heads=tuple(heads),
        )

    def _outputs(self) -> tuple[Slot, ...]:
        """The outputs of both; those of the new one where one has holes there."""
        old, new = self.old.outputs, self.new.outputs
        if any(slot.open for slot in (*old, *new)):
            if old != new:
                self.changed[OUTPUT] = "changed"
            return new
        before, after = self.old.output_candidates, self.new.output_candidates
        both = _merged(before, after)
        self._mark(OUTPUT, both, before, after)
        return tuple(Slot((name,), open=False) for name in both)

    def _head(
        self, old: Mapping[str, NetworkHead], new: Mapping[str, NetworkHead], name: str
    ) -> NetworkHead:
        """A head of both, which reads what it reads in either."""
        head, was = self._only(identifier(name), old, new, name), old.get(name)
        if was is not None and (was.head, was.reads) != (head.head, head.reads):
            self.changed.setdefault(identifier(name), "changed")
        before, after = (_read(heads.get(name)) for heads in (old, new))
        both = _merged(before, after)
        self._mark(identifier(name), both, before, after)
        return replace(head, reads=tuple(both))

    def _joined(self) -> Sequence[str]:
        """What leads into the prediction in either: heads with names, or the combination."""
        before, after = ([h.name for h in net.heads] or [OUTPUT] for net in (self.old, self.new))
        both = _merged(before, after)
        self._mark(HEAD, both, before, after)
        return both

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
        if old.inputs[0] != new.inputs[0]:
            self.skipped[merge] = tuple(identifier(c.name, c.inputs[0]) for c in (old, new))
            self.edges[merge, 0, 0], self.edges[merge, 0, 1] = "removed", "added"
        else:
            self.skipped[merge] = (identifier(new.name, new.inputs[0]),)
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
        elif (before.open or after.open) and not self._alike(node, 0, before, after):
            self.changed[node] = "changed"
            self.lines[node] = _from_to(_filled(before), _filled(after))
        return self._both(node, 0, before, after)

    def _alike(self, node: str, number: int, old: Slot, new: Slot) -> bool:
        """Whether a slot says the same: also a hole over everything, whatever that is."""
        both_free = (node, number) in self._free_old and (node, number) in self._free_new
        return both_free or old == new

    def _both(self, node: str, number: int, old: Slot | None, new: Slot | None) -> Slot:
        """Both sources of a slot, with their edges marked; the new one where it is a hole."""
        either = new or old
        assert either is not None
        if old is None or new is None:
            self._slot(node, number, either, "added" if old is None else "removed")
            return either
        if old.open or new.open or old == new:
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
        alike = len(old.slots) == len(new.slots) and all(
            self._alike(node, number, *both)
            for number, both in enumerate(zip(old.slots, new.slots, strict=True))
        )
        if alike and _operations(old) == _operations(new):
            return new
        self.changed[node] = "changed"
        self.lines[node] = _from_to(_said(old), _said(new))
        slots = [
            self._both(node, number, before, after)
            for number, (before, after) in enumerate(zip_longest(old.slots, new.slots))
        ]
        return replace(new, slots=tuple(slots))


def _slots(network: Architecture) -> Iterator[tuple[str, int]]:
    """The nodes and slots of inputs and Steps."""
    for cell in network.cells:
        yield from ((identifier(cell.name, name), 0) for name in cell.inputs)
        for step in cell.steps:
            name = identifier(cell.name, step.name)
            yield from ((name, number) for number in range(len(step.slots)))


def _feature(feature: NetworkFeature) -> object:
    """What a feature says, whatever else is defined beside its adapter."""
    adapt = feature.adapt
    return feature.axes, feature.modality, feature.optional, adapt.definition, adapt.parameters


def _read(head: NetworkHead | None) -> Sequence[str]:
    """What a head reads, the combination by its name; nothing where there is no head."""
    return (head.reads or (OUTPUT,)) if head else ()


def _operations(step: NetworkStep) -> object:
    return step.open, [(o.definition, o.parameters) for o in step.operations]


def _from_to(old: str, new: str) -> tuple[str, str]:
    return f"{SIGNS['removed']} {old}", f"{SIGNS['added']} {new}"


def _filled(slot: Slot) -> str:
    return f"? of {len(slot.candidates)}" if slot.open else text(slot.candidates[0])


def _said(step: NetworkStep) -> str:
    """What a Step computes, with `?` for its holes."""
    if not step.open:
        return call(step.operations[0], step.slots)
    inputs = ", ".join("?" if s.open else text(s.candidates[0]) for s in step.slots)
    return f"? of {len(step.operations)} ({inputs})"


def _merged(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """The new names in their order, each removed one behind what it stood behind."""
    names = list(new)
    last = -1
    for name in old:
        if name in new:
            last = names.index(name)
        else:
            last += 1
            names.insert(last, name)
    return names
