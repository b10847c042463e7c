"""How many distinct architectures a search space has: exact where it can be, else bounds."""

from __future__ import annotations

from math import prod

from ..network.count import Count
from ..network.fillings import count_fillings, is_open
from ..network.network import Network
from ..network.rules import RULES, every_inputs

MOST_LISTED = 100_000
"""How many choices are listed before bounds take the place of a count."""


def count_architectures(network: Network) -> Count:
    """The number of ways to fill the holes of a network under its rule."""
    total = count_inputs(network) * count_fillings(network.outputs, MOST_LISTED)
    for cell in network.cells:
        for step in cell.steps:
            operations = len(step.operations)
            total *= count_fillings(step.slots, MOST_LISTED) * Count(operations, operations)
    return total


def count_inputs(network: Network) -> Count:
    """The number of ways to choose the inputs of all Cells under the network's rule."""
    count = RULES[network.rule].count(network, MOST_LISTED)
    if count and count.exact:
        return count
    cells = [c for c in network.cells if is_open(c)]
    high = prod(count_fillings(c.slots, MOST_LISTED).high for c in cells)
    if high > MOST_LISTED:
        return count or Count(0, high)
    total = sum(1 for _ in every_inputs(network))
    return Count(total, total)
