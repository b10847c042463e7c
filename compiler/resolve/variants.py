"""What is asked of a specification with global holes: the same of its variants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from ..diagnostics.diagnostic import Note, Report
from ..diagnostics.source import Span, span_of
from ..language.nodes import NumberHole
from ..language.spec import Spec
from ..language.variants import (
    GlobalHole,
    Picks,
    global_holes,
    some_picks,
    variant,
)
from ..network.network import Network

MOST_CANDIDATES = 256
"""How many candidates the global holes may have in all."""


Read: TypeAlias = Callable[[Spec, Report], Network | None]
"""Reads the network of a specification, and reports what is wrong with it."""


def of_variants(spec: Spec, report: Report, read: Read) -> Network | None:
    """The network that is read from the first variant of a specification.

    Every error of the variants is reported once, with the candidates that it comes from; where the
    first has some, nothing is said of the others.
    """
    holes = global_holes(spec)
    if not holes:
        return read(spec, report)
    if not _check(spec, holes, report):
        return None
    found: Network | None = None
    known: set[tuple[str, str, Span | None]] = set()
    for picks in some_picks(holes):
        own = Report()
        network = read(variant(spec, picks), own)
        if not any(picks):
            found = network and replace(network, space=spec, variants=_Variants(spec, read))
        notes = tuple(_notes(holes, picks))
        for said in own.diagnostics:
            key = (said.code, said.message, said.span)
            if key not in known:
                elsewhere = (note for note in notes if note.span != said.span)
                report.diagnostics.append(replace(said, notes=(*said.notes, *elsewhere)))
                known.add(key)
        if not any(picks) and own.errors:
            break
    return found


@dataclass(frozen=True, slots=True)
class _Variants:
    """The networks of the variants of a specification, each read once."""

    spec: Spec
    read: Read
    known: dict[Picks, Network] = field(default_factory=dict[Picks, Network])

    def __call__(self, picks: Picks) -> Network:
        if picks not in self.known:
            report = Report()
            network = self.read(variant(self.spec, picks), report)
            report.raise_errors()
            assert network is not None
            self.known[picks] = network
        return self.known[picks]


def _notes(holes: tuple[GlobalHole, ...], picks: Picks) -> Iterator[Note]:
    """The candidates of a variant where they are not the first."""
    for hole, pick in zip(holes, picks, strict=True):
        if pick:
            place = span_of(hole.hole.candidates[pick]) or hole.span
            yield Note(f"where `{hole.place}` is `{hole.candidates[pick]}`", place)


def _check(spec: Spec, holes: tuple[GlobalHole, ...], report: Report) -> bool:
    """Whether the candidates of global holes are few, each stands once, and none says of the data
    what only these can say.
    """
    errors = len(report.errors)
    if sum(len(hole.candidates) for hole in holes) > MOST_CANDIDATES:
        message = f"numbers and roles have more than {MOST_CANDIDATES} candidates in all"
        report.add("E308", message, holes[0].span, help="leave out those that are least likely")
        return False
    for hole in holes:
        candidates = hole.hole.candidates
        if len(set(candidates)) < len(candidates):
            code = "E202" if isinstance(hole.hole, NumberHole) else "E213"
            twice = next(c for i, c in enumerate(candidates) if c in candidates[:i])
            message = f"a candidate of `{hole.place}` stands twice in one hole"
            report.add(code, message, span_of(twice) or hole.span, help="keep one of them")
    given = {axis.size for m in spec.modalities for f in m.features for axis in f.axes or ()}
    given |= {predict.count for predict in spec.predictions}
    for hole in holes:
        if hole.kind == "number" and hole.names[0] in given:
            message = f"`{hole.place}` says what the data have, so it cannot be chosen"
            report.add("E403", message, hole.span, help="write the number that the data have")
    return len(report.errors) == errors
