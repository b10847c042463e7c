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
    itself, as a candidate. `weighs_losses`: candidates stand by their losses too. `reads`: the
    settings that it reads and that not all strategies do.
    """

    reads: tuple[str, ...] = ()
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
    `weighs_losses`: what it chooses from stands by its loss too. `reads`: as of a strategy.
    """

    reads: tuple[str, ...] = ()
    samples: bool = False
    folds: bool = False
    weighs_losses: bool = False


_AFTER_A_HYPERNET = ("argmax", "perturbation", "ranking", "halving")
_GRADIENTS = ("epochs", "arch_learning_rate", "arch_weight_decay", "budget_penalty", "second_order")
_TRIALS = ("candidates", "trial_epochs")
_RUNGS = (*_TRIALS, "reduction", "rungs")
_DRAWN = (*_TRIALS, "tune", "storage")
STRATEGIES: Mapping[str, StrategyRow] = {
    "darts": StrategyRow(reads=_GRADIENTS, selections=_AFTER_A_HYPERNET, unrolls=True),
    "gdas": StrategyRow(reads=_GRADIENTS, selections=_AFTER_A_HYPERNET, unrolls=True),
    "single-path": StrategyRow(
        reads=("epochs",), selections=("ranking", "halving", "perturbation")
    ),
    "halving": StrategyRow(
        reads=(*_RUNGS, "tune", "minutes"),
        selections=("folds",),
        varies=True,
        samples=True,
        weighs_losses=True,
    ),
    "random": StrategyRow(reads=_DRAWN, varies=True, shares=True, samples=True),
    "evolution": StrategyRow(reads=_DRAWN, varies=True, shares=True, samples=True),
    "tpe": StrategyRow(reads=_DRAWN, varies=True, shares=True, samples=True),
    "mfas": StrategyRow(reads=(*_TRIALS, "passes", "tune"), samples=True),
    "dc": StrategyRow(reads=(*_TRIALS, "folds"), samples=True),
}

SELECTIONS: Mapping[str, SelectionRow] = {
    "argmax": SelectionRow(),
    "perturbation": SelectionRow(),
    "ranking": SelectionRow(reads=("candidates",), weighs_losses=True),
    "halving": SelectionRow(reads=_RUNGS, samples=True, weighs_losses=True),
    "folds": SelectionRow(
        reads=("trial_epochs", "folds", "finalists", "ensemble", "perceptrons"),
        samples=True,
        folds=True,
        weighs_losses=True,
    ),
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
LIMITED = tuple(name for name, row in STRATEGIES.items() if "minutes" in row.reads)
"""Strategies that keep a limit of time."""
VARYING = tuple(name for name, row in STRATEGIES.items() if row.varies)
SAMPLED = tuple(name for name, row in STRATEGIES.items() if row.samples)
SAMPLED_BY = tuple(name for name, row in SELECTIONS.items() if row.samples)
UNROLLED = tuple(name for name, row in STRATEGIES.items() if row.unrolls)


def readers_of(setting: str) -> tuple[str, ...]:
    """The strategies, then the selections, that read a setting; empty where all do."""
    rows: list[tuple[str, StrategyRow | SelectionRow]]
    rows = [*STRATEGIES.items(), *SELECTIONS.items()]
    return tuple(dict.fromkeys(name for name, row in rows if setting in row.reads))


def reads(strategy: str, selection: str, setting: str) -> bool:
    """Whether a setting has an effect under a strategy and the selection after it, if any."""
    own = STRATEGIES[strategy].reads
    after = SELECTIONS[selection].reads if selection else ()
    return not readers_of(setting) or setting in (*own, *after)
