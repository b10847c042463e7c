"""The choices for the holes of one Cell or Step, whatever rule holds between Cells.

A choice is a tuple with the name in each slot, fixed ones included. A hole chooses an input that no
other slot of its Cell or Step has. The places of the output are filled likewise; optional ones may
stay empty, but not all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from math import comb
from typing import TypeAlias

from .count import Count
from .matching import shortage
from .network import NOTHING, NetworkCell, Slot

Choice: TypeAlias = tuple[str, ...]


def is_open(cell: NetworkCell) -> bool:
    """Whether a Cell has an input to be found."""
    return any(slot.open for slot in cell.slots)


def fixed_choice(cell: NetworkCell) -> Choice:
    """The inputs of a Cell without open inputs."""
    return tuple(slot.candidates[0] for slot in cell.slots)


def fillings(slots: Sequence[Slot]) -> Iterator[Choice]:
    """Every choice for the slots of one Cell or Step, none where they cannot be filled.

    Open slots with equal candidates are unordered: of their orders only the first is given.
    """
    fixed = {s.candidates[0] for s in slots if not s.open}
    twins = [twin_before(slots, i) for i in range(len(slots))]
    opened = [i for i, slot in enumerate(slots) if slot.open]

    def options(index: int, chosen: Choice) -> Iterator[str]:
        slot, twin = slots[index], twins[index]
        start, ended = 0, False
        while twin is not None:
            if twin < len(chosen) and chosen[twin] != NOTHING:
                start = slot.candidates.index(chosen[twin]) + 1
                break
            ended = ended or twin < len(chosen)
            twin = twins[twin]
        if not (slot.optional and ended):
            gone = fixed.union(chosen)
            yield from (c for c in islice(slot.candidates, start, None) if c not in gone)
        if slot.optional:
            yield NOTHING

    def can_be_completed(chosen: Choice) -> bool:
        """Whether the later slots still have an input each, so that no search ends in vain."""
        later = [i for i in opened if i >= len(chosen) and not slots[i].optional]
        return not shortage([list(islice(options(i, chosen), len(later))) for i in later])

    def extend(chosen: Choice) -> Iterator[Choice]:
        index = len(chosen)
        if index == len(slots):
            if any(chosen) or not chosen:
                yield chosen
        elif not slots[index].open:
            yield from extend((*chosen, slots[index].candidates[0]))
        else:
            for candidate in options(index, chosen):
                if can_be_completed((*chosen, candidate)):
                    yield from extend((*chosen, candidate))

    return extend(()) if can_be_completed(()) else iter(())


def in_order(slots: Sequence[Slot], chosen: Choice) -> Choice:
    """The choice as `fillings` gives it: where open slots have equal candidates, the first take
    theirs in the order of these, and those that may stay empty do so last."""
    ordered = list(chosen)
    alike: dict[tuple[str, ...], list[int]] = {}
    for place, slot in enumerate(slots):
        if slot.open:
            alike.setdefault(slot.candidates, []).append(place)
    for candidates, places in alike.items():
        names = sorted({chosen[place] for place in places} - {NOTHING}, key=candidates.index)
        spare = len(names) - sum(not slots[place].optional for place in places)
        for place in places:
            empty = slots[place].optional and spare <= 0
            spare -= slots[place].optional
            ordered[place] = NOTHING if empty else names.pop(0)
    return tuple(ordered)


def fits(slots: Sequence[Slot], chosen: Choice) -> bool:
    """Whether a choice fills the slots of one Cell or Step, in whichever order of equal ones."""
    pairs = list(zip(slots, chosen, strict=True))
    known = all(c in s.candidates or (s.optional and c == NOTHING) for s, c in pairs)
    apart = all(not s.open or c == NOTHING or chosen.count(c) == 1 for s, c in pairs)
    return known and apart and (any(chosen) or not chosen)


def choices(cell: NetworkCell) -> Iterator[Choice]:
    """Every choice for the inputs of a Cell; a single one where none is open."""
    return fillings(cell.slots) if is_open(cell) else iter((fixed_choice(cell),))


def twin_before(slots: Sequence[Slot], index: int) -> int | None:
    """The last open slot before this one that has the same candidates."""
    if not slots[index].open:
        return None
    for i in range(index - 1, -1, -1):
        if slots[i].open and slots[i].candidates == slots[index].candidates:
            return i
    return None


def count_fillings(slots: Sequence[Slot], most: int) -> Count:
    """How many choices `fillings` gives, of which at most `most` are listed.

    The formula is exact where open slots have equal or disjoint candidates, and elsewhere an upper
    bound.
    """
    fixed = {s.candidates[0] for s in slots if not s.open}
    groups: dict[tuple[str, ...], list[Slot]] = {}
    for slot in (s for s in slots if s.open):
        groups.setdefault(slot.candidates, []).append(slot)
    high = 1
    for candidates, twins in groups.items():
        free = len(candidates) - sum(c in fixed for c in candidates)
        least = sum(not slot.optional for slot in twins)
        high *= sum(comb(free, count) for count in range(least, len(twins) + 1))
    if slots and all(slot.optional for slot in slots):
        high -= 1  # an output of nothing
    if len(groups) == 1 or sum(map(len, groups)) == len(set().union(*groups)):
        return Count(high, high)
    listed = sum(1 for _ in islice(fillings(slots), most + 1))
    return Count(listed, listed) if listed <= most else Count(listed, high)


def unfillable(slots: Sequence[Slot]) -> tuple[int, int] | None:
    """A proof that slots cannot be filled: so many of them share too few candidates."""
    required = [slot for slot in slots if slot.open and not slot.optional]
    if not required:
        return None
    fixed = {s.candidates[0] for s in slots if not s.open}
    options = [[c for c in s.candidates if c not in fixed] for s in required]
    return shortage(options)
