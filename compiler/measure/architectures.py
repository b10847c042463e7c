"""How many distinct architectures a search space has: exact where it can be, else bounds."""

from __future__ import annotations

from itertools import islice, product
from math import prod

from ..diagnostics.diagnostic import Report
from ..language.nodes import NumberHole
from ..language.spec import Spec
from ..language.variants import GlobalHole, variant
from ..network.count import Count
from ..network.fillings import count_fillings, is_open
from ..network.network import Network
from ..network.rules import RULES, every_inputs
from ..resolve.resolve import try_resolve

MOST_LISTED = 100_000
"""How many choices are listed before bounds take the place of a count."""
MOST_VARIANTS = 64
"""How many numbers of Cells and Steps are counted by themselves."""


def count_architectures(network: Network) -> Count:
    """The number of ways to fill the holes of a specification under its rule.

    Of its global holes those matter that say how many Cells and Steps there are: it is the sum over
    these, or bounds where they are too many.
    """
    holes, space = network.global_holes, network.space
    sizing = [_is_sizing(hole, space) for hole in holes]
    each = [range(len(h.candidates) if s else 1) for h, s in zip(holes, sizing, strict=True)]
    low = high = 0
    for picks in islice(product(*each), MOST_VARIANTS):
        count = _count_variant(variant(space, picks)) if any(picks) else count_filled(network)
        low, high = low + count.low, high + count.high
    sizes = prod(map(len, each))
    if sizes > MOST_VARIANTS:
        whole = [_largest(hole) if s else 0 for hole, s in zip(holes, sizing, strict=True)]
        high = sizes * _most(variant(space, whole))
    alike = prod(len(hole.candidates) for hole in holes) // sizes
    return Count(alike * low, alike * high)


def _is_sizing(hole: GlobalHole, space: Spec) -> bool:
    """Whether a global hole says how many Cells or Steps there are."""
    counts = (c for cell in space.cells for c in (cell.count, *(s.count for s in cell.steps)))
    named = (count for count in counts if isinstance(count, str))
    return hole.kind == "count" or (hole.kind == "number" and hole.names[0] in named)


def _largest(hole: GlobalHole) -> int:
    """The place of the largest candidate."""
    assert isinstance(hole.hole, NumberHole)
    candidates = hole.hole.candidates
    return candidates.index(max(candidates))


def _count_variant(spec: Spec) -> Count:
    """The count of a specification without global holes; none where its names do not resolve."""
    network = try_resolve(spec, Report())
    return Count(0, 0) if network is None else count_filled(network)


def _most(spec: Spec) -> int:
    """More than the holes of a specification can be filled in, whatever its rule."""
    network = try_resolve(spec, Report())
    return 0 if network is None else (_unruled(network) * _count_rest(network)).high


def count_filled(network: Network) -> Count:
    """The number of ways to fill the holes of Cells and Steps of a network under its rule."""
    return count_inputs(network) * _count_rest(network)


def _count_rest(network: Network) -> Count:
    """The number of ways to fill what no rule decides: Steps and the output."""
    total = count_fillings(network.outputs, MOST_LISTED)
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
    most = _unruled(network)
    if most.high > MOST_LISTED:
        return count or most
    total = sum(1 for _ in every_inputs(network))
    return Count(total, total)


def _unruled(network: Network) -> Count:
    """The number of ways to choose the inputs of all Cells, if there were no rule: the most."""
    cells = [c for c in network.cells if is_open(c)]
    return Count(0, prod(count_fillings(c.slots, MOST_LISTED).high for c in cells))
