"""The genotype that most searches of one specification agree with.

Each run votes with the weights of its mixtures in the round that was kept, or, where it has none,
with all its weight on what it chose. The mean of the votes is derived like architecture parameters,
so that the result satisfies the specification's rule and budgets. Of numbers and roles it has those
that most runs chose together, and these runs vote on the rest. Runs that found a perceptron have no
vote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.language.spec import Spec
from ...compiler.network.choices import Choices, fill
from ...compiler.network.holes import Logits, Relaxation, holes_of
from ...compiler.network.network import Network
from ...compiler.resolve.unfill import unfill, unfilled
from ...compiler.system.display import Displayed
from ..genotypes.agreement import Agreement, agreements, common_variant, mean_pairwise
from ..genotypes.derive import one_hot
from ..latency.profile import Profile, read_profile
from ..runs.folder import RunFolder
from ..runs.given import Run, listed, run_of
from ..runs.read import FinishedRun, Search
from ..runs.shared import sharing
from .budgets import Budgets

LEAST = 1e-12
"""What a vote counts at least, so that its logarithm is finite."""


@dataclass(frozen=True)
class Support:
    """What a consensus picks in a place, and the share of runs that picked the same on average."""

    place: str
    picks: tuple[str, ...]
    share: float

    def __str__(self) -> str:
        mean = " on average" if len(self.picks) > 1 else ""
        return f"{self.place}: {', '.join(self.picks)}, {100 * self.share:.0f} % of runs{mean}"

    def as_json(self) -> dict[str, Any]:
        """The support as a record."""
        return {"place": self.place, "picks": list(self.picks), "share": self.share}


@dataclass(frozen=True, repr=False)
class Consensus(Displayed):
    """The genotype, how far the runs support it, and how far they agree with each other."""

    genotype: Spec
    support: tuple[Support, ...]
    agreement: tuple[Agreement, ...]

    def __str__(self) -> str:
        return "\n".join([str(self.genotype), *map(str, self.support)])

    __repr__ = __str__

    def as_json(self) -> dict[str, Any]:
        """All of it as a record."""
        return {
            "genotype": str(self.genotype),
            "support": [s.as_json() for s in self.support],
            "pairwise_agreement": mean_pairwise(self.agreement),
        }


def consensus(runs: Run | Sequence[Run]) -> Consensus:
    """The genotype that most of several searches of one specification agree with.

    `runs` are run folders, or results of `search`. Raises DiagnosticError where they share no
    specification.
    """
    return agreed([run_of(run) for run in listed(runs)])


def agreed(every: Sequence[FinishedRun]) -> Consensus:
    """The consensus of runs; raises DiagnosticError where they share no specification."""
    space, every = sharing(every)
    found_by = [(run, unfilled(space, run.genotype)) for run in every]
    pairs = [(run, choices) for run, choices in found_by if choices is not None]
    if not pairs:
        message = "every run found a perceptron, which takes nothing from the space"
        raise fail("E506", message, help="search with `--no-perceptrons`, or use one of them")
    picks = common_variant([choices for _, choices in pairs])
    runs, found = zip(*((run, one) for run, one in pairs if one.variant == picks), strict=True)
    network = space.variant(picks)
    searches = [run.search for run in runs if run.search is not None]
    relax = cast(Relaxation, searches[0].settings.relax)
    votes = [
        _votes(network, relax, run, search) for run, search in zip(runs, searches, strict=True)
    ]
    budgets = Budgets(network, relax, _profile(runs[0], searches[0]))
    choices = budgets.choose(_logits(network, relax, votes))
    agreement = agreements(network, found)
    support = tuple(_support(known, choices) for known in agreement)
    return Consensus(fill(network, choices), support, agreement)


def _profile(run: FinishedRun, search: Search) -> Profile | None:
    """The latencies that a search held its budgets to: those in its folder, or in its settings."""
    known = RunFolder(run.path).profile()
    stated = search.settings.profile
    return read_profile(stated) if known is None and stated else known


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
