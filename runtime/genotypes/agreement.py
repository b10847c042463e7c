"""The holes of a network as a reader knows them, and how far genotypes agree on them.

Slots of one Cell or Step are one place here: which of them takes a candidate says little, since
most are unordered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import comb

from ...compiler.network.choices import CellChoice
from ...compiler.network.holes import Relaxation, Slot, union
from ...compiler.network.names import architecture_name
from ...compiler.network.network import Network, NetworkStep


@dataclass(frozen=True)
class Place:
    """The open inputs of a Cell or Step, or the open operation of a Step.

    `picks` is how many of the candidates are chosen.
    """

    name: str
    candidates: tuple[str, ...]
    picks: int


@dataclass(frozen=True)
class Agreement:
    """Of some genotypes, the share that chose each candidate of a place.

    `pairwise` is the share of its picks that two of them have in common, on average; None where
    there is one genotype alone.
    """

    place: Place
    shares: Mapping[str, float]
    pairwise: float | None


@dataclass(frozen=True)
class Mixture:
    """What one architecture parameter mixes, row by row, and which of it a genotype took."""

    title: str
    candidates: tuple[str, ...]
    taken: tuple[str, ...]


def picked(
    network: Network, choices: Sequence[CellChoice] | None = None
) -> Iterator[tuple[Place, tuple[str, ...]]]:
    """Every place of a network with what choices pick there; nothing without choices."""
    for number, cell in enumerate(network.cells):
        choice = choices[number] if choices is not None else None
        yield from _inputs(f"{cell.name}: inputs", cell.slots, choice.inputs if choice else None)
        for place, step in enumerate(cell.steps):
            chosen = choice.steps[place] if choice is not None else None
            name = f"{cell.name}, {step.name}"
            yield from _inputs(f"{name}: inputs", step.slots, chosen.inputs if chosen else None)
            if step.open:
                labels = _labels(step)
                taken = () if chosen is None else (labels[chosen.operation],)
                yield Place(f"{name}: operation", labels, 1), taken


def agreements(
    network: Network, genotypes: Sequence[Sequence[CellChoice]]
) -> tuple[Agreement, ...]:
    """How far genotypes of a network, one at least, agree on each of its places."""
    taken = [[names for _, names in picked(network, choices)] for choices in genotypes]
    return tuple(
        _agreement(place, [names[number] for names in taken])
        for number, (place, _) in enumerate(picked(network))
    )


def mean_pairwise(found: Sequence[Agreement]) -> float | None:
    """The mean over places of what two genotypes have in common; None where that is not known."""
    known = [a.pairwise for a in found if a.pairwise is not None]
    return sum(known) / len(known) if known else None


def mixtures(
    network: Network, relax: Relaxation, choices: Sequence[CellChoice]
) -> dict[str, Mixture]:
    """The mixtures of a hypernet by the name of their architecture parameter."""
    found: dict[str, Mixture] = {}
    for cell, choice in zip(network.cells, choices, strict=True):
        place: tuple[str, ...] = (cell.name,)
        found |= _mixed(cell.name, place, "alpha", cell.slots, choice.inputs, relax)
        for step, chosen in zip(cell.steps, choice.steps, strict=True):
            place, name = (cell.name, step.name), f"{cell.name}, {step.name}"
            found |= _mixed(name, place, "beta", step.slots, chosen.inputs, relax)
            if step.open:
                labels = _labels(step)
                taken = (labels[chosen.operation],)
                mixture = Mixture(f"{name}: operation", labels, taken)
                found[architecture_name(place, "gamma")] = mixture
    return found


def _agreement(place: Place, taken: Sequence[tuple[str, ...]]) -> Agreement:
    counts = Counter(name for names in taken for name in names)
    shares = {c: counts[c] / len(taken) for c in place.candidates}
    if len(taken) < 2:
        return Agreement(place, shares, None)
    common = sum(comb(count, 2) for count in counts.values())
    return Agreement(place, shares, common / (comb(len(taken), 2) * place.picks))


def _inputs(
    name: str, slots: Sequence[Slot], taken: Sequence[str] | None
) -> Iterator[tuple[Place, tuple[str, ...]]]:
    opened = [i for i, slot in enumerate(slots) if slot.open]
    if opened:
        chosen = () if taken is None else tuple(taken[i] for i in opened)
        yield Place(name, union(slots), len(opened)), chosen


def _mixed(
    title: str,
    place: tuple[str, ...],
    letter: str,
    slots: Sequence[Slot],
    taken: Sequence[str],
    relax: Relaxation,
) -> Iterator[tuple[str, Mixture]]:
    opened = [(n, slot, t) for n, (slot, t) in enumerate(zip(slots, taken, strict=True), 1)]
    opened = [one for one in opened if one[1].open]
    if relax == "shared" and opened:
        chosen = tuple(name for _, _, name in opened)
        mixture = Mixture(f"{title}: inputs", union(slots), chosen)
        yield architecture_name(place, letter), mixture
    elif relax == "per_input":
        for number, slot, name in opened:
            mixture = Mixture(f"{title}: input {number}", slot.candidates, (name,))
            yield architecture_name(place, letter, number), mixture


def _labels(step: NetworkStep) -> tuple[str, ...]:
    """The operations of a Step; equal labels are told apart by their place."""
    labels = [o.label for o in step.operations]
    return tuple(
        label if labels.count(label) == 1 else f"{label} ({i})" for i, label in enumerate(labels, 1)
    )
