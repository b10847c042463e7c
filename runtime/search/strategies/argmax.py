"""Selection by argmax: the genotype is the one that the best round derived, so nothing follows."""

from __future__ import annotations

from ..chain import Stage
from ..strategy import Problem


def select(problem: Problem) -> list[Stage]:
    """No stage."""
    return []
