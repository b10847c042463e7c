"""TPE: the multivariate tree-structured Parzen estimator (Bergstra et al.)."""

from __future__ import annotations

from optuna.samplers import TPESampler

from ..candidates.sampled import Sampled
from ..candidates.shared import sampled
from ..strategy import Problem


def explore(problem: Problem) -> Sampled:
    """Trains candidates where the better ones before them are denser; a third are drawn first."""
    startup = max(2, min(10, problem.settings.candidates // 3))
    return sampled(
        problem,
        lambda seed: TPESampler(
            multivariate=True, n_startup_trials=startup, constant_liar=True, seed=seed
        ),
    )
