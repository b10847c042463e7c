"""Works that are killed at random moments, and then done again: `--kills 100`.

A process that does a work is killed (SIGKILL) when the processor has run it for a random share of
what it took in peace. What it left is resumed, or done again, by another process, and what is there
then is what was there in peace, byte for byte, but for the times and costs that records state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from .faults import Fault
from .target import Outcome, Place
from .works import WORKS, Work

USUAL = tuple(
    name
    for name in WORKS
    if name.startswith(("search", "train", "compile", "draw", "predict", "extract"))
)
"""Works that are killed unless others are named."""
SPARE = 1.05
"""Moments that are tried for one kill: a process may end before its own."""


@dataclass(frozen=True)
class Kills:
    """A work and how often it is killed."""

    work: Work
    moments: int

    @property
    def name(self) -> str:
        return self.work.name

    @property
    def patience(self) -> float:
        return self.work.patience

    @property
    def enough(self) -> float:
        return round(SPARE * self.moments)

    def attack(self, place: Place, seed: int, number: int) -> Outcome:
        moment = Random(f"{seed}/{self.name}/{number}").random()
        return self.work.struck(place, Fault("clock", 0, moment), number)


def killed(moments: int) -> Mapping[str, Kills]:
    """The works, each to be killed so often."""
    return {name: Kills(work, moments) for name, work in WORKS.items()}
