"""What there is to search with: a row for each strategy, and for each selection that may follow.

A row names what its file in `search/strategies/` can do, so that settings are checked, options are
explained and completions are offered without importing it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class StrategyRow:
    """A strategy: the module that explores by it, and the selections that may follow it.

    The first selection is the usual one; none where the strategy chooses the genotype itself.
    `shares`: several processes can share its candidates in one `storage`. `unrolls`: its
    architecture step can be unrolled by a weight step.
    """

    module: str
    selections: tuple[str, ...] = ()
    shares: bool = False
    unrolls: bool = False


_AFTER_A_HYPERNET = ("argmax", "perturbation", "ranking", "halving")
STRATEGIES: Mapping[str, StrategyRow] = {
    "darts": StrategyRow(module="darts", selections=_AFTER_A_HYPERNET, unrolls=True),
    "gdas": StrategyRow(module="gdas", selections=_AFTER_A_HYPERNET, unrolls=True),
    "single-path": StrategyRow(
        module="single_path", selections=("ranking", "halving", "perturbation")
    ),
    "halving": StrategyRow(module="halving"),
    "random": StrategyRow(module="sampled", shares=True),
    "evolution": StrategyRow(module="sampled", shares=True),
    "tpe": StrategyRow(module="sampled", shares=True),
    "mfas": StrategyRow(module="mfas"),
}


FOLLOWED_BY = {name: row.selections for name, row in STRATEGIES.items()}
"""The selections that may follow each strategy."""
SHARING = tuple(name for name, row in STRATEGIES.items() if row.shares)
UNROLLED = tuple(name for name, row in STRATEGIES.items() if row.unrolls)
