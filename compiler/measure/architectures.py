"""How many distinct architectures a search space has: exact where it can be, else bounds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from math import factorial, floor, log10, prod
from typing import Any

from ..network.network import Network, NetworkStep, Slot
from ..network.rules import Choice, admits, choices, count_fillings, fillings, is_open

MOST_LISTED = 100_000
"""How many choices are listed before bounds take the place of a count."""
LARGEST_WRITTEN = 10**300
"""Numbers from here on are left out of JSON, where many readers cannot take them."""


@dataclass(frozen=True, slots=True)
class Count:
    """A number between two bounds, which are equal where it is exact."""

    low: int
    high: int

    @property
    def exact(self) -> bool:
        return self.low == self.high

    def __mul__(self, other: Count) -> Count:
        return Count(self.low * other.low, self.high * other.high)

    def __str__(self) -> str:
        if self.exact:
            return readable(self.low)
        return f"between {readable(self.low)} and {readable(self.high)} (bounds)"

    def as_json(self) -> dict[str, Any]:
        """Bounds as numbers, or None beyond what a JSON reader takes; their log10; exactness."""
        return {
            "low": self.low if self.low < LARGEST_WRITTEN else None,
            "high": self.high if self.high < LARGEST_WRITTEN else None,
            "log10_low": log10(self.low) if self.low else None,
            "log10_high": log10(self.high) if self.high else None,
            "exact": self.exact,
        }


def readable(number: int) -> str:
    """A count with its digits in groups, or as a power of ten where it is very large."""
    if number < 10**15:
        return f"{number:,}"
    exponent = floor(log10(number))
    return f"{number // 10 ** (exponent - 2) / 100:.2f} × 10^{exponent}"


def count_architectures(network: Network) -> Count:
    """The number of ways to fill the holes of a network under its rule."""
    total = count_inputs(network)
    for cell in network.cells:
        for step in cell.steps:
            total = total * _count_step(step)
    return total


def _count_step(step: NetworkStep) -> Count:
    return _count_slots(step.slots) * Count(len(step.operations), len(step.operations))


def _count_slots(slots: Sequence[Slot]) -> Count:
    """The number of choices for the slots of one Cell or Step."""
    most = count_fillings(slots)
    groups = list(dict.fromkeys(s.candidates for s in slots if s.open))
    members = Counter(c for group in groups for c in group)
    if all(n == 1 for n in members.values()) or len(groups) == 1:
        return Count(most, most)
    listed = sum(1 for _ in islice(fillings(slots), MOST_LISTED + 1))
    return Count(listed, listed) if listed <= MOST_LISTED else Count(listed, most)


def count_inputs(network: Network) -> Count:
    """The number of ways to choose the inputs of all Cells under the network's rule.

    With `distinct_pairs`, where the sets that Cells can take nest or are disjoint, the Cells in
    order of their numbers of sets have ∏ₖ (|Sₖ| − number of smaller ones nested in Sₖ).
    """
    cells = [c for c in network.cells if is_open(c)]
    each = [_count_slots(c.slots) for c in cells]
    if network.rule == "distinct_pairs":
        exact = _count_uniform(network) or _count_laminar(network)
        if exact is not None:
            return exact
    if prod(c.high for c in each) <= MOST_LISTED:
        return _count_by_search(network)
    others = len(network.cells) - 1
    low = prod(max(0, n.low - others * _orders(c.slots)) for n, c in zip(each, cells, strict=True))
    high = prod(c.high for c in each)
    if network.rule == "distinct_pairs":
        return Count(low, high)
    counted = _count_fresh(network) if network.rule == "fresh_input" else None
    return counted or Count(0, high)


def _orders(slots: Sequence[Slot]) -> int:
    """How many choices for slots may have the same set of inputs."""
    return factorial(sum(slot.open for slot in slots))


def _count_uniform(network: Network) -> Count | None:
    """Where all Cells choose equally many inputs from nested candidates, and none is fixed."""
    cells = list(network.cells)
    if any(not s.open or s.candidates != c.slots[0].candidates for c in cells for s in c.slots):
        return None
    if len({len(c.slots) for c in cells}) != 1:
        return None
    cells.sort(key=lambda c: len(c.slots[0].candidates))
    candidates = [c.slots[0].candidates for c in cells]
    for smaller, larger in pairwise(candidates):
        if smaller != larger[: len(smaller)] and not set(smaller) <= set(larger):
            return None
    total = prod(max(0, count_fillings(c.slots) - k) for k, c in enumerate(cells))
    return Count(total, total)


def _count_laminar(network: Network) -> Count | None:
    """Where the sets that Cells can take are few, and any two families nest or are disjoint."""
    families: list[frozenset[frozenset[str]]] = []
    room = MOST_LISTED
    for cell in (c for c in network.cells if is_open(c)):
        listed = list(islice(fillings(cell.slots), room + 1))
        room -= len(listed)
        family = frozenset(map(frozenset, listed))
        if room < 0 or len(family) < len(listed):
            return None
        families.append(family - network.fixed_inputs)
    families.sort(key=len)
    total = 1
    for k, family in enumerate(families):
        inside = [f for f in families[:k] if not f.isdisjoint(family)]
        if any(not f <= family for f in inside):
            return None
        total *= max(0, len(family) - len(inside))
    return Count(total, total)


def _count_by_search(network: Network) -> Count:
    total = 0
    stack: list[tuple[Choice, ...]] = [()]
    while stack:
        chosen = stack.pop()
        if len(chosen) == len(network.cells):
            total += 1
        else:
            stack += [(*chosen, choice) for choice in _choices(network, chosen)]
    return Count(total, total)


def _choices(network: Network, chosen: tuple[Choice, ...]) -> Iterable[Choice]:
    index = len(chosen)
    return (c for c in choices(network.cells[index]) if admits(network, index, c, chosen))


def _count_fresh(network: Network) -> Count | None:
    """For `fresh_input`, Cell by Cell, over the sets of features that may have been taken."""
    states: dict[frozenset[str], int] = {frozenset(): 1}
    work = 0
    for index, cell in enumerate(network.cells):
        following: Counter[frozenset[str]] = Counter()
        for taken, ways in states.items():
            earlier = (tuple(taken),)
            for choice in choices(cell):
                work += 1
                if work > MOST_LISTED:
                    return None
                if admits(network, index, choice, earlier):
                    following[taken | frozenset(choice)] += ways
        states = following
    total = sum(states.values())
    return Count(total, total)
