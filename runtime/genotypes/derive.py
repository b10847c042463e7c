"""From architecture parameters to a genotype: equations (3) and (11), under the network's rule.

Deriving goes Cell by Cell, always among the choices that leave the later Cells something to
choose. A Cell takes the inputs with the largest product of weights, a Step likewise, an open
operation the candidate with the largest weight; the first on ties. Under the `shared` relaxation
slots with equal candidates are unordered: Cells print theirs in the order of the sequence, Steps
the stronger first. Under `per_input` each slot keeps what its own parameters chose, so that the
genotype is the network that the one-hot hypernet computes.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import fsum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.language.spec import Spec
from ...compiler.network.choices import CellChoice, Choices, StepChoice, fill
from ...compiler.network.fillings import (
    Choice,
    fillings,
    fixed_choice,
    in_order,
    is_open,
    twin_before,
)
from ...compiler.network.holes import Logits, Relaxation, filling, holes_by_slot, holes_of
from ...compiler.network.names import OUTPUT
from ...compiler.network.network import NOTHING, Network, NetworkCell, NetworkStep, Slot
from ...compiler.network.rules import admits, completable

SlotWeights = Sequence[Mapping[str, float]]
HoleWeights = Mapping[tuple[tuple[str, ...], int | None], Mapping[str, float]]
"""The weights of the candidates of holes, by their place and slot, None for operations."""
TINY = 1e-300
MOST_RANKED = 200_000
"""How many choices are looked at, best first, before any that is admitted will do."""


def derive(network: Network, logits: Logits, relax: Relaxation) -> Spec:
    """The genotype that architecture parameters, by name, stand for."""
    return fill(network, choose(network, logits, relax))


def choose(network: Network, logits: Logits, relax: Relaxation) -> Choices:
    """What architecture parameters, by name, choose in every Cell."""
    weights = {
        key: dict(zip(hole.candidates, hole.shares(logits).tolist(), strict=True))
        for key, hole in holes_by_slot(network, relax).items()
    }
    chosen: list[Choice] = []
    cells: list[CellChoice] = []
    for index, cell in enumerate(network.cells):
        inputs = _cell_inputs(network, index, weights, relax, chosen)
        chosen.append(inputs)
        steps = tuple(_step(cell, step, weights, relax) for step in cell.steps)
        cells.append(CellChoice(inputs, steps))
    return Choices(tuple(cells), _outputs(network, weights, relax))


def preference(network: Network, logits: Logits, relax: Relaxation) -> Callable[[Choices], float]:
    """The logarithm of the product of the weights of everything that is chosen, by the choices.

    The sum is exact, so that choices whose weights are the same are level.
    """
    weights = [
        (hole, dict(zip(hole.candidates, np.log(hole.shares(logits) + TINY).tolist(), strict=True)))
        for hole in holes_of(network, relax)
    ]
    return lambda choices: fsum(row[name] for hole, row in weights for name in hole.picks(choices))


def _cell_inputs(
    network: Network, index: int, weights: HoleWeights, relax: Relaxation, earlier: list[Choice]
) -> Choice:
    cell = network.cells[index]
    if not is_open(cell):
        return fixed_choice(cell)

    def allowed(choice: Choice) -> bool:
        return admits(network, index, choice, earlier) and (
            completable(network, [*earlier, choice]).possible is not False
        )

    of_slots = _slot_weights(cell.slots, (cell.name,), weights)
    choices = ranked(cell.slots, of_slots, ordered=relax == "per_input")
    choice = next((c for c in choices if allowed(c)), None)
    if choice is None:
        choice = next(c for c in fillings(cell.slots) if allowed(c))
    if relax == "per_input":
        return choice
    return _reordered(cell.slots, choice, lambda slot, name: slot.candidates.index(name))


def _step(
    cell: NetworkCell, step: NetworkStep, weights: HoleWeights, relax: Relaxation
) -> StepChoice:
    place = (cell.name, step.name)
    of_slots = _slot_weights(step.slots, place, weights)
    choices = ranked(step.slots, of_slots, ordered=relax == "per_input")
    inputs = next(choices, None) or next(fillings(step.slots))
    if relax == "shared":
        by_name = {name: weight for each in of_slots for name, weight in each.items()}
        inputs = _reordered(step.slots, inputs, lambda slot, name: -by_name[name])
    operations = list(weights.get((place, None), {"": 1.0}).values())
    return StepChoice(int(np.argmax(operations)), inputs)


def _outputs(network: Network, weights: HoleWeights, relax: Relaxation) -> Choice:
    slots = network.outputs
    if not any(slot.open for slot in slots):
        return tuple(slot.candidates[0] for slot in slots)
    of_slots = _slot_weights(slots, (OUTPUT,), weights)
    choice = next(ranked(slots, of_slots, ordered=True), None) or next(fillings(slots))
    return in_order(slots, choice) if relax == "shared" else choice


def _slot_weights(
    slots: Sequence[Slot], place: tuple[str, ...], weights: HoleWeights
) -> SlotWeights:
    """The weight of each candidate of each slot; 1 where a slot is fixed.

    A slot that may stay empty does with what the weight of its likeliest candidate lacks of 1,
    where no weight says otherwise.
    """
    of_slots: list[Mapping[str, float]] = []
    for number, slot in enumerate(slots):
        known = weights.get((place, number), {slot.candidates[0]: 1.0})
        if slot.optional and NOTHING not in known:
            known = {**known, NOTHING: 1 - max(known[c] for c in slot.candidates)}
        of_slots.append(known)
    return of_slots


def ranked(slots: Sequence[Slot], weights: SlotWeights, ordered: bool) -> Iterator[Choice]:
    """Choices for slots in the order of their products of weights, the best first.

    Unless `ordered`, slots with equal candidates count as unordered. A lazy search over positions
    in the slots' candidates sorted by weight; gives up after `MOST_RANKED`.
    """
    rankings = [_ranking(s, w) for s, w in zip(slots, weights, strict=True)]
    twins = [None if ordered else twin_before(slots, i) for i in range(len(slots))]
    fixed = {s.candidates[0] for s in slots if not s.open}

    def entry(state: tuple[int, ...]) -> tuple[float, tuple[int, ...], tuple[int, ...]]:
        product = 1.0
        for ranking, position in zip(rankings, state, strict=True):
            product *= ranking[position][1]
        return -product, tuple(r[p][2] for r, p in zip(rankings, state, strict=True)), state

    start: list[int] = []
    for twin in twins:
        start.append(0 if twin is None else start[twin] + 1)
    if any(p >= len(r) for p, r in zip(start, rankings, strict=True)):
        return
    heap, seen = [entry(tuple(start))], {tuple(start)}
    for _ in range(MOST_RANKED):
        if not heap:
            return
        _, _, state = heapq.heappop(heap)
        names = tuple(r[p][0] for r, p in zip(rankings, state, strict=True))
        opened = [n for n, s in zip(names, slots, strict=True) if s.open and n != NOTHING]
        if len(set(opened)) == len(opened) and fixed.isdisjoint(opened) and any(names):
            yield names
        for following in _following(state, twins, rankings):
            if following not in seen:
                seen.add(following)
                heapq.heappush(heap, entry(following))


def _ranking(slot: Slot, weights: Mapping[str, float]) -> list[tuple[str, float, int]]:
    """Candidates with weight and position, by falling weight; in order on ties."""
    items = [(c, weights[c], i) for i, c in enumerate(filling(slot))]
    return sorted(items, key=lambda item: -item[1])


def _following(
    state: tuple[int, ...], twins: Sequence[int | None], rankings: Sequence[Sequence[object]]
) -> Iterator[tuple[int, ...]]:
    """The states one position further, in which unordered slots stay in rising order."""
    for i, position in enumerate(state):
        bounded = any(twin == i and state[j] <= position + 1 for j, twin in enumerate(twins))
        if position + 1 < len(rankings[i]) and not bounded:
            yield (*state[:i], position + 1, *state[i + 1 :])


def _reordered(slots: Sequence[Slot], choice: Choice, key: Any) -> Choice:
    """The choice with slots of equal candidates in the order of `key(slot, name)`."""
    result = list(choice)
    groups: dict[tuple[str, ...], list[int]] = {}
    for i, slot in enumerate(slots):
        if slot.open:
            groups.setdefault(slot.candidates, []).append(i)
    for members in groups.values():
        slot = slots[members[0]]
        names = sorted((choice[i] for i in members), key=lambda n: key(slot, n))
        for i, name in zip(members, names, strict=True):
            result[i] = name
    return tuple(result)


# From choices to weights


def one_hot(
    network: Network, choices: Choices, relax: Relaxation
) -> dict[str, NDArray[np.float32]]:
    """The weights under which a hypernet computes a choice, and nothing else.

    Under `shared` a place mixes its chosen inputs with weight 1 each, in every slot.
    """
    rows: dict[str, NDArray[np.float32]] = {}
    for hole in holes_of(network, relax):
        picks = hole.picks(choices)
        rows[hole.parameter] = np.array([c in picks for c in hole.candidates], np.float32)
    return rows
