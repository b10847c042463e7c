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
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.language.spec import Spec
from ...compiler.network.choices import CellChoice, Choices, StepChoice, fill
from ...compiler.network.fillings import Choice, fillings, fixed_choice, is_open, twin_before
from ...compiler.network.holes import Relaxation, Slot, union
from ...compiler.network.names import architecture_name
from ...compiler.network.network import Network, NetworkCell, NetworkStep
from ...compiler.network.rules import admits, completable

Logits = Mapping[str, NDArray[Any]]
SlotWeights = Sequence[Mapping[str, float]]
TINY = 1e-300
MOST_RANKED = 200_000
"""How many choices are looked at, best first, before any that is admitted will do."""


def derive(network: Network, logits: Logits, relax: Relaxation) -> Spec:
    """The genotype that architecture parameters, by name, stand for."""
    return fill(network, choose(network, logits, relax))


def choose(network: Network, logits: Logits, relax: Relaxation) -> Choices:
    """What architecture parameters, by name, choose in every Cell."""
    chosen: list[Choice] = []
    cells: list[CellChoice] = []
    for index, cell in enumerate(network.cells):
        inputs = _cell_inputs(network, index, logits, relax, chosen)
        chosen.append(inputs)
        steps = tuple(_step(cell, step, logits, relax) for step in cell.steps)
        cells.append(CellChoice(inputs, steps))
    return tuple(cells)


def preference(
    network: Network, logits: Logits, relax: Relaxation, choices: Sequence[CellChoice]
) -> float:
    """The logarithm of the product of the weights of everything that is chosen."""
    total = 0.0
    for cell, choice in zip(network.cells, choices, strict=True):
        places: list[tuple[tuple[str, ...], str, Sequence[Slot], Choice]] = []
        places.append(((cell.name,), "alpha", cell.slots, choice.inputs))
        for step, chosen in zip(cell.steps, choice.steps, strict=True):
            place: tuple[str, ...] = (cell.name, step.name)
            places.append((place, "beta", step.slots, chosen.inputs))
            if step.open:
                count = (len(step.operations),)
                weights = _weights(logits, architecture_name(place, "gamma"), count)
                total += float(np.log(weights[chosen.operation] + TINY))
        for place, letter, slots, names in places:
            each = slot_weights(slots, place, letter, logits, relax)
            total += sum(float(np.log(w[n] + TINY)) for w, n in zip(each, names, strict=True))
    return total


def _cell_inputs(
    network: Network, index: int, logits: Logits, relax: Relaxation, earlier: list[Choice]
) -> Choice:
    cell = network.cells[index]
    if not is_open(cell):
        return fixed_choice(cell)
    weights = slot_weights(cell.slots, (cell.name,), "alpha", logits, relax)

    def allowed(choice: Choice) -> bool:
        return admits(network, index, choice, earlier) and (
            completable(network, [*earlier, choice]).possible is not False
        )

    choices = ranked(cell.slots, weights, ordered=relax == "per_input")
    choice = next((c for c in choices if allowed(c)), None)
    if choice is None:
        choice = next(c for c in fillings(cell.slots) if allowed(c))
    if relax == "per_input":
        return choice
    return _reordered(cell.slots, choice, lambda slot, name: slot.candidates.index(name))


def _step(cell: NetworkCell, step: NetworkStep, logits: Logits, relax: Relaxation) -> StepChoice:
    place = (cell.name, step.name)
    weights = slot_weights(step.slots, place, "beta", logits, relax)
    choices = ranked(step.slots, weights, ordered=relax == "per_input")
    inputs = next(choices, None) or next(fillings(step.slots))
    if relax == "shared":
        by_name: dict[str, float] = {}
        for known in weights:
            by_name.update(known)
        inputs = _reordered(step.slots, inputs, lambda slot, name: -by_name[name])
    operation = 0
    if step.open:
        count = (len(step.operations),)
        operation = int(np.argmax(_weights(logits, architecture_name(place, "gamma"), count)))
    return StepChoice(operation, inputs)


def slot_weights(
    slots: Sequence[Slot], place: tuple[str, ...], letter: str, logits: Logits, relax: Relaxation
) -> SlotWeights:
    """The weight of each candidate of each slot; 1 where a slot is fixed."""
    shared: Mapping[str, float] = {}
    if relax == "shared" and any(s.open for s in slots):
        rows = union(slots)
        weights = _weights(logits, architecture_name(place, letter), (len(rows), 2))[:, 1]
        shared = dict(zip(rows, weights.tolist(), strict=True))
    found: list[Mapping[str, float]] = []
    for number, slot in enumerate(slots, start=1):
        if not slot.open:
            found.append({slot.candidates[0]: 1.0})
        elif relax == "shared":
            found.append({c: shared[c] for c in slot.candidates})
        else:
            name = architecture_name(place, letter, number)
            own = _weights(logits, name, (len(slot.candidates),))
            found.append(dict(zip(slot.candidates, own.tolist(), strict=True)))
    return found


def _weights(logits: Logits, name: str, sizes: tuple[int, ...]) -> NDArray[np.float64]:
    """The softmax of an architecture parameter; even where the hypernet does not reach it."""
    given = np.asarray(logits.get(name, np.zeros(sizes)), np.float64)
    shifted = np.exp(given - np.max(given, axis=-1, keepdims=True))
    result: NDArray[np.float64] = shifted / shifted.sum(-1, keepdims=True)
    return result


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
        opened = [n for n, s in zip(names, slots, strict=True) if s.open]
        if len(set(opened)) == len(opened) and fixed.isdisjoint(opened):
            yield names
        for following in _following(state, twins, rankings):
            if following not in seen:
                seen.add(following)
                heapq.heappush(heap, entry(following))


def _ranking(slot: Slot, weights: Mapping[str, float]) -> list[tuple[str, float, int]]:
    """Candidates with weight and position, by falling weight; in order on ties."""
    items = [(c, weights[c], i) for i, c in enumerate(slot.candidates)]
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
    network: Network, choices: Sequence[CellChoice], relax: Relaxation
) -> dict[str, NDArray[np.float32]]:
    """The weights under which a hypernet computes a choice, and nothing else.

    Under `shared` a place mixes its chosen inputs with weight 1 each, in every slot.
    """
    found: dict[str, NDArray[np.float32]] = {}
    for cell, choice in zip(network.cells, choices, strict=True):
        place: tuple[str, ...] = (cell.name,)
        found |= _one_hot_slots(cell.slots, choice.inputs, place, "alpha", relax)
        for step, chosen in zip(cell.steps, choice.steps, strict=True):
            place = (cell.name, step.name)
            found |= _one_hot_slots(step.slots, chosen.inputs, place, "beta", relax)
            if step.open:
                row = np.zeros(len(step.operations), np.float32)
                row[chosen.operation] = 1
                found[architecture_name(place, "gamma")] = row
    return found


def _one_hot_slots(
    slots: Sequence[Slot],
    inputs: Sequence[str],
    place: tuple[str, ...],
    letter: str,
    relax: Relaxation,
) -> dict[str, NDArray[np.float32]]:
    opened = [(n, s, i) for n, (s, i) in enumerate(zip(slots, inputs, strict=True), 1) if s.open]
    if relax == "per_input":
        return {
            architecture_name(place, letter, number): np.array(
                [c == taken for c in slot.candidates], np.float32
            )
            for number, slot, taken in opened
        }
    if not opened:
        return {}
    taken_here = {taken for _, _, taken in opened}
    rows = np.array([c in taken_here for c in union(slots)], np.float32)
    return {architecture_name(place, letter): rows}
