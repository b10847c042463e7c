"""The choices of a search space: every one, and those that lie next to one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice, product

from ...compiler.network.choices import CellChoice, Choices, StepChoice
from ...compiler.network.fillings import Choice, choices, fillings, in_order
from ...compiler.network.holes import filling
from ...compiler.network.network import NOTHING, Network, NetworkStep
from ...compiler.network.rules import admits, completable, every_inputs

MOST_INPUTS = 500
"""How many choices of a Cell's inputs are tried beside the one that it has."""


def every_choice(network: Network) -> Iterator[Choices]:
    """Every way to fill the holes of a network under its rule."""
    for chosen in every_inputs(network):
        for steps in product(*map(every_step, _steps(network))):
            left = iter(steps)
            cells = tuple(
                CellChoice(inputs, tuple(next(left) for _ in cell.steps))
                for cell, inputs in zip(network.cells, chosen, strict=True)
            )
            yield from (Choices(cells, outputs) for outputs in fillings(network.outputs))


def _steps(network: Network) -> Iterator[NetworkStep]:
    return (step for cell in network.cells for step in cell.steps)


def every_step(step: NetworkStep) -> list[StepChoice]:
    """Every way to fill a Step."""
    operations = range(len(step.operations))
    return [StepChoice(o, inputs) for inputs in fillings(step.slots) for o in operations]


def neighbours(network: Network, chosen: Choices) -> Iterator[Choices]:
    """The choices with other inputs of a Cell, another operation of a Step, or another output."""
    for index, (cell, choice) in enumerate(zip(network.cells, chosen.cells, strict=True)):
        for inputs in islice(choices(cell), MOST_INPUTS):
            tried = with_cell(chosen, index, replace(choice, inputs=inputs))
            if inputs != choice.inputs and keeps_rule(network, tried):
                yield tried
        for number, step in enumerate(cell.steps):
            for operation in range(len(step.operations)):
                if operation != choice.steps[number].operation:
                    changed = replace(choice.steps[number], operation=operation)
                    yield with_cell(chosen, index, with_step(choice, number, changed))
    for number, slot in enumerate(network.outputs):
        for name in filling(slot) if slot.open else ():
            if name == NOTHING or name not in chosen.outputs:
                outputs = (*chosen.outputs[:number], name, *chosen.outputs[number + 1 :])
                outputs = in_order(network.outputs, outputs)
                if any(outputs) and outputs != chosen.outputs:
                    yield replace(chosen, outputs=outputs)


def may_follow(network: Network, inputs: Choice, earlier: Sequence[Choice]) -> bool:
    """Whether the rule admits inputs of the Cell after earlier ones, and some of those to come."""
    allowed = admits(network, len(earlier), inputs, earlier)
    return allowed and completable(network, [*earlier, inputs]).possible is not False


def with_cell(chosen: Choices, index: int, cell: CellChoice) -> Choices:
    """The choice with another Cell in its place."""
    return replace(chosen, cells=(*chosen.cells[:index], cell, *chosen.cells[index + 1 :]))


def with_step(cell: CellChoice, number: int, step: StepChoice) -> CellChoice:
    """The Cell with another Step in its place."""
    return replace(cell, steps=(*cell.steps[:number], step, *cell.steps[number + 1 :]))


def keeps_rule(network: Network, chosen: Choices) -> bool:
    """Whether the network's rule admits what all Cells take."""
    inputs = chosen.inputs
    return all(admits(network, i, c, inputs[:i]) for i, c in enumerate(inputs))
