"""What there is to search with: a row for each strategy, and for each selection that may follow.

A row says what the file of its name in `search/strategies/` can do, so that settings are checked,
options are explained and completions are offered without importing it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class StrategyRow:
    """A strategy, and the selections that may follow it.

    The first selection is the usual one; none where nothing may follow it.
    `varies`: its candidates are networks by themselves, which may differ in numbers and roles.
    `shares`: several processes can share its candidates in one `storage`. `unrolls`: its
    architecture step can be unrolled by a weight step. `samples`: what it finds was trained by
    itself, as a candidate. `weighs_losses`: candidates stand by their losses too.
    """

    selections: tuple[str, ...] = ()
    varies: bool = False
    shares: bool = False
    unrolls: bool = False
    samples: bool = False
    weighs_losses: bool = False


@dataclass(frozen=True, kw_only=True)
class SelectionRow:
    """A selection. `samples`: what it finds was trained by itself, as a candidate.

    `folds`: it compares what it chooses from by folds of training and validation samples.
    `weighs_losses`: what it chooses from stands by its loss too.
    """

    samples: bool = False
    folds: bool = False
    weighs_losses: bool = False


_AFTER_A_HYPERNET = ("argmax", "perturbation", "ranking", "halving")
STRATEGIES: Mapping[str, StrategyRow] = {
    "darts": StrategyRow(selections=_AFTER_A_HYPERNET, unrolls=True),
    "gdas": StrategyRow(selections=_AFTER_A_HYPERNET, unrolls=True),
    "single-path": StrategyRow(selections=("ranking", "halving", "perturbation")),
    "halving": StrategyRow(selections=("folds",), varies=True, samples=True, weighs_losses=True),
    "random": StrategyRow(varies=True, shares=True, samples=True),
    "evolution": StrategyRow(varies=True, shares=True, samples=True),
    "tpe": StrategyRow(varies=True, shares=True, samples=True),
    "mfas": StrategyRow(samples=True),
    "dc": StrategyRow(samples=True),
}

SELECTIONS: Mapping[str, SelectionRow] = {
    "argmax": SelectionRow(),
    "perturbation": SelectionRow(),
    "ranking": SelectionRow(),
    "halving": SelectionRow(samples=True, weighs_losses=True),
    "folds": SelectionRow(samples=True, folds=True, weighs_losses=True),
}


FOLLOWED_BY = {name: row.selections for name, row in STRATEGIES.items()}
"""The selections that may follow each strategy."""
USUAL = {name: row.selections[0] if row.selections else "" for name, row in STRATEGIES.items()}
"""The selection that follows each strategy unless another is named."""
BY_FOLDS = tuple(name for name, row in SELECTIONS.items() if row.folds)
BY_LOSSES = tuple(
    name for rows in (STRATEGIES, SELECTIONS) for name, row in rows.items() if row.weighs_losses
)
"""Strategies and selections whose candidates stand by their losses too."""
SHARING = tuple(name for name, row in STRATEGIES.items() if row.shares)
VARYING = tuple(name for name, row in STRATEGIES.items() if row.varies)
SAMPLED = tuple(name for name, row in STRATEGIES.items() if row.samples)
SAMPLED_BY = tuple(name for name, row in SELECTIONS.items() if row.samples)
UNROLLED = tuple(name for name, row in STRATEGIES.items() if row.unrolls)
