"""What is legal but surely a mistake: warnings on a network whose names all resolve.

NOTE: a feature that nothing takes is normal, above all in a genotype; only a modality of which
nothing can take any feature is worth a word. Members of a family such as `Cell[2]` stand in one
place of the text, so a family has one warning.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from ..diagnostics.diagnostic import Edit, Note, Report, one_of
from ..diagnostics.source import Span
from ..language.nodes import Cell, Hole, NumberHole, Operation, Step, Value, first, operations_of
from ..language.printer import name, operation
from ..network.network import Network, NetworkCell, NetworkStep, Slot
from ..network.vocabulary import select
from .unused import unused_definitions, unused_numbers

MOST_NAMED = 4


def lint(network: Network, report: Report) -> None:
    """Adds a warning for everything that is legal but does nothing."""
    taken = _taken(network)
    idle_modalities(network, report)
    _cells(network, taken, report)
    for cell, members in _families(network):
        _steps(cell, members[0], network, report)
        _holes(cell, members, network, report)
    _repeated(network, report)
    _pool(network, report)
    for hole in network.global_holes:
        if len(hole.candidates) == 1:
            message, remedy = _only(hole.candidates[0])
            report.add("W405", message, hole.span, help=remedy)
    unused_definitions(network.space, report)
    unused_numbers(network.space, report)


# Families


def _families(network: Network) -> Iterator[tuple[Cell, list[NetworkCell]]]:
    """The Cells as they are written, each with those that it stands for."""
    resolved = iter(network.cells)
    for cell in network.spec.cells:
        yield cell, list(islice(resolved, _members(cell.count, network)))


def _step_families(
    cell: Cell, member: NetworkCell, network: Network
) -> Iterator[tuple[Step, list[NetworkStep]]]:
    resolved = iter(member.steps)
    for step in cell.steps:
        yield step, list(islice(resolved, _members(step.count, network)))


def _members(count: Value | NumberHole | None, network: Network) -> int:
    if count is None:
        return 1
    return int(network.numbers[count] if isinstance(count, str) else first(count))


# What nothing takes


def _taken(network: Network) -> set[str]:
    """The features and Cells that a Cell, a head or the output can take."""
    candidates = _candidates(s for c in network.cells for s in c.slots)
    outputs = network.output_candidates if network.reads_output else ()
    return set(network.read_by_heads).union(outputs, *candidates)


def idle_modalities(network: Network, report: Report, *, found: bool = False) -> None:
    """Warns of the modalities of which nothing can take a feature; of a genotype, nothing does."""
    taken = _taken(network)
    for modality in network.spec.modalities:
        features = [f.name for f in modality.features]
        if taken.isdisjoint(features):
            message = f"no Cell and no `output` can take a feature of `{modality.name}`"
            remedy = f"let a Cell or `output` take {_any(features)}, or remove the modality"
            if found:
                message = f"the genotype that was found takes no feature of `{modality.name}`"
                remedy = f"remove the modality, or write a Cell that takes {_any(features)}"
            report.add("W402", message, modality.span, help=remedy)


def _cells(network: Network, taken: set[str], report: Report) -> None:
    outputs = network.spec.outputs or ()
    for cell, members in _families(network):
        lost = [m.name for m in members if m.name not in taken]
        if lost:
            message = f"nothing takes {_all(lost)}, and no `output` names {_it(lost)}"
            remedy = f"add {_all(lost)} to `output`, let a later Cell take {_it(lost)}, or remove "
            places = [o.span for o in outputs]
            notes = [Note("the outputs stand here", _across(places))] if places else []
            report.add("W404", message, cell.span, help=remedy + _it(lost), notes=notes)


def _steps(cell: Cell, member: NetworkCell, network: Network, report: Report) -> None:
    if cell.returned is None:
        return
    read = set(member.returned).union(*_candidates(s for t in member.steps for s in t.slots))
    for step, family in _step_families(cell, member, network):
        lost = [s.name for s in family if s.name not in read]
        if lost:
            message = f"nothing reads {_all(lost)} of `{cell.name}`, and `return` does not name "
            remedy = f"return {_all(lost)} too, let a later Step take {_it(lost)}, or remove "
            place = _across([r.span for r in cell.returned])
            notes = [Note(f"what `{cell.name}` returns stands here", place)]
            report.add("W403", message + _it(lost), step.span, help=remedy + _it(lost), notes=notes)


def _candidates(slots: Iterator[Slot]) -> Iterator[tuple[str, ...]]:
    """The candidates of slots; holes of one node share theirs, which are given once."""
    previous: tuple[str, ...] | None = None
    for slot in slots:
        if slot.candidates is not previous:
            yield slot.candidates
        previous = slot.candidates


# Holes


def _holes(cell: Cell, members: Sequence[NetworkCell], network: Network, report: Report) -> None:
    """Holes that have the same single candidate in all members of their family."""
    for index, input in enumerate(cell.inputs):
        if isinstance(input.slot, Hole):
            left = {_left(m.slots, index) for m in members}
            _single(input.slot, left, report)
    for step, family in _step_families(cell, members[0], network):
        for index, slot in enumerate(step.slots):
            if isinstance(slot, Hole):
                _single(slot, {_left(s.slots, index) for s in family}, report)
        if isinstance(step.operation, Hole) and len(family[0].operations) == 1:
            only = family[0].operations[0].written
            if only is not None:
                _single_operation(step.operation, only, report)


def _left(slots: Sequence[Slot], index: int) -> str | None:
    """The one candidate of an open slot that no fixed slot beside it has taken, or None."""
    candidates = slots[index].candidates
    if len(candidates) > len(slots):
        return None
    fixed = {s.candidates[0] for s in slots if not s.open}
    left = [c for c in candidates if c not in fixed]
    return left[0] if len(left) == 1 else None


def _single(hole: Hole, left: set[str | None], report: Report) -> None:
    only = left.pop() if len(left) == 1 else None
    if only is not None:
        message, remedy = _only(name(only))
        report.add("W405", message, hole.span, help=remedy, fix=_replaced(hole.span, name(only)))


def _single_operation(hole: Hole, only: Operation, report: Report) -> None:
    shown = operation(only)
    message, remedy = _only(shown)
    if hole.candidates is None:
        notes = [Note("it stands in the pool here", only.span)]
        remedy += ", or add to the pool what else the Step may become"
        report.add("W405", message, hole.span, help=remedy, notes=notes)
    else:
        fix = [] if only.parameters else _replaced(hole.span, shown)
        report.add("W405", message, hole.span, help=remedy, fix=fix)


def _only(candidate: str) -> tuple[str, str]:
    return f"only `{candidate}` can fill this hole", f"write `{candidate}`"


# Operations that holes choose from


def _repeated(network: Network, report: Report) -> None:
    """The same operation twice where E213 is silent: `Sum` and `paper.Sum`, a pool without hole."""
    spec = network.spec
    _repeated_in(spec.pool or (), "the pool", network, report)
    for step in (s for c in spec.cells for s in c.steps):
        _repeated_in(operations_of(step.operation), "this hole", network, report)


def _repeated_in(given: Sequence[Operation], where: str, network: Network, report: Report) -> None:
    seen: dict[object, Operation] = {}
    for index, candidate in enumerate(given):
        key = _meaning(candidate, network)
        first = seen.setdefault(key, candidate)
        if first is candidate:
            continue
        message = f"`{operation(candidate)}` stands twice in {where}"
        if candidate != first:
            message = f"`{operation(candidate)}` is the same as `{operation(first)}`"
        notes = [Note("the first stands here", first.span)]
        fix = _removed(given[index - 1], candidate)
        report.add("W406", message, candidate.span, help="remove it", notes=notes, fix=fix)


def _meaning(candidate: Operation, network: Network) -> object:
    """The definitions of an operation with all its parameters' values: what it computes."""
    entry = network.vocabulary.find(candidate.name)
    definitions = entry[0] if entry else ()
    values: dict[str, object] = dict(definitions[0].parameters) if definitions else {}
    for key, value in candidate.parameters:
        values[key] = network.numbers.get(value, value) if isinstance(value, str) else value
    return tuple(map(id, definitions)), frozenset(values.items())


