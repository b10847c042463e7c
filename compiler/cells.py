"""Cells and Steps of a Spec with their names bound and their holes' candidates listed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .diagnostics import Edit, Note, Report, did_you_mean, one_of
from .network import NetworkCell, NetworkStep, Slot
from .operations import OperationResolver
from .printer import slot as written
from .scope import Scope, Sizes, listed
from .source import Span
from .spec import Cell, Hole, Reference, Step
from .spec import Slot as SpecSlot

MOST_EDGES = 2_000_000
MOST_INPUTS = 64
_INPUT_NAMES = "xyz"


class CellResolver:
    """Resolves Cells in order; counts edges, so that no program grows beyond bounds."""

    def __init__(self, operations: OperationResolver, sizes: Sizes, report: Report) -> None:
        self.operations, self.sizes, self.report = operations, sizes, report
        self._edges = 0

    def family(self, cell: Cell, names: Sequence[str], sequence: Scope) -> Iterator[NetworkCell]:
        """The Cells that `cell` stands for; adds each to the sequence.

        After an error in one, the others of the family would only repeat it.
        """
        errors = len(self.report.errors)
        for name in names:
            resolved = self._cell(name, cell, sequence)
            if resolved is None or len(self.report.errors) > errors:
                break
            yield resolved
            sequence.add(name)
        for name in names:
            if name not in sequence:
                sequence.add(name)

    def _spend(self, edges: int, span: Span | None) -> bool:
        """Counts edges to come; False once the program is too large."""
        before, self._edges = self._edges, self._edges + edges
        if self._edges > MOST_EDGES >= before:
            message = f"the program has more than {MOST_EDGES:,} candidate edges"
            remedy = "use fewer Cells or Steps, or restrict the holes: `{A | B}`"
            self.report.add("E308", message, span, help=remedy)
        return self._edges <= MOST_EDGES

    def _cell(self, name: str, cell: Cell, sequence: Scope) -> NetworkCell | None:
        if not cell.inputs:
            message = f"the Cell `{cell.name}` takes no input"
            self.report.add("E301", message, cell.span, help="write `cell NAME(?, ?) { … }`")
            return None
        if not cell.steps:
            message = f"the Cell `{cell.name}` has no Step"
            self.report.add("E007", message, cell.span, help="write one: `Step = ?(x, y)`")
            return None
        slots = self._slots([i.slot for i in cell.inputs], sequence, name)
        inputs = [i.name or input_name(n) for n, i in enumerate(cell.inputs)]
        steps = self._steps(cell, inputs)
        if slots is None or steps is None:
            return None
        names = [s.name for s in steps]
        returned = names
        if cell.returned is not None:
            unknown = f"unknown Step `{{}}` of `{cell.name}`"
            returned = listed(cell.returned, names, unknown, self.report)
        merge = self.operations.role("merge", 1 + len(returned), None, cell.span)
        if merge is None:
            return None
        return NetworkCell(
            name, tuple(inputs), slots, tuple(steps), tuple(returned), merge, cell.span
        )

    def _steps(self, cell: Cell, inputs: Sequence[str]) -> list[NetworkStep] | None:
        places: dict[str, Span | None] = {}
        for name in inputs:
            if name in places:
                message = f"two inputs of `{cell.name}` are named `{name}`"
                self.report.add("E202", message, cell.span)
            places[name] = cell.span
        steps = [(step, name) for step in cell.steps for name in self.sizes.family(step)]
        if not self._spend(len(steps), cell.span):
            return None
        for step, name in steps:
            if name == "merge":
                message = "`merge` is the Cell's own name for what joins its Steps"
                self.report.add("E211", message, step.span, help="choose another name")
            if name in places:
                notes = [Note(f"`{name}` is first declared here", places[name])]
                message = f"`{name}` is declared twice"
                self.report.add("E202", message, step.span, help="rename one of them", notes=notes)
            places.setdefault(name, step.span)
        scope = Scope(inputs, {name for _, name in steps})
        resolved = []
        for step, name in steps:
            resolved.append(self._step(name, step, scope))
            scope.add(name)
        return [s for s in resolved if s is not None] if None not in resolved else None

    def _step(self, name: str, step: Step, scope: Scope) -> NetworkStep | None:
        slots = self._slots(step.slots, scope, name)
        operations = self.operations.candidates(step.operation, len(step.slots), step.span)
        is_open = isinstance(step.operation, Hole)
        if slots is None or not operations:
            return None
        if not self._spend(len(operations) if is_open else 0, step.span):
            return None
        return NetworkStep(name, operations, is_open, slots, step.span)

    def _slots(
        self, slots: Sequence[SpecSlot], scope: Scope, owner: str
    ) -> tuple[Slot, ...] | None:
        if len(slots) > MOST_INPUTS:
            message = f"`{owner}` takes {len(slots)} inputs, more than {MOST_INPUTS}"
            self.report.add("E308", message, slots[0].span, help="fuse them in several Cells")
            return None
        edges = sum(len(scope.names) if _is_free(s) else len(_references(s)) for s in slots)
        if not self._spend(edges, slots[0].span if slots else None):
            return None
        everything = tuple(scope.names) if any(_is_free(s) for s in slots) else ()
        errors = len(self.report.errors)
        resolved = [self._slot(s, everything, scope, owner) for s in slots]
        return tuple(resolved) if len(self.report.errors) == errors else None

    def _slot(self, slot: SpecSlot, everything: tuple[str, ...], scope: Scope, owner: str) -> Slot:
        references = _references(slot)
        for reference in references:
            self._check(reference, scope, owner)
        if len({r.name for r in references}) < len(references):
            message = "a candidate stands twice in one hole"
            fix = _each_once(slot) if isinstance(slot, Hole) else []
            self.report.add("E202", message, slot.span, help="keep one of them", fix=fix)
        candidates = everything if _is_free(slot) else scope.in_order(r.name for r in references)
        if not candidates and not references:
            self.report.add("E402", f"nothing comes before `{owner}`", slot.span)
        return Slot(candidates, isinstance(slot, Hole), slot.span)

    def _check(self, reference: Reference, scope: Scope, owner: str) -> None:
        name = reference.name
        if name in scope:
            return
        if name == owner or name in scope.later:
            message = f"`{owner}` takes `{name}`, which does not come before it"
            remedy = "a Cell takes features and earlier Cells, a Step inputs and earlier Steps"
            self.report.add("E205", message, reference.span, help=remedy)
            return
        remedy = did_you_mean(name, scope.names) or f"there are {one_of(scope.names)}"
        self.report.add("E201", f"unknown input `{name}` of `{owner}`", reference.span, help=remedy)


def input_name(index: int) -> str:
    """What the inputs of a Cell are called inside it: x, y, z, x4, x5, …"""
    return _INPUT_NAMES[index] if index < len(_INPUT_NAMES) else f"x{index + 1}"


def _each_once(hole: Hole) -> list[Edit]:
    """The edit of a `.fuse` text that writes each candidate of a hole once."""
    if hole.span is None or hole.span.pointer is not None:
        return []
    kept = Hole(tuple(dict.fromkeys(hole.candidates or ())))
    return [Edit(hole.span, written(kept))]


def _is_free(slot: SpecSlot) -> bool:
    return isinstance(slot, Hole) and slot.candidates is None


def _references(slot: SpecSlot) -> list[Reference]:
    if isinstance(slot, Reference):
        return [slot]
    return [c for c in slot.candidates or () if isinstance(c, Reference)]
