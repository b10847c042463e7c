"""Rules for filling holes: the one place that checking, counting, searching and deriving ask.

Within one Cell or Step a hole chooses an input that no other slot of it has. Between Cells the
network's rule decides. Rules bind what holes choose, never what a program fixes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from math import comb, factorial, prod

from .count import Count
from .fillings import Choice, choices, count_fillings, fillings, fixed_choice, is_open
from .matching import UndecidedError, contested, shortage
from .network import Network, NetworkCell, Slot

MOST_TRIED = 20_000
"""How many choices a proof may try before it says that it could not decide."""
MOST_SEARCHED = 200
"""For how many Cells a proof is searched."""
MOST_LISTING = 1_000_000
"""How much work a proof may list sets of inputs with; one takes the fourth power of its slots."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule between Cells.

    `admits(network, index, choice, earlier)` says whether the Cell at `index` may take `choice`
    after the choices of the Cells before it; `completable(network, chosen)` whether the Cells after
    those in `chosen` can still be filled; `count(network, most)` how many choices for all Cells it
    admits, found by listing at most `most`, or None where the rule knows no shorter way than to try
    them all. `source` is where the rule comes from and another name for it; `summary` states it in
    half a sentence.
    """

    summary: str
    source: str
    admits: Callable[[Network, int, Choice, Sequence[Choice]], bool]
    completable: Callable[[Network, Sequence[Choice]], Verdict]
    count: Callable[[Network, int], Count | None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether rules can be met: yes, no with a reason in numbers, or undecided (None)."""

    possible: bool | None
    reason: str = ""


def _distinct_pairs(
    network: Network, index: int, choice: Choice, earlier: Sequence[Choice]
) -> bool:
    """No two Cells take the same set of inputs (the paper's footnote 1)."""
    pair = frozenset(choice)
    return pair not in network.fixed_inputs and all(pair != frozenset(c) for c in earlier)


def _fresh_input(network: Network, index: int, choice: Choice, earlier: Sequence[Choice]) -> bool:
    """Features only, at least one of which no earlier Cell took (the published code)."""
    features = network.feature_by_name
    slots = network.cells[index].slots
    chosen = [c for c, slot in zip(choice, slots, strict=True) if slot.open]
    if any(c not in features for c in chosen):
        return False
    taken = {c for e in earlier for c in e}
    return any(c in features and c not in taken for c in choice)


def admits(network: Network, index: int, choice: Choice, earlier: Sequence[Choice]) -> bool:
    """Whether the network's rule lets a Cell take a choice; what is fixed is always admitted."""
    if not is_open(network.cells[index]):
        return True
    return RULES[network.rule].admits(network, index, choice, earlier)


def every_inputs(network: Network) -> Iterator[tuple[Choice, ...]]:
    """Every way to choose the inputs of all Cells under the network's rule."""
    stack: list[tuple[Choice, ...]] = [()]
    while stack:
        chosen = stack.pop()
        index = len(chosen)
        if index == len(network.cells):
            yield chosen
        else:
            listed = choices(network.cells[index])
            stack += [(*chosen, c) for c in listed if admits(network, index, c, chosen)]


def completable(network: Network, chosen: Sequence[Choice] = ()) -> Verdict:
    """Whether the Cells after those in `chosen` still have choices that meet the rule."""
    return RULES[network.rule].completable(network, chosen)


def _completable_distinct(network: Network, chosen: Sequence[Choice]) -> Verdict:
    remaining = [i for i in range(len(chosen), len(network.cells)) if is_open(network.cells[i])]
    gone = network.fixed_inputs.union(map(frozenset, chosen))
    least = [_least_sets(network.cells[i].slots, gone) for i in remaining]
    tight = [remaining[row] for row in contested(least)]
    try:
        proof = shortage(_families(network, tight, chosen))
    except UndecidedError:
        return Verdict(None)
    if proof is None:
        return Verdict(True)
    cells, sets_left = proof
    if sets_left == 0:
        return Verdict(False, "a Cell can take no set of inputs that no other Cell takes")
    return Verdict(
        False,
        f"{cells} Cells must differ in their inputs, but have {sets_left} to choose from",
    )


def _least_sets(slots: Sequence[Slot], gone: Collection[frozenset[str]]) -> int:
    """How many different sets slots can take at least; exact where candidates are equal.

    Those in `gone` do not count.
    """
    fixed = {s.candidates[0] for s in slots if not s.open}
    groups = Counter(s.candidates for s in slots if s.open)
    taken, total, orders = 0, 1, factorial(groups.total())
    for candidates, count in sorted(groups.items(), key=lambda group: len(group[0])):
        free = len(candidates) - sum(c in fixed for c in candidates) - taken
        total *= comb(max(0, free), count)
        orders //= factorial(count)
        taken += count
    size = len(fixed) + sum(groups.values())
    lost = [g for g in gone if len(g) == size and fixed <= g] if gone else []
    names = fixed.union(*groups) if lost else fixed
    return total // orders - sum(g <= names for g in lost)