def _pool(network: Network, report: Report) -> None:
    """Operations of the pool that take a number of inputs that no hole has."""
    pool = network.spec.pool or ()
    steps = [s for c in network.spec.cells for s in c.steps if _takes_from_pool(s)]
    counts = sorted({len(s.slots) for s in steps})
    if pool and not counts:
        message = "no Step takes its operation from the pool"
        place = _across([o.span for o in pool])
        report.add("W407", message, place, help="remove the pool, or write `Step = ?(x, y)`")
        return
    for candidate in pool:
        entry = network.vocabulary.find(candidate.name)
        if entry and not any(select(entry[0], count) for count in counts):
            message = f"no Step can become `{operation(candidate)}`"
            inputs = " or ".join(map(str, counts)) + (" input" if counts == [1] else " inputs")
            notes = [Note(f"the Steps that take from the pool have {inputs}", steps[0].span)]
            remedy = "remove it from the pool, or give a Step as many inputs as it takes"
            report.add("W407", message, candidate.span, help=remedy, notes=notes)


def _takes_from_pool(step: Step) -> bool:
    return isinstance(step.operation, Hole) and step.operation.candidates is None


# Text and places


def _all(names: Sequence[str]) -> str:
    return one_of(names, MOST_NAMED)


def _any(names: Sequence[str]) -> str:
    return _all(names) if len(names) == 1 else f"one of {_all(names)}"


def _it(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"


def _across(spans: Sequence[Span | None]) -> Span | None:
    """From the first of some places to the last; the first alone where they are in a document."""
    places = [s for s in spans if s is not None]
    if not places or places[0].pointer is not None:
        return places[0] if places else None
    return places[0].to(places[-1])


def _replaced(span: Span | None, text: str) -> list[Edit]:
    """The edit that writes a name for a hole; in a document the pieces of a hole vary too much."""
    return [Edit(span, text)] if span and span.pointer is None else []


def _removed(before: Operation, repeated: Operation) -> list[Edit]:
    """The edit that removes an operation with the comma before it."""
    first, last = before.extent, repeated.extent
    if first is None or last is None or first.pointer is not None:
        return []
    return [Edit(Span(last.source, first.end, last.end), "")]
