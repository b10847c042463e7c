"""The genotype that most searches of one specification agree with.

Each run votes with the weights of its mixtures in the round that was kept, or, where it has none,
with all its weight on what it chose. The mean of the votes is derived like architecture parameters,
so that the result satisfies the specification's rule and budgets. Of numbers and roles it has those
that most runs chose together, and these runs vote on the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ...compiler.language.spec import Spec
from ...compiler.network.choices import Choices, fill
from ...compiler.network.holes import Logits, Relaxation, holes_of
from ...compiler.network.network import Network
from ...compiler.resolve.unfill import unfill
from ..genotypes.agreement import Agreement, agreements, common_variant, mean_pairwise
from ..genotypes.derive import one_hot
from ..runs.folder import RunFolder
from ..runs.read import FinishedRun, Search, read_run, specification_of
from .budgets import Budgets

LEAST = 1e-12
"""What a vote counts at least, so that its logarithm is finite."""


@dataclass(frozen=True)
class Support:
    """What a consensus picks in a place, and the share of runs that picked the same on average."""

    place: str
    picks: tuple[str, ...]
    share: float

    def as_json(self) -> dict[str, Any]:
        """The support as a record."""
        return {"place": self.place, "picks": list(self.picks), "share": self.share}


@dataclass(frozen=True)
class Consensus:
    """The genotype, how far the runs support it, and how far they agree with each other."""

    genotype: Spec
    support: tuple[Support, ...]
    agreement: tuple[Agreement, ...]

    def as_json(self) -> dict[str, Any]:
        """All of it as a record."""
        return {
            "genotype": str(self.genotype),
            "support": [s.as_json() for s in self.support],
            "pairwise_agreement": mean_pairwise(self.agreement),
        }


def consensus(paths: Sequence[str | PathLike[str]]) -> Consensus:
    """The consensus of search runs; raises DiagnosticError where they share no specification."""
    every = [read_run(path) for path in paths]
    space = specification_of(every)
    genotypes = [unfill(space, run.genotype) for run in every]
    picks = common_variant(genotypes)
    pairs = zip(every, genotypes, strict=True)
    runs, found = zip(*((run, one) for run, one in pairs if one.variant == picks), strict=True)
    network = space.variant(picks)
    searches = [run.search for run in runs if run.search is not None]
    relax = cast(Relaxation, searches[0].settings.relax)
    votes = [
        _votes(network, relax, run, search) for run, search in zip(runs, searches, strict=True)
    ]
    budgets = Budgets(network, relax, RunFolder(runs[0].path).profile())
    choices = budgets.choose(_logits(network, relax, votes))
    agreement = agreements(network, found)
    support = tuple(_support(known, choices) for known in agreement)
    return Consensus(fill(network, choices), support, agreement)


def _support(known: Agreement, choices: Choices) -> Support:
    picks = known.hole.picks(choices)
    return Support(
        known.hole.title, picks, float(np.mean([known.shares[p] for p in picks] or [1.0]))
    )


def _votes(
    network: Network, relax: Relaxation, run: FinishedRun, search: Search
) -> Mapping[str, NDArray[Any]]:
    """The weight of each candidate of each mixture: those that were kept, else of the genotype."""
    votes: dict[str, NDArray[Any]] = dict(one_hot(network, unfill(network, run.genotype), relax))
    kept = search.best
    if kept is not None and search.settings.relax == relax:
        for name, row in votes.items():
            if name in kept.architecture and len(kept.weights(name)) == len(row):
                votes[name] = kept.weights(name)
    return votes


def _logits(
    network: Network, relax: Relaxation, votes: Sequence[Mapping[str, NDArray[Any]]]
) -> Logits:
    """Architecture parameters whose softmax is the mean of votes."""
    logits: dict[str, NDArray[np.float64]] = {}
    for hole in holes_of(network, relax):
        mean = np.mean([v[hole.parameter] for v in votes], 0, dtype=np.float64)
        sure = np.log(np.maximum(mean, LEAST))
        other = np.log(np.maximum(1 - mean, LEAST))
        logits[hole.parameter] = np.stack([other, sure], 1) if hole.paired else sure
    return logits
