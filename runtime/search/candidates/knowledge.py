"""Knowledge that populations share: how well individuals did that have something in common.

There are two bases: what Cells take, and what Steps do. An entry is worth the mean standing of the
individuals that have it, each among those of its own population, so that populations which are
scored on networks trained with more or fewer samples can learn of each other. After "DC-NAS"
(AAAI 2024), of which no more is known here than that populations exchange knowledge through two
bases: what stands in them, and how a child is bred, is our reading.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from math import isfinite
from typing import TypeVar

import numpy as np

from ....compiler.network.choices import CellChoice, Choices, StepChoice
from ....compiler.network.fillings import Choice, is_open
from ....compiler.network.network import Network
from ...genotypes.sample import draw_cell, draw_outputs
from ...genotypes.space import may_follow

Entry = TypeVar("Entry", bound=Hashable)
RECALLED = 0.5
"""How often a change is one that is known from others, rather than drawn at random."""


class Knowledge:
    """The two bases, by the place of a Cell, and of a Step within it."""

    def __init__(self, populations: Sequence[Mapping[Choices, float]]) -> None:
        """Populations are the scores of their individuals."""
        inputs: dict[int, dict[Choice, list[float]]] = defaultdict(lambda: defaultdict(list))
        steps: dict[tuple[int, int], dict[StepChoice, list[float]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for population in populations:
            for chosen, worth in standing(population).items():
                for index, cell in enumerate(chosen.cells):
                    inputs[index][cell.inputs].append(worth)
                    for number, step in enumerate(cell.steps):
                        steps[index, number][step].append(worth)
        self._inputs = {place: _means(known) for place, known in inputs.items()}
        self._steps = {place: _means(known) for place, known in steps.items()}

    def inputs(self, cell: int, generator: np.random.Generator) -> Choice | None:
        """What the Cell may take, the likelier the better those did that took it."""
        return _recalled(self._inputs.get(cell, {}), generator)

    def step(self, cell: int, step: int, generator: np.random.Generator) -> StepChoice | None:
        """What a Step of the Cell may be, as `inputs` says it of what the Cell takes."""
        return _recalled(self._steps.get((cell, step), {}), generator)


def standing(population: Mapping[Choices, float]) -> dict[Choices, float]:
    """Scores standardised over a population; those whose loss is no finite number say nothing."""
    known = {chosen: score for chosen, score in population.items() if isfinite(score)}
    scores = np.array([*known.values()])
    spread = float(scores.std()) if len(scores) else 0.0
    return {c: float(s - scores.mean()) / (spread or 1.0) for c, s in known.items()}


def _means(known: Mapping[Entry, Sequence[float]]) -> dict[Entry, float]:
    return {entry: float(np.mean(worth)) for entry, worth in known.items()}


def _recalled(known: Mapping[Entry, float], generator: np.random.Generator) -> Entry | None:
    """One of what is known, drawn with the softmax of what each is worth."""
    if not known:
        return None
    worth = np.array([*known.values()]) + generator.gumbel(size=len(known))
    return [*known][int(np.argmax(worth))]


def bred(
    network: Network,
    parents: tuple[Choices, Choices],
    knowledge: Knowledge,
    generator: np.random.Generator,
) -> Choices:
    """A child: Cell by Cell of one parent or the other, then changed in one place on average.

    A change is recalled from the bases or drawn at random. What the rule does not admit after the
    Cells before it is the other parent's, or drawn.
    """
    rate = 1 / max(1, sum(1 + len(cell.steps) for cell in network.cells))
    cells: list[CellChoice] = []
    for index, cell in enumerate(network.cells):
        earlier = [one.inputs for one in cells]
        mother, father = (parents[place].cells[index] for place in generator.permutation(2))
        drawn = draw_cell(network, index, earlier, generator)
        wanted = [mother.inputs, father.inputs]
        if is_open(cell) and generator.random() < rate:
            known = knowledge.inputs(index, generator)
            recall = known is not None and generator.random() < RECALLED
            wanted = [known, *wanted] if recall and known is not None else [drawn.inputs]
        admitted = (one for one in wanted if may_follow(network, one, earlier))
        inputs = next(admitted, drawn.inputs)
        steps = list(mother.steps if generator.random() < RECALLED else father.steps)
        for number in range(len(steps)):
            if generator.random() < rate:
                known_step = knowledge.step(index, number, generator)
                recall = known_step is not None and generator.random() < RECALLED
                steps[number] = (recall and known_step) or drawn.steps[number]
        cells.append(CellChoice(inputs, tuple(steps)))
    outputs = parents[int(generator.integers(2))].outputs
    if any(slot.open for slot in network.outputs) and generator.random() < rate:
        outputs = draw_outputs(network, generator)
    return replace(parents[0], cells=tuple(cells), outputs=outputs)
