"""Strategies: how a search space is explored, and how a genotype is selected, one file each.

A file is found by its name, with `_` for `-`, and imported when it is used: `explore` in it makes
the strategy of a row in `runtime/strategies.py`, `select` the stages of a selection of a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from ...strategies import SELECTIONS, STRATEGIES
from ..chain import Chain, Stage
from ..strategy import Problem, Strategy


def _called(name: str, function: str) -> Callable[[Problem], Any]:
    """A function of the file of a name."""
    home = f".{name.replace('-', '_')}"
    return lambda problem: getattr(import_module(home, __name__), function)(problem)


EXPLORERS: Mapping[str, Callable[[Problem], Strategy]] = {
    name: _called(name, "explore") for name in STRATEGIES
}
SELECTORS: Mapping[str, Callable[[Problem], list[Stage]]] = {
    name: _called(name, "select") for name in SELECTIONS
}


def strategy_of(problem: Problem) -> Chain:
    """The strategy that a problem's settings name, with its selection."""
    explore = EXPLORERS[problem.settings.strategy]
    selection = problem.settings.selection
    stages = SELECTORS[selection](problem) if selection else []
    return Chain([lambda _: explore(problem), *stages], problem.allowance.is_compared)
