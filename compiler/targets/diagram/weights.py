"""A hypernet in a picture: the weights of its mixtures, equations (1), (2) and (8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...network.holes import RELAXATIONS, holes_of
from ...network.names import identifier
from ...network.network import Network
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
    for hole in (hole for relax in RELAXATIONS for hole in holes_of(network, relax)):
        row = shares.get(hole.parameter, ())
        if len(row) != len(hole.candidates):
            continue
        if hole.letter == "gamma":
            operations[identifier(*hole.place)] = row
        for slot in hole.slots:
            node, number = identifier(*hole.place), slot
            if hole.letter == "alpha" and hole.cell is not None:
                node, number = identifier(*hole.place, network.cells[hole.cell].inputs[slot]), 0
            candidates = hole.slots[slot].candidates
            weights[node, number] = [row[i] for i in hole.rows(slot)[: len(candidates)]]
    return Overlay(weights, operations, least=least)
