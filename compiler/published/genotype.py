"""Genotypes of the published code of BM-NAS: filled into a Spec, and read off one.

The published notation has indices only: features first, then Cells; inside a Cell 0 and 1 are
its inputs x and y, then Steps. Edges stand in pairs, x then y.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from ..diagnostics.diagnostic import Report, did_you_mean, fail, one_of
from ..diagnostics.source import Name, Span
from ..diagnostics.text import shortened
from ..language.nodes import Budget, Cell, CellInput, Definition, Operation, Reference, Step
from ..language.spec import Spec
from ..network.network import Application, Network, NetworkCell
from ..network.network import Slot as NetworkSlot
from ..network.vocabulary import AmbiguousName, Vocabulary, select, vocabulary_of
from ..resolve.resolve import resolve
from .notation import CellGenotype, Genotype, Index, raise_first, read_genotype

OPERATIONS: Final[Mapping[str, str]] = {
    "Sum": "Sum",
    "ScaleDotAttn": "Attention",
    "LinearGLU": "LinearGLU",
    "ConcatFC": "ConcatFC",
}
"""The operations of the published code by their names there, with their names in the libraries."""
LIBRARY = "bmnas"
"""The library that computes them as the published code does."""
INPUTS = ("x", "y")


def genotype_from_text(text: str, spec: Spec, name: str = "<genotype>") -> Spec:
    """The specification with the genotype in its place; what it leaves open is dropped.

    `text` may be a line of a log. Raises DiagnosticError, E601 where the text is no genotype,
    E602 where it does not fit the specification.
    """
    return spec_of(read_genotype(text, name), spec)


def genotype_text(spec: Spec) -> str:
    """A program without holes in the published notation.

    Raises DiagnosticError, E403 where there is a hole, E602 with all that it cannot say.
    """
    return str(genotype_of(spec))


# Genotype to Spec


def spec_of(genotype: Genotype, spec: Spec) -> Spec:
    """The specification with the genotype's Cells as Cell_1 …; budgets stay, pool and rules go.

    Raises DiagnosticError where the genotype does not fit the specification.
    """
    report = Report()
    if not any(m.features for m in spec.modalities):
        message = "the specification declares no feature that a Cell could take"
        raise fail("E602", message, genotype.span)
    filled = _Filling(spec, genotype, report).spec()
    raise_first(report)
    return filled


class _Filling:
    def __init__(self, spec: Spec, genotype: Genotype, report: Report) -> None:
        self.base, self.genotype, self.report = spec, genotype, report
        self.vocabulary = vocabulary_of(spec)
        features = [f for m in spec.modalities for f in m.features]
        self.features = len(features)
        cells = dict.fromkeys(f"Cell_{k}" for k in range(1, len(genotype.cells) + 1))
        self.sequence = (*(f.name for f in features), *cells)
        for feature in (f for f in features if f.name in cells):
            message = f"the feature `{feature.name}` has the name of a Cell of the genotype"
            report.add("E602", message, feature.span, help="give the feature another name")

    def spec(self) -> Spec:
        g = self.genotype
        if not g.cells:
            self.report.add("E602", "the genotype has no Cell", g.span)
        pairs = self._in_pairs(g.edges, len(g.cells), "Cell", g.span)
        cells = [
            self._cell(k, cell, pair)
            for k, (cell, pair) in enumerate(zip(g.cells, pairs, strict=True))
        ]
        outputs = self._merged(g.concat, self.sequence, 0, "the network", g.span)
        everything = self.sequence[self.features :]
        return replace(
            self.base,
            pool=None,
            cells=tuple(cells),
            outputs=outputs if tuple(o.name for o in outputs) != everything else None,
            requirements=tuple(r for r in self.base.requirements if isinstance(r, Budget)),
        )

    def _cell(self, k: int, cell: CellGenotype, pair: Sequence[Index]) -> Cell:
        before = self.features + k
        name = self.sequence[before]
        inputs = [CellInput(self._named(i, self.sequence, before, name)) for i in pair]
        if not cell.operations:
            self.report.add("E602", f"`{name}` has no Step", cell.span)
        steps = tuple(f"Step_{m}" for m in range(1, len(cell.operations) + 1))
        inside = (*INPUTS, *steps)
        pairs = self._in_pairs(cell.edges, len(steps), f"Step of `{name}`", cell.span)
        body: list[Step] = []
        for m, (operation, edges) in enumerate(zip(cell.operations, pairs, strict=True)):
            place = f"{name}/{steps[m]}"
            slots = tuple(self._named(i, inside, len(INPUTS) + m, place) for i in edges)
            chosen = self._operation(operation)
            body.append(Step(Name(steps[m], operation.span), chosen, slots))
        returned = self._merged(cell.concat, inside, len(INPUTS), f"`{name}`", cell.span)
        return Cell(
            Name(name, cell.span),
            tuple(inputs),
            tuple(body),
            returned=returned if tuple(r.name for r in returned) != steps else None,
        )

    def _in_pairs(
        self, edges: Sequence[Index], count: int, what: str, span: Span | None
    ) -> list[Sequence[Index]]:
        """The edges by the Cell or Step that they lead to; none where their number is wrong."""
        if len(edges) == 2 * count:
            return [edges[i : i + 2] for i in range(0, len(edges), 2)]
        if edges and edges[0].span and edges[-1].span:
            span = edges[0].span.to(edges[-1].span)
        message = f"{_count(len(edges), 'edge')} for {_count(count, what)}"
        self.report.add("E602", message, span, help="each takes two edges, x and y")
        return [()] * count

    def _named(self, index: Index, names: Sequence[str], before: int, owner: str) -> Reference:
        """The name at an index, which has to be among the first `before`."""
        if index.position < before:
            return Reference(Name(names[index.position], index.span))
        message = f"`{owner}` takes {index.position}, which does not come before it"
        remedy = f"it can take {_range(names, 0, before)}"
        self.report.add("E602", message, index.span, help=remedy)
        return Reference(Name("", index.span))

    def _merged(
        self,
        concat: Sequence[Index],
        names: Sequence[str],
        first: int,
        owner: str,
        span: Span | None,
    ) -> tuple[Reference, ...]:
        """What a Cell or the network merges: names from `first` on, each once."""
        if not concat:
            self.report.add("E602", f"{owner} merges nothing", span)
        seen: set[int] = set()
        for index in concat:
            if not first <= index.position < len(names):
                message = f"{owner} cannot merge {index.position}"
                remedy = f"it can merge {_range(names, first, len(names))}"
                self.report.add("E602", message, index.span, help=remedy)
            elif index.position in seen:
                self.report.add("E602", f"{owner} merges {index.position} twice", index.span)
            seen.add(index.position)
        indices = (i for i in concat if i.position < len(names))
        return tuple(Reference(Name(names[i.position], i.span)) for i in indices)

    def _operation(self, published: Operation) -> Operation:
        name = OPERATIONS.get(published.name)
        if name is None:
            listing = f"the published code has {one_of(list(OPERATIONS))}"
            remedy = did_you_mean(published.name, OPERATIONS) or listing
            message = f"unknown operation `{shortened(published.name)}`"
            self.report.add("E602", message, published.span, help=remedy)
            return published
        entry = _find(name, self.vocabulary)
        if entry is None:
            message = f"the specification has no `{name}` of two inputs"
            self.report.add("E602", message, published.span, help=f"add `use {LIBRARY}`")
            return published
        return Operation(Name(entry[0], published.span))


def _range(names: Sequence[str], start: int, end: int) -> str:
    """The indices from `start` to before `end`, as a remedy lists them."""
    ends = dict.fromkeys((start, end - 1)) if start < end else ()
    return " to ".join(f"{i} (`{names[i]}`)" for i in ends) or "nothing"


def _find(name: str, vocabulary: Vocabulary) -> tuple[str, Definition] | None:
    """An operation of two inputs, and how a specification with this vocabulary writes it."""
    try:
        entry = vocabulary.find(name)
    except AmbiguousName as error:
        home = LIBRARY if LIBRARY in error.libraries else error.libraries[0]
        return _find(f"{home}.{name}", vocabulary)
    definition = select(entry[0], 2) if entry else None
    return (name, definition) if definition else None


# Spec to Genotype


def genotype_of(spec: Spec) -> Genotype:
    """The Genotype of a program without holes; raises DiagnosticError with all it cannot say."""
    network = resolve(spec)
    holes = [*network.global_holes, *(hole for cell in network.cells for hole in cell.holes)]
    holes += [slot for slot in network.outputs if slot.open]
    hole = holes[0] if holes else None
    if hole is not None:
        remedy = "a search fills holes: give the genotype that it found"
        raise fail("E403", "the program has a hole", hole.span, help=remedy)
    report = Report()
    genotype = _Reading(network, report).genotype()
    raise_first(report)
    return genotype


class _Reading:
    def __init__(self, network: Network, report: Report) -> None:
        self.network, self.report = network, report
        self.positions = _positions(network.sequence)
        vocabulary = vocabulary_of(network.spec)
        entries = {published: _find(name, vocabulary) for published, name in OPERATIONS.items()}
        self.definitions = [(p, f[1]) for p, f in entries.items() if f is not None]

    def genotype(self) -> Genotype:
        cells = self.network.cells
        if not cells:
            self.report.add("E602", "the published notation says no program without a Cell")
        return Genotype(
            tuple(_taken(slot, self.positions) for cell in cells for slot in cell.slots),
            tuple(self._cell(cell) for cell in cells),
            tuple(Index(self.positions[name]) for name in self.network.output_candidates),
        )

    def _cell(self, cell: NetworkCell) -> CellGenotype:
        self._require_two(len(cell.slots), cell.name, cell.span)
        positions = _positions((*cell.inputs, *(s.name for s in cell.steps)))
        edges: list[Index] = []
        operations: list[Operation] = []
        for step in cell.steps:
            self._require_two(len(step.slots), f"{cell.name}/{step.name}", step.span)
            edges += [_taken(slot, positions) for slot in step.slots]
            if len(step.slots) == 2:
                operations.append(Operation(self._published(step.operations[0])))
        concat = tuple(Index(positions[name]) for name in cell.returned)
        return CellGenotype(tuple(edges), tuple(operations), concat)

    def _require_two(self, count: int, owner: str, span: Span | None) -> None:
        if count != 2:
            message = f"`{owner}` takes {_count(count, 'input')}"
            remedy = "Cells and Steps of the published notation take two"
            self.report.add("E602", message, span, help=remedy)

    def _published(self, application: Application) -> str:
        """The published code's name of an operation."""
        if application.written is None or not application.written.parameters:
            for published, definition in self.definitions:
                if definition is application.definition:
                    return published
        names = one_of(list(OPERATIONS.values()))
        message = f"the published notation has no name for `{application.label}`"
        remedy = f"it has names for {names}, without parameters"
        self.report.add("E602", message, application.span, help=remedy)
        return application.label


def _taken(slot: NetworkSlot, positions: Mapping[str, int]) -> Index:
    return Index(positions[slot.candidates[0]])


def _positions(names: Iterable[str]) -> Mapping[str, int]:
    return {name: position for position, name in enumerate(names)}


def _count(number: int, what: str) -> str:
    head, _, tail = what.partition(" ")
    plural = head if number == 1 else f"{head}s"
    return f"{number} {plural} {tail}".rstrip()
