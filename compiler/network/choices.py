"""A network with its holes filled, as a Spec: how a genotype is written back in the language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from ..language.nodes import Budget, Cell, CellInput, Reference, Step
from ..language.spec import Spec
from .fillings import Choice
from .names import input_name
from .network import Network, NetworkCell, NetworkStep


@dataclass(frozen=True, slots=True)
class StepChoice:
    """What fills a Step: the index of its operation's candidate, and the name in each slot."""

    operation: int
    inputs: Choice


@dataclass(frozen=True, slots=True)
class CellChoice:
    """What fills a Cell: the name in each slot, and its Steps."""

    inputs: Choice
    steps: tuple[StepChoice, ...]


Choices: TypeAlias = tuple[CellChoice, ...]
"""What fills every Cell of a network."""


def listed(choices: Choices) -> list[Any]:
    """Choices as lists, for a file."""
    return [[list(c.inputs), [[s.operation, list(s.inputs)] for s in c.steps]] for c in choices]


def choices_of(lists: Sequence[Any]) -> Choices:
    """The choices that `listed` made lists of."""
    return tuple(
        CellChoice(tuple(inputs), tuple(StepChoice(o, tuple(i)) for o, i in steps))
        for inputs, steps in lists
    )


def fill(network: Network, choices: Sequence[CellChoice]) -> Spec:
    """The specification with every hole filled and every family expanded.

    The pool and the rule for filling holes are left out, since nothing is left to fill.
    """
    cells = tuple(_cell(c, choice) for c, choice in zip(network.cells, choices, strict=True))
    budgets = tuple(r for r in network.spec.requirements if isinstance(r, Budget))
    return replace(network.spec, pool=None, cells=cells, requirements=budgets)


def _cell(cell: NetworkCell, choice: CellChoice) -> Cell:
    inputs = tuple(
        CellInput(Reference(source), None if name == input_name(i) else name)
        for i, (name, source) in enumerate(zip(cell.inputs, choice.inputs, strict=True))
    )
    steps = tuple(_step(s, c) for s, c in zip(cell.steps, choice.steps, strict=True))
    everything = cell.returned == tuple(s.name for s in cell.steps)
    returned = None if everything else tuple(Reference(name) for name in cell.returned)
    return Cell(cell.name, inputs, steps, returned=returned)


def _step(step: NetworkStep, choice: StepChoice) -> Step:
    operation = step.operations[choice.operation].operation
    return Step(step.name, operation, tuple(Reference(name) for name in choice.inputs))
