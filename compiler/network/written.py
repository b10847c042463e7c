"""Slots of a network as they stand in a specification."""

from __future__ import annotations

from collections.abc import Collection

from ..language.nodes import Hole, Output, Possibly, Reference
from .network import Slot


def written_slot(slot: Slot, everything: Collection[str] = ()) -> Reference | Hole:
    """A name, or a hole; `?` where its candidates are `everything` that could stand there."""
    if not slot.open:
        return Reference(slot.candidates[0])
    if everything and set(slot.candidates) == set(everything):
        return Hole()
    return Hole(tuple(map(Reference, slot.candidates)))


def written_output(slot: Slot, everything: Collection[str] = ()) -> Output:
    """A place of the output; `A?` where it may stay empty."""
    if not slot.optional:
        return written_slot(slot, everything)
    alone = len(slot.candidates) == 1
    return Possibly(Reference(slot.candidates[0]) if alone else written_slot(slot, everything))
