"""Streams of random draws: whatever a search draws for has its own, of the seed of the search."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """What is drawn, by the number that keeps it apart from everything else."""

    HALVING = 0
    RANKING = 1
    RANDOM_CONTROLS = 2
    STARTS = 3
    SINGLE_PATH = 4
    ROOM = 5
    DC = 6
    MFAS = 7
    PERTURBATION = 8


def generator_of(seed: int, stream: Stream, part: int = 0) -> np.random.Generator:
    """A generator of a stream; each of its parts, of which there may be any number, draws apart."""
    return np.random.default_rng((seed, stream, part) if part else (seed, stream))
