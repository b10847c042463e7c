"""The learning rate of each step."""

from __future__ import annotations

from math import cos, pi

from ..settings import Settings


def rate_at(settings: Settings, batches: int, step: int) -> float:
    """The rate after so many steps: cosine annealing with warm restarts, after a warm-up.

    An epoch has so many `batches`. Equation 5 of Loshchilov and Hutter, "SGDR" (2017); while
    warming up, it is multiplied with the share of those steps that are done, this one included.
    """
    rising = settings.warm_up * batches
    risen = min(1.0, (step + 1) / rising) if rising else 1.0
    period = settings.first_restart * batches
    if settings.restart_multiplier == 1:
        step %= period
    while step >= period:
        step -= period
        period *= settings.restart_multiplier
    least = settings.min_learning_rate
    annealed = least + (settings.max_learning_rate - least) * (1 + cos(pi * step / period)) / 2
    return risen * annealed
