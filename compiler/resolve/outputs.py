"""The output of a Spec with its names bound: a slot for each place, families in their members."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ..diagnostics.diagnostic import Report
from ..language.nodes import (
    Family,
    Hole,
    Others,
    Output,
    Possibly,
    Reference,
    item_of,
    references_of,
)
from ..network.network import Slot, fewest
from .cells import MOST_EDGES, MOST_INPUTS
from .scope import known_instead


def resolve_outputs(
    places: Sequence[Output],
    features: Sequence[str],
    families: Mapping[str, Sequence[str]],
    report: Report,
) -> tuple[Slot, ...]:
    """The slots of an `output` statement; reports names that are unknown or stand twice."""
    sequence = (*features, *(name for names in families.values() for name in names))
    resolver = _Outputs(sequence, families, report)
    named = [name for place in places for name in resolver.names(place)]
    return tuple(slot for place in places for slot in resolver.slots(place, frozenset(named)))


def output_counts(outputs: Sequence[Slot]) -> list[int]:
    """How many places may be filled, some of them optional; of very many, all and the fewest."""
    least, most = fewest(outputs), len(outputs)
    return [*range(least, min(most, MOST_INPUTS)), most]


@dataclass
class _Outputs:
    sequence: Sequence[str]
    families: Mapping[str, Sequence[str]]
    report: Report
    taken: set[str] = field(default_factory=set[str])
    spent: int = 0

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Where each feature and Cell stands."""
        return {name: place for place, name in enumerate(self.sequence)}

    def names(self, place: Output) -> Iterator[str]:
        """The features and Cells that a place names."""
        item = item_of(place)
        if isinstance(item, Family):
            yield from self.families.get(item.name, ())
        yield from (reference.name for reference in references_of(item))

    def slots(self, place: Output, named: frozenset[str]) -> Iterator[Slot]:
        """The slots that a place stands for; `named` is what any place names."""
        optional, item = isinstance(place, Possibly), item_of(place)
        match item:
            case Reference():
                names = self._known(item)
            case Family():
                names = self._members(item)
            case Others():
                names = tuple(name for name in self.sequence if name not in named)
                if not names:
                    message = "no other feature or Cell is left for `*`"
                    self.report.add("E402", message, item.span, help="leave it out")
            case Hole():
                yield Slot(self._candidates(item), True, item.span, optional)
                return
        for name in names:
            if name in self.taken:
                message = f"`{name}` stands twice"
                self.report.add("E202", message, place.span, help="keep one of them")
            self.taken.add(name)
            yield Slot((name,), optional, place.span, optional)

    def _candidates(self, hole: Hole) -> tuple[str, ...]:
        if hole.candidates is None:
            self.spent += len(self.sequence)
            if self.spent > MOST_EDGES:
                message = f"the holes of the output have more than {MOST_EDGES:,} candidates"
                self.report.add("E308", message, hole.span, help="write fewer of them")
                return ()
            return tuple(self.sequence)
        found = [name for r in references_of(hole) for name in self._known(r)]
        if len(set(found)) < len(found):
            message = "a candidate stands twice in one hole"
            self.report.add("E202", message, hole.span, help="keep one of them")
        return tuple(sorted(set(found), key=self.places.__getitem__))

    def _known(self, reference: Reference) -> tuple[str, ...]:
        """The name, where it is known."""
        if reference.name in self.places:
            return (str(reference.name),)
        message = f"unknown feature or Cell `{reference.name}`"
        remedy = known_instead(reference.name, tuple(self.places), self.report)
        self.report.add("E201", message, reference.span, help=remedy)
        return ()

    def _members(self, family: Family) -> tuple[str, ...]:
        members = self.families.get(family.name)
        if members is None:
            message = f"`{family.name}` is the name of no family of Cells"
            remedy = known_instead(family.name, tuple(self.families), self.report)
            self.report.add("E201", message, family.span, help=remedy)
        return tuple(members or ())
