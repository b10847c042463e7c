"""What is asked of a specification with global holes: the same of its variants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from ..diagnostics.diagnostic import Note, Report
from ..diagnostics.source import Span, span_of
from ..language.nodes import NumberHole
from ..language.spec import Spec
from ..language.variants import (
    GlobalHole,
    Picks,
    every_picks,
    global_holes,
    number_of_variants,
    picks_one_by_one,
    variant,
)
from ..network.network import Network

MOST_CHECKED = 64
"""How many variants are looked at; of more, every candidate with the first of all others."""
MOST_CANDIDATES = 256
"""How many candidates the global holes may have in all."""


def of_variants(
    spec: Spec, report: Report, read: Callable[[Spec, Report], Network | None]
) -> Network | None:
    """The network that is read from the first variant of a specification.

    Every error of the variants is reported once, with the candidates that it comes from; where the
    first has some, nothing is said of the others.
    """
    holes = global_holes(spec)
    if not holes:
        return read(spec, report)
    if not _check(holes, report):
        return None
    found: Network | None = None
    known: set[tuple[str, str, Span | None]] = set()
    few = number_of_variants(holes) <= MOST_CHECKED
    for picks in every_picks(holes) if few else picks_one_by_one(holes):
        own = Report()
        network = read(variant(spec, picks), own)
        if not any(picks):
            found = network and replace(network, space=spec)
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


def _notes(holes: tuple[GlobalHole, ...], picks: Picks) -> Iterator[Note]:
    """The candidates of a variant where they are not the first."""
    for hole, pick in zip(holes, picks, strict=True):
        if pick:
            place = span_of(hole.hole.candidates[pick]) or hole.span
            yield Note(f"where `{hole.place}` is `{hole.candidates[pick]}`", place)


def _check(holes: tuple[GlobalHole, ...], report: Report) -> bool:
    """Whether the candidates of global holes are few, and each of them stands once."""
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
    return len(report.errors) == errors
