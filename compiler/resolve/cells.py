"""Cells and Steps of a Spec with their names bound and their holes' candidates listed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..diagnostics.diagnostic import Edit, Note, Report
from ..diagnostics.source import Span
from ..language.nodes import Cell, Hole, Reference, Step, references_of
from ..language.nodes import Slot as SpecSlot
from ..language.printer import slot as written
from ..network.names import input_name
from ..network.network import NetworkCell, NetworkStep, Slot
from .operations import OperationResolver
from .scope import Outside, Scope, Sizes, known_instead, listed

MOST_EDGES = 2_000_000
MOST_INPUTS = 64


class CellResolver:
    """Resolves Cells in order; counts edges, so that no program grows beyond bounds."""

    def __init__(self, operations: OperationResolver, sizes: Sizes, report: Report) -> None:
        self.operations, self.sizes, self.report = operations, sizes, report
        self._edges = 0

    def family(self, cell: Cell, names: Sequence[str], sequence: Scope) -> Iterator[NetworkCell]:
        """The Cells that `cell` stands for; adds each to the sequence.

        They have their Steps in common, and their inputs where none is a free hole. After an error
        in one, the others of the family would only repeat it.
        """
        errors = len(self.report.diagnostics)
        inside = self._inside(cell, len(names), sequence)
        inputs = [i.slot for i in cell.inputs]
        for name, slots in self._family_slots(inputs, names, sequence, 1):
            if inside is None or slots is None or len(self.report.diagnostics) > errors:
                break
            within = inside.steps, inside.returned, inside.merge, inside.span
            yield NetworkCell(name, inside.inputs, slots, *within)
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

    def _inside(self, cell: Cell, members: int, sequence: Scope) -> NetworkCell | None:
        """A Cell of a family of so many, still without name and inputs of its own."""
        if not cell.inputs:
            message = f"the Cell `{cell.name}` takes no input"
            self.report.add("E301", message, cell.span, help="write `cell NAME(?, ?) { … }`")
            return None
        if not cell.steps:
            message = f"the Cell `{cell.name}` has no Step"
            self.report.add("E007", message, cell.span, help="write one: `Step = ?(x, y)`")
            return None
        inputs = [str(i.name or input_name(n)) for n, i in enumerate(cell.inputs)]
        steps = self._steps(cell, inputs, members, sequence)
        if steps is None:
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
            cell.name, tuple(inputs), (), tuple(steps), tuple(returned), merge, cell.span
        )

    def _steps(
        self, cell: Cell, inputs: Sequence[str], members: int, sequence: Scope
    ) -> list[NetworkStep] | None:
        families = [(step, self.sizes.family(step)) for step in cell.steps]
        if not self._spend(sum(len(names) for _, names in families) * members, cell.span):
            return None
        self._check_names(cell, inputs, families)
        fixed = zip(cell.inputs, inputs, strict=True)
        called = {i.slot.name: own for i, own in fixed if isinstance(i.slot, Reference)}
        later = {name for _, names in families for name in names}
        scope = Scope(inputs, later, Outside(cell, sequence, called))
        resolved = [self._step(step, names, scope, members) for step, names in families]
        return [step for family in resolved for step in family or ()] if all(resolved) else None

    def _check_names(
        self, cell: Cell, inputs: Sequence[str], families: Sequence[tuple[Step, Sequence[str]]]
    ) -> None:
        """Whether the inputs and Steps of a Cell have different names, and none that is taken."""
        places: dict[str, Span | None] = {}
        for name in inputs:
            if name in places:
                message = f"two inputs of `{cell.name}` are named `{name}`"
                self.report.add("E202", message, cell.span, help="rename one of them")
            places[name] = cell.span
        for step, names in families:
            if step.name == "merge" and step.count is None:
                message = "`merge` is the Cell's own name for what joins its Steps"
                self.report.add("E211", message, step.span, help="choose another name")
            twice = next((name for name in names if name in places), None)
            if twice is not None:
                notes = [Note(f"`{twice}` is first declared here", places[twice])]
                message = f"`{twice}` is declared twice"
                self.report.add("E202", message, step.span, help="rename one of them", notes=notes)
            for name in names:
                places.setdefault(name, step.span)

    def _step(
        self, step: Step, names: Sequence[str], scope: Scope, members: int
    ) -> list[NetworkStep] | None:
        """The Steps that `step` stands for, of which there are `members` times as many."""
        operations = self.operations.candidates(step.operation, len(step.slots), step.span)
        is_open = isinstance(step.operation, Hole)
        steps: list[NetworkStep] = []
        for name, slots in self._family_slots(step.slots, names, scope, members):
            if slots is None:
                break
            steps.append(NetworkStep(name, operations, is_open, slots, step.span))
        for name in names:
            if name not in scope:
                scope.add(name)
        choices = len(operations) * len(names) * members if is_open else 0
        known = self._spend(choices, step.span) and operations
        return steps if known and len(steps) == len(names) else None

    def _family_slots(
        self, slots: Sequence[SpecSlot], names: Sequence[str], scope: Scope, members: int
    ) -> Iterator[tuple[str, tuple[Slot, ...] | None]]:
        """The slots of each of a family, which are the same where none is a free hole.

        Each name becomes visible after its turn.
        """
        differ = any(_is_free(s) for s in slots)
        resolved: tuple[Slot, ...] | None = None
        for name in names:
            if differ or resolved is None:
                times = members if differ else members * len(names)
                resolved = self._slots(slots, scope, name, times)
            yield name, resolved
            scope.add(name)

    def _slots(
        self, slots: Sequence[SpecSlot], scope: Scope, owner: str, times: int
    ) -> tuple[Slot, ...] | None:
        if len(slots) > MOST_INPUTS:
            message = f"`{owner}` takes {len(slots)} inputs, more than {MOST_INPUTS}"
            self.report.add("E308", message, slots[0].span, help="fuse them in several Cells")
            return None
        edges = sum(len(scope.names) if _is_free(s) else len(references_of(s)) for s in slots)
        if not self._spend(edges * times, slots[0].span if slots else None):
            return None
        everything = tuple(scope.names) if any(_is_free(s) for s in slots) else ()
        errors = len(self.report.diagnostics)
        resolved = [self._slot(s, everything, scope, owner) for s in slots]
        return tuple(resolved) if len(self.report.diagnostics) == errors else None

    def _slot(self, slot: SpecSlot, everything: tuple[str, ...], scope: Scope, owner: str) -> Slot:
        references = references_of(slot)
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
        around = scope.outside.remedy(name) if scope.outside else None
        remedy = around or known_instead(name, scope.names, self.report)
        fix = _renamed(reference, scope)
        message = f"unknown input `{name}` of `{owner}`"
        self.report.add("E201", message, reference.span, help=remedy, fix=fix)


def _renamed(reference: Reference, scope: Scope) -> list[Edit]:
    """The edit of a `.fuse` text that calls an input of the Cell what it is called inside."""
    own = scope.outside and scope.outside.inside.get(reference.name)
    if not own or reference.span is None or reference.span.pointer is not None:
        return []
    return [Edit(reference.span, own)]


def _each_once(hole: Hole) -> list[Edit]:
    """The edit of a `.fuse` text that writes each candidate of a hole once."""
    if hole.span is None or hole.span.pointer is not None:
        return []
    unique = Hole(tuple(dict.fromkeys(hole.candidates or ())))
    return [Edit(hole.span, written(unique))]


def _is_free(slot: SpecSlot) -> bool:
    return isinstance(slot, Hole) and slot.candidates is None
