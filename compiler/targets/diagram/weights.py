"""A hypernet in a picture: the weights of its mixtures, equations (1), (2) and (8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...network.holes import Slot, union
from ...network.names import architecture_name, identifier
from ...network.network import Network
from ...program.program import Scope
from .overlay import Overlay

Shares = Mapping[str, Sequence[float]]
"""The weights of candidates by the name of their architecture parameter."""


def of_mixtures(network: Network, shares: Shares, least: float = 1.0) -> Overlay:
    """An overlay with the weights of every mixture that is among `shares`.

    Under `shared`, the inputs of a Cell or Step have one parameter, whose rows are the candidates
    of all of them; under `per_input` each has its own. Candidates have an edge from `least` times
    their average weight on.
    """
    weights: dict[tuple[str, int], Sequence[float]] = {}
    operations: dict[str, Sequence[float]] = {}
    for cell in network.cells:
        for number, found in _inputs(shares, (cell.name,), "alpha", cell.slots):
            weights[identifier(cell.name, cell.inputs[number]), 0] = found
        for step in cell.steps:
            place = (cell.name, step.name)
            for number, found in _inputs(shares, place, "beta", step.slots):
                weights[identifier(*place), number] = found
            name = architecture_name(place, "gamma")
            if step.open and len(shares.get(name, ())) == len(step.operations):
                operations[identifier(*place)] = shares[name]
    return Overlay(weights, operations, least=least)


def _inputs(
    shares: Shares, place: Scope, letter: str, slots: Sequence[Slot]
) -> Iterator[tuple[int, Sequence[float]]]:
    """The weights of each open slot of a place, as far as they are known."""
    together, rows = architecture_name(place, letter), union(slots)
    for number, slot in enumerate(slots):
        alone = architecture_name(place, letter, number + 1)
        if not slot.open:
            continue
        if len(shares.get(alone, ())) == len(slot.candidates):
            yield number, shares[alone]
        elif len(shares.get(together, ())) == len(rows):
            by_name = dict(zip(rows, shares[together], strict=True))
            yield number, [by_name[name] for name in slot.candidates]
