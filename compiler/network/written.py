"""Slots of a network as they stand in a specification."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..language.nodes import Hole, Output, Possibly, Reference
from .network import Slot


def written_slot(slot: Slot, everything: Collection[str] = ()) -> Reference | Hole:
    """A name, or a hole; `?` where its candidates are `everything` that could stand there."""
    if not slot.open:
        return Reference(slot.candidates[0])
    if everything and set(slot.candidates) == set(everything):
        return Hole()
    return Hole(tuple(map(Reference, slot.candidates)))


def written_outputs(slots: Sequence[Slot], everything: Collection[str] = ()) -> tuple[Output, ...]:
    """The places of an output; `A?` where one may stay empty, `{A}?` where `A` stands already."""
    named = {slot.candidates[0] for slot in slots if not slot.open}
    places: list[Output] = []
    for slot in slots:
        alone = slot.candidates[0] if len(slot.candidates) == 1 else None
        item = written_slot(slot, everything)
        if slot.optional and alone is not None:
            item = Hole((Reference(alone),)) if alone in named else Reference(alone)
            named.add(alone)
        places.append(Possibly(item) if slot.optional else item)
    return tuple(places)
