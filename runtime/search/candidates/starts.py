"""Strong starts: genotypes that are known to do well, where the space holds them.

Where the output has holes, late fusion and all features straight to the head are points of the
space, and so are Cells beside all features.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from ....compiler.network.choices import Choices
from ....compiler.network.fillings import Choice, in_order
from ....compiler.network.network import NOTHING, Network, Slot
from ...tuning import Own, every_own
from ..strategy import Problem

STREAM = 3
"""Keeps the draws apart from those of strategies."""


def starts(problem: Problem) -> Iterator[tuple[Choices, Own]]:
    """Late fusion and all features, both with each combination of settings in turn.

    Their Cells, which nothing takes, are drawn.
    """
    network, found = problem.network, list[Choices]()
    features = [f.name for f in network.features]
    last = {f.modality: f.name for f in network.features}
    generator = np.random.default_rng((problem.settings.seed, STREAM))
    for names in dict.fromkeys((tuple(last.values()), tuple(features))):
        drawn = problem.budgets.draw(generator)
        slots = network.variant(drawn.variant).outputs
        outputs = taking(slots, names)
        if outputs is None or set(names) != {*outputs} - {NOTHING}:
            continue
        choices = replace(drawn, outputs=outputs)
        found += [choices] if problem.budgets.admits(choices) else []
    for own in every_own(problem.settings.tuned):
        yield from ((choices, own) for choices in found)


def beside(network: Network, choices: Choices) -> Choices | None:
    """The same Cells, with everything in the output that may be there; None where no hole is."""
    network = network.variant(choices.variant)
    outputs = taking(network.outputs, network.sequence)
    return None if outputs is None else replace(choices, outputs=outputs)


def taking(slots: Sequence[Slot], wanted: Sequence[str]) -> Choice | None:
    """What the output takes where it takes these, as far as they find a place.

    None where it has no hole, or has to take something else.
    """
    if not any(slot.open for slot in slots):
        return None
    owner: dict[int, str] = {n: s.candidates[0] for n, s in enumerate(slots) if not s.open}
    left = [name for name in wanted if name not in owner.values()]

    def place(name: str, tried: set[int]) -> bool:
        """Finds a place for a name, for which others may move to another one of theirs."""
        holding = [n for n, s in enumerate(slots) if s.open and name in s.candidates]
        for number in sorted(holding, key=lambda n: slots[n].optional):
            if number not in tried:
                tried.add(number)
                if number not in owner or place(owner[number], tried):
                    owner[number] = name
                    return True
        return False

    for name in left:
        place(name, set())
    outputs = tuple(owner.get(number, NOTHING) for number in range(len(slots)))
    filled = all(name or slot.optional for name, slot in zip(outputs, slots, strict=True))
    return in_order(slots, outputs) if filled and any(outputs) else None
