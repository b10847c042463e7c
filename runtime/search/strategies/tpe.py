"""TPE: the multivariate tree-structured Parzen estimator (Bergstra et al.)."""

from __future__ import annotations

from optuna.samplers import TPESampler

from ..candidates.shared import sampled
from ..strategy import Problem, Strategy


def explore(problem: Problem) -> Strategy:
    """Trains candidates where the better ones before them are denser.

    A third of them, ten at most, are drawn first and trained together; each of the others depends
    on all before it.
    """
    startup = max(2, min(10, problem.settings.candidates // 3))
    return sampled(
        problem,
        lambda seed: TPESampler(
            multivariate=True, n_startup_trials=startup, constant_liar=True, seed=seed
        ),
        lambda finished: startup - finished,
    )