def _families(
    network: Network, cells: Sequence[int], chosen: Sequence[Choice]
) -> list[list[frozenset[str]]]:
    """The sets that each of these Cells may take, up to as many as there are Cells.

    Cells with equal slots share one list. Raises UndecidedError where there are too many.
    """
    families: dict[tuple[Slot, ...], list[frozenset[str]]] = {}
    room = MOST_LISTING
    for index in cells:
        slots = network.cells[index].slots
        if slots in families:
            continue
        sets: dict[frozenset[str], None] = {}
        for choice in _within(room // len(slots) ** 4, fillings(slots)):
            room -= len(slots) ** 4
            if admits(network, index, choice, chosen):
                sets[frozenset(choice)] = None
            if len(sets) == len(cells):
                break
        families[slots] = list(sets)
    return [families[network.cells[index].slots] for index in cells]


def _within(most: int, choices: Iterator[Choice]) -> Iterator[Choice]:
    """At most so many choices; raises UndecidedError before one more is searched for."""
    for _ in range(most):
        choice = next(choices, None)
        if choice is None:
            return
        yield choice
    raise UndecidedError


def _count_distinct(network: Network, most: int) -> Count:
    """Exact where the sets that Cells can take nest or are disjoint, elsewhere bounds.

    In order of their numbers of sets the Cells then have ∏ₖ (|Sₖ| − number of smaller ones nested
    in Sₖ).
    """
    exact = _distinct_uniform(network) or _distinct_laminar(network, most)
    if exact is not None:
        return exact
    low, high = 1, 1
    for cell in (c for c in network.cells if is_open(c)):
        each = count_fillings(cell.slots, most)
        same_set = factorial(sum(slot.open for slot in cell.slots))
        low *= max(0, each.low - (len(network.cells) - 1) * same_set)
        high *= each.high
    return Count(low, high)


def _distinct_uniform(network: Network) -> Count | None:
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
    total = prod(max(0, count_fillings(c.slots, 0).high - k) for k, c in enumerate(cells))
    return Count(total, total)


def _distinct_laminar(network: Network, most: int) -> Count | None:
    """Where the sets that Cells can take are few, and any two families nest or are disjoint."""
    families: list[frozenset[frozenset[str]]] = []
    room = most
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


def _fresh_features(
    network: Network, cells: Sequence[NetworkCell], taken: Collection[str]
) -> set[str]:
    """The features that these Cells may take and that are not taken yet."""
    features = network.feature_by_name
    candidates = {c for cell in cells for slot in cell.slots for c in slot.candidates}
    return {c for c in candidates if c in features and c not in taken}


def _completable_by_search(network: Network, chosen: Sequence[Choice]) -> Verdict:
    open_cells = [i for i in range(len(chosen), len(network.cells)) if is_open(network.cells[i])]
    first_open = open_cells[0] if open_cells else len(network.cells)
    leading = [fixed_choice(c) for c in network.cells[len(chosen) : first_open]]
    taken = {c for choice in (*chosen, *leading) for c in choice}
    fresh = _fresh_features(network, [network.cells[i] for i in open_cells], taken)
    if len(open_cells) > MOST_SEARCHED and len(fresh) >= len(open_cells):
        return Verdict(None)
    possible = _Search(network, open_cells).possible(frozenset(taken))
    if possible is not False:
        return Verdict(possible)
    needy = "1 Cell needs" if len(open_cells) == 1 else f"{len(open_cells)} Cells each need"
    slots = len(network.cells[first_open].slots) if open_cells else 0
    return Verdict(
        False,
        f"{needy} a feature that no earlier Cell took, and the first takes {slots} inputs, but "
        f"{len(fresh)} such features are left",
    )


class _Search:
    """Depth-first search for choices of open Cells, with memory of dead ends and a bound.

    What matters of the choices of earlier Cells is which names they took.
    """

    def __init__(self, network: Network, cells: Sequence[int]) -> None:
        self.network, self.cells, self.tried = network, cells, 0
        self.dead: set[tuple[int, frozenset[str]]] = set()
        self._left = [_fresh_features(network, [network.cells[i]], ()) for i in cells]
        for later in range(len(cells) - 2, -1, -1):
            self._left[later] |= self._left[later + 1]

    def possible(self, taken: frozenset[str], place: int = 0) -> bool | None:
        """Whether the open Cells from `place` on can be filled after these names are taken."""
        if place == len(self.cells):
            return True
        if (place, taken) in self.dead or self._too_few(place, taken):
            return False
        index = self.cells[place]
        undecided = False
        for choice in choices(self.network.cells[index]):
            self.tried += 1
            if self.tried > MOST_TRIED:
                return None
            if admits(self.network, index, choice, (tuple(taken),)):
                verdict = self.possible(taken.union(choice, self._fixed_after(place)), place + 1)
                if verdict:
                    return True
                undecided = undecided or verdict is None
        if undecided:
            return None
        self.dead.add((place, taken))
        return False

    def _fixed_after(self, place: int) -> Collection[str]:
        """What the Cells without open inputs take that stand before the next open one."""
        end = self.cells[place + 1] if place + 1 < len(self.cells) else self.cells[place] + 1
        between = self.network.cells[self.cells[place] + 1 : end]
        return {c for cell in between for c in fixed_choice(cell)}

    def _too_few(self, place: int, taken: frozenset[str]) -> bool:
        return len(self._left[place] - taken) < len(self.cells) - place


def _count_fresh(network: Network, most: int) -> Count | None:
    """Cell by Cell, over the sets of features that may have been taken."""
    states: dict[frozenset[str], int] = {frozenset(): 1}
    work = 0
    for index, cell in enumerate(network.cells):
        following: Counter[frozenset[str]] = Counter()
        for taken, ways in states.items():
            earlier = (tuple(taken),)
            for choice in choices(cell):
                work += 1
                if work > most:
                    return None
                if admits(network, index, choice, earlier):
                    following[taken | frozenset(choice)] += ways
        states = following
    total = sum(states.values())
    return Count(total, total)


DEFAULT_RULE = "distinct_pairs"
RULES: Mapping[str, Rule] = {
    "distinct_pairs": Rule(
        "no two Cells take the same set of inputs",
        "paper",
        _distinct_pairs,
        _completable_distinct,
        _count_distinct,
    ),
    "fresh_input": Rule(
        "each Cell takes a feature that no earlier Cell took",
        "published",
        _fresh_input,
        _completable_by_search,
        _count_fresh,
    ),
}
