"""How many threads compute."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from statistics import median
from time import perf_counter

import torch

REPETITIONS = 5
MAPS, ROWS, WIDTH = 8, 512, 192
"""What is timed: as many linear maps of so many rows and channels, as small networks have them."""
WORTHWHILE = 1.25
"""Twice the threads are used where they are so many times as fast."""


@contextmanager
def computing(threads: int) -> Generator[None]:
    """Within, torch computes with so many threads; 0 are as many as make it faster just now.

    Threads that other programs keep from running make a computation wait for them in every
    operation. Where `OMP_NUM_THREADS` is set, 0 changes nothing; there are never more than before.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads or _chosen(before))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _chosen(most: int) -> int:
    if most == 1 or "OMP_NUM_THREADS" in os.environ:
        return most
    counts = [1]
    while 2 * counts[-1] <= most:
        counts.append(2 * counts[-1])
    if counts[-1] != most:
        counts.append(most)
    times = _times(counts)
    best = 1
    for count in counts[1:]:
        if times[best] < WORTHWHILE * times[count]:
            break
        best = count
    return best


def _times(counts: Sequence[int]) -> dict[int, float]:
    """The median of seconds with each number of threads, which take turns."""
    x, w = torch.ones(ROWS, WIDTH), torch.full((WIDTH, WIDTH), 1 / WIDTH)
    taken: dict[int, list[float]] = {count: [] for count in counts}
    for _ in range(1 + REPETITIONS):
        for count, times in taken.items():
            torch.set_num_threads(count)
            start = perf_counter()
            for _ in range(MAPS):
                x = torch.relu(x @ w)
            times.append(perf_counter() - start)
    return {count: median(times[1:]) for count, times in taken.items()}
