"""Strategies: how a search space is explored, one file each, and how a genotype is selected.

`STRATEGIES` in `runtime/settings.py` names them, with the selections that each may be followed by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..chain import Chain, Stage
from ..strategy import Problem, Strategy
from .darts import Darts
from .gdas import Gdas
from .halving import Halving
from .mfas import Mfas
from .perturbation import Perturbation
from .ranking import Ranking, distinct
from .sampled import Sampled
from .shared import Shared
from .single_path import SinglePath


def _sampled(problem: Problem) -> Strategy:
    return Shared(problem) if problem.settings.storage else Sampled(problem)


EXPLORERS: Mapping[str, Callable[[Problem], Strategy]] = {
    "darts": Darts,
    "gdas": Gdas,
    "single-path": SinglePath,
    "halving": lambda problem: Halving(
        problem, distinct(problem, problem.settings.candidates, stream=0)
    ),
    "random": _sampled,
    "evolution": _sampled,
    "tpe": _sampled,
    "mfas": Mfas,
}
SELECTIONS: Mapping[str, Callable[[Problem], list[Stage]]] = {
    "argmax": lambda problem: [],
    "perturbation": lambda problem: [lambda trained: Perturbation(problem, trained.hypernet)],
    "ranking": lambda problem: [lambda trained: Ranking(problem, trained.hypernet)],
    "halving": lambda problem: [
        lambda trained: Ranking(problem, trained.hypernet),
        lambda ranking: Halving(problem, ranking.best, ranking.arrays()),
    ],
}


def strategy_of(problem: Problem) -> Strategy:
    """The strategy that a problem's settings name, with its selection."""
    explore = EXPLORERS[problem.settings.strategy]
    selection = problem.settings.selection
    stages = SELECTIONS[selection](problem) if selection else []
    return Chain([lambda _: explore(problem), *stages])
