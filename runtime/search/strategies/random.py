"""Random search: every candidate is drawn by itself."""

from __future__ import annotations

from optuna.samplers import RandomSampler

from ..candidates.shared import sampled
from ..strategy import Problem, Strategy


def explore(problem: Problem) -> Strategy:
    """Trains candidates that are drawn at random."""
    return sampled(problem, RandomSampler, lambda finished: problem.settings.candidates)
