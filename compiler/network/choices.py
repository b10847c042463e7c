"""A network with its holes filled, as a Spec: how a genotype is written back in the language."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ..language.nodes import Budget, Cell, CellInput, Definition, Reference, Step
from ..language.printer import definition_text
from ..language.spec import Spec
from ..language.variants import Picks
from ..language.without_cells import without_cells
from .fillings import Choice
from .names import input_name
from .network import NOTHING, Network, NetworkCell, NetworkStep


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


@dataclass(frozen=True, slots=True)
class Choices:
    """What fills every Cell of a network, and each place of its output, `NOTHING` some of them.

    Where a space has global holes, it is the network of the `variant`. Where it has `roles`, what
    is chosen is every feature through these, and no Cell: a network beside the space.
    """

    cells: tuple[CellChoice, ...]
    outputs: Choice
    variant: Picks = ()
    roles: tuple[Definition, ...] = ()

    @property
    def inputs(self) -> tuple[Choice, ...]:
        """What every Cell takes."""
        return tuple(cell.inputs for cell in self.cells)


def reached_by(network: Network, choices: Choices) -> list[str]:
    """The features and Cells that what is predicted depends on, where a choice fills the holes."""
    pairs = zip(network.cells, choices.cells, strict=True)
    inputs = {cell.name: taken.inputs for cell, taken in pairs}
    outputs = [name for name in choices.outputs if name != NOTHING]
    read = outputs if network.reads_output else []
    waiting = list(dict.fromkeys((*read, *network.read_by_heads)))
    found, reached = set(waiting), list[str]()
    while waiting:
        name = waiting.pop()
        reached.append(name)
        new = set(inputs.get(name, ())) - found
        found |= new
        waiting += new
    return reached


def listed(choices: Choices) -> list[Any]:
    """Choices as lists, for a file."""
    cells = [
        [list(c.inputs), [[s.operation, list(s.inputs)] for s in c.steps]] for c in choices.cells
    ]
    roles = [definition_text(definition) for definition in choices.roles]
    return [cells, list(choices.outputs), list(choices.variant), roles]


def fill(network: Network, choices: Choices) -> Spec:
    """The specification with every hole filled and every family expanded, or a network beside it.

    The pool and the rule for filling holes are left out, since nothing is left to fill.
    """
    network = network.variant(choices.variant)
    budgets = tuple(r for r in network.spec.requirements if isinstance(r, Budget))
    if choices.roles:
        whole = without_cells(network.spec)
        return replace(whole, definitions=choices.roles, requirements=budgets)
    pairs = zip(network.cells, choices.cells, strict=True)
    return replace(
        network.spec,
        pool=None,
        cells=tuple(_cell(cell, choice) for cell, choice in pairs),
        outputs=_outputs(network, choices.outputs),
        requirements=budgets,
    )


def _outputs(network: Network, chosen: Choice) -> tuple[Reference, ...] | None:
    """What the output takes; None where the specification leaves that to be all Cells."""
    if network.spec.outputs is None:
        return None
    return tuple(Reference(name) for name in chosen if name != NOTHING)


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
