"""Evolution: the genetic algorithm of NSGA-II with one objective (Deb et al.)."""

from __future__ import annotations

from optuna.samplers import NSGAIISampler

from ..candidates.shared import sampled
from ..strategy import Problem, Strategy


def explore(problem: Problem) -> Strategy:
    """Trains candidates that descend from the better ones before them.

    A population is a quarter of the candidates, fifty at most, so that there are a few generations.
    """
    population = max(2, min(50, problem.settings.candidates // 4))
    return sampled(
        problem,
        lambda seed: NSGAIISampler(population_size=population, seed=seed),
        lambda finished: population - finished % population,
    )
