"""Random genotypes of a search space, under its rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.language.spec import Spec
from ...compiler.network.choices import CellChoice, Choices, StepChoice, fill
from ...compiler.network.fillings import Choice, fillings, fixed_choice, in_order, is_open
from ...compiler.network.network import NOTHING, Network, Slot
from .space import may_follow

MOST_DRAWN = 1_000
MOST_LISTED = 10_000


def random_genotype(network: Network, seed: int) -> Spec:
    """A genotype drawn Cell by Cell, uniformly among what the rule admits at each.

    Raises DiagnosticError where no admitted choice is found for a Cell.
    """
    return fill(network, draw(network, np.random.default_rng(seed)))


def draw(network: Network, generator: np.random.Generator) -> Choices:
    """What fills every Cell, drawn as `random_genotype` says, in a variant that is drawn first."""
    sizes = [len(hole.candidates) for hole in network.global_holes]
    picks = tuple(int(generator.integers(size)) for size in sizes)
    return replace(draw_within(network.variant(picks), generator), variant=picks)


def draw_within(network: Network, generator: np.random.Generator) -> Choices:
    """As `draw`, in the variant that the network is."""
    chosen: list[Choice] = []
    cells: list[CellChoice] = []
    for index in range(len(network.cells)):
        cells.append(draw_cell(network, index, chosen, generator))
        chosen.append(cells[-1].inputs)
    return Choices(tuple(cells), draw_outputs(network, generator))


def draw_outputs(network: Network, generator: np.random.Generator) -> Choice:
    """What the output combines, place by place; what may be left out is, half of the time."""
    slots = network.outputs
    if not any(slot.open for slot in slots):
        return tuple(slot.candidates[0] for slot in slots)
    for _ in range(MOST_DRAWN):
        chosen = [slot.candidates[0] if not slot.open else NOTHING for slot in slots]
        for place in sorted(range(len(slots)), key=lambda place: slots[place].optional):
            slot = slots[place]
            left = [c for c in slot.candidates if c not in chosen]
            if slot.open and left and not (slot.optional and generator.integers(2)):
                chosen[place] = left[int(generator.integers(len(left)))]
        if any(chosen) and all(name or s.optional for name, s in zip(chosen, slots, strict=True)):
            return in_order(slots, tuple(chosen))
    return _draw(slots, generator)


def draw_cell(
    network: Network, index: int, earlier: Sequence[Choice], generator: np.random.Generator
) -> CellChoice:
    """What fills the Cell at `index` after the inputs of the Cells before it."""
    inputs = _draw_inputs(network, index, earlier, generator)
    steps = tuple(
        StepChoice(int(generator.integers(len(step.operations))), _draw(step.slots, generator))
        for step in network.cells[index].steps
    )
    return CellChoice(inputs, steps)


def _draw_inputs(
    network: Network, index: int, earlier: Sequence[Choice], generator: np.random.Generator
) -> Choice:
    cell = network.cells[index]
    if not is_open(cell):
        return fixed_choice(cell)
    for _ in range(MOST_DRAWN):
        choice = _draw(cell.slots, generator)
        if may_follow(network, choice, earlier):
            return choice
    message = f"no choice for the Cell `{cell.name}` was found that `{network.rule}` admits"
    raise fail("E401", message, cell.span, help="search the space instead")


def _draw(slots: Sequence[Slot], generator: np.random.Generator) -> Choice:
    """One choice for the slots of a Cell or Step, uniform over a listing of moderate length."""
    listed = list(islice(fillings(slots), MOST_LISTED))
    return listed[int(generator.integers(len(listed)))]
