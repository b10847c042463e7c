"""Strong starts: genotypes that are known to do well, where the space holds them.

Where the output has holes, late fusion and all features straight to the head are points of the
space, and so are Cells beside all features.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import product

import numpy as np

from ....compiler.network.choices import Choices
from ....compiler.network.fillings import Choice
from ....compiler.network.network import NOTHING, Network
from ...tuning import Own, every_own
from ..strategy import Problem

STREAM = 3
"""Keeps the draws apart from those of strategies."""


def starts(problem: Problem) -> Iterator[tuple[Choices, Own]]:
    """Late fusion and all features, each with every setting that is searched.

    Their Cells, which nothing takes, are drawn.
    """
    network, tune = problem.network, problem.settings.tune
    features = [f.name for f in network.features]
    last = {f.modality: f.name for f in network.features}
    generator = np.random.default_rng((problem.settings.seed, STREAM))
    for names in dict.fromkeys((frozenset(last.values()), frozenset(features))):
        drawn = problem.budgets.draw(generator)
        outputs = taking(network.variant(drawn.variant), names)
        if outputs is None:
            continue
        choices = replace(drawn, outputs=outputs)
        if problem.budgets.admits(choices):
            yield from product([choices], every_own(tune))


def taking(network: Network, wanted: Collection[str]) -> Choice | None:
    """What the output takes where it takes these alone; None where it cannot."""
    left, found = list(wanted), list[str]()
    if not any(slot.open for slot in network.outputs):
        return None
    for slot in network.outputs:
        name = next((c for c in slot.candidates if c in left), NOTHING)
        if name == NOTHING and not slot.optional:
            return None
        found.append(name)
        left = [other for other in left if other != name]
    return None if left else tuple(found)


def beside(network: Network, choices: Choices) -> Choices | None:
    """The same Cells, with everything in the output that may be there; None where no hole is."""
    network = network.variant(choices.variant)
    if not any(slot.optional for slot in network.outputs):
        return None
    taken, found = set[str](), list[str]()
    for slot in network.outputs:
        name = next((c for c in slot.candidates if c not in taken), NOTHING)
        if name == NOTHING and not slot.optional:
            return None
        taken.add(name)
        found.append(name)
    return replace(choices, outputs=tuple(found))
