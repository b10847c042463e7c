"""How far genotypes agree on the holes of their network.

The slots of a Cell or Step are one hole here, as under `shared`: which of them takes a candidate
says little, since most are unordered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import comb

from ...compiler.language.variants import Picks
from ...compiler.network.choices import Choices
from ...compiler.network.holes import Hole, holes_of
from ...compiler.network.network import Network


@dataclass(frozen=True)
class Agreement:
    """Of some genotypes, the share that chose each candidate of a hole.

    `pairwise` is the share of its picks that two of them have in common, on average; None where
    there is one genotype alone.
    """

    hole: Hole
    shares: Mapping[str, float]
    pairwise: float | None


def agreements(network: Network, genotypes: Sequence[Choices]) -> tuple[Agreement, ...]:
    """How far genotypes, one at least, agree on each of the holes of the variant most are of."""
    picks = common_variant(genotypes)
    alike = [choices for choices in genotypes if choices.variant == picks]
    return tuple(
        _agreement(hole, [hole.picks(choices) for choices in alike])
        for hole in holes_of(network.variant(picks), "shared")
    )


def common_variant(genotypes: Iterable[Choices]) -> Picks:
    """The variant that most genotypes are of, the first of them on ties."""
    return Counter(choices.variant for choices in genotypes).most_common(1)[0][0]


def mean_pairwise(found: Sequence[Agreement]) -> float | None:
    """The mean over holes of what two genotypes have in common; None where that is not known."""
    values = [a.pairwise for a in found if a.pairwise is not None]
    return sum(values) / len(values) if values else None


def _agreement(hole: Hole, picks: Sequence[tuple[str, ...]]) -> Agreement:
    counts = Counter(name for names in picks for name in names)
    shares = {c: counts[c] / len(picks) for c in hole.candidates}
    common = sum(comb(count, 2) for count in counts.values())
    pairs = comb(len(picks), 2) * counts.total() / len(picks)
    return Agreement(hole, shares, common / pairs if pairs else None)
