"""Holes of a network, and how a hypernet relaxes them: one architecture parameter for each.

- γ, the operation of a Step: one logit for each candidate, and their softmax, equation (10);
- α and β, inputs of a Cell and of a Step, under `shared`: all open slots of one have a row of two
  logits, Zero and Identity, for each predecessor, and mix with the Identity entries of the rows'
  softmaxes, equations (1) and (2);
- under `per_input`: every open slot has one logit for each candidate, and their softmax.

The places of the output are slots as those of a Cell are. An optional one mixes nothing in as well:
under `per_input` by a logit of its own, under `shared` by the Zero entries of its rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from ...ops.primitives.reductions import numpy_softmax
from .choices import Choices
from .names import OUTPUT, architecture_name
from .network import NOTHING, Network, NetworkStep, Slot

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Relaxation = Literal["shared", "per_input"]
RELAXATIONS: tuple[Relaxation, ...] = get_args(Relaxation)
Logits: TypeAlias = "Mapping[str, NDArray[Any]]"
"""Architecture parameters by name."""


@dataclass(frozen=True)
class Hole:
    """What one architecture parameter decides: inputs, an operation, or what is combined.

    `place` names the Cell, the Step or the output, `cell` and `step` say where it stands among
    them, None for the output and a Cell, and `slots` which of its slots are filled, none for an
    operation. The parameter has a row for each of the `candidates`: names of inputs, `NOTHING` for
    what stays empty, or labels of operations, equal ones numbered. Where it is `paired`, a row has
    two logits, Zero and Identity, else one.
    """

    place: tuple[str, ...]
    cell: int | None
    step: int | None
    slots: Mapping[int, Slot]
    candidates: tuple[str, ...]
    paired: bool

    @property
    def letter(self) -> Literal["alpha", "beta", "gamma"]:
        """Of which architecture parameters it is one."""
        inputs: Literal["alpha", "beta"] = "alpha" if self.step is None else "beta"
        return inputs if self.slots else "gamma"

    @property
    def parameter(self) -> str:
        """The name of the architecture parameter."""
        alone = self.slots and not self.paired
        return architecture_name(self.place, self.letter, min(self.slots) + 1 if alone else None)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The shape of the parameter: (candidates,), or (candidates, 2)."""
        return (len(self.candidates), 2) if self.paired else (len(self.candidates),)

    @property
    def title(self) -> str:
        """What a reader calls it."""
        alone = f"input {min(self.slots) + 1}" if self.slots else "operation"
        return f"{', '.join(self.place)}: {'inputs' if self.paired else alone}"

    def rows(self, slot: int) -> tuple[int, ...]:
        """The rows of a slot's candidates, in their order."""
        row = {name: number for number, name in enumerate(self.candidates)}
        return tuple(row[name] for name in filling(self.slots[slot], self.paired))

    def shares(self, logits: Logits) -> NDArray[np.float64]:
        """The weights of the candidates; even where the parameter is not among `logits`."""
        import numpy as np

        own = logits.get(self.parameter)
        return shares(np.zeros(self.sizes) if own is None else np.asarray(own, np.float64))

    def picks(self, choices: Choices) -> tuple[str, ...]:
        """The candidates that a choice takes: one for each slot, or the operation."""
        if self.cell is None:
            names = (choices.outputs[slot] for slot in self.slots)
            return tuple(name for name in names if name != NOTHING or not self.paired)
        cell = choices.cells[self.cell]
        if self.step is None:
            return tuple(cell.inputs[slot] for slot in self.slots)
        step = cell.steps[self.step]
        if self.letter == "gamma":
            return (self.candidates[step.operation],)
        return tuple(step.inputs[slot] for slot in self.slots)


def holes_of(network: Network, relax: Relaxation) -> Iterator[Hole]:
    """The holes of a network: for each Cell its inputs, then each Step's inputs and operation.

    Last come those of the output.
    """
    for index, cell in enumerate(network.cells):
        yield from _inputs(cell.slots, (cell.name,), index, None, relax)
        for number, step in enumerate(cell.steps):
            place = (cell.name, step.name)
            yield from _inputs(step.slots, place, index, number, relax)
            if step.open:
                yield Hole(place, index, number, {}, _labels(step), paired=False)
    yield from _inputs(network.outputs, (OUTPUT,), None, None, relax)


def holes_by_slot(
    network: Network, relax: Relaxation
) -> dict[tuple[tuple[str, ...], int | None], Hole]:
    """The holes by their place and each of their slots, None for the operation of a Step."""
    return {
        (hole.place, slot): hole
        for hole in holes_of(network, relax)
        for slot in hole.slots or [None]
    }


def shares(logits: NDArray[Any]) -> NDArray[Any]:
    """The weights of candidates: the softmax of their logits; of rows of two, that of Identity."""
    import numpy as np

    weights: NDArray[Any] = numpy_softmax(np, logits)
    return weights[:, 1] if weights.ndim == 2 else weights


def filling(slot: Slot, paired: bool = False) -> tuple[str, ...]:
    """What may fill an open slot, `NOTHING` last; where rows are paired, no row is for that."""
    return (*slot.candidates, NOTHING) if slot.optional and not paired else slot.candidates


def union(slots: Sequence[Slot]) -> tuple[str, ...]:
    """The candidates of the open slots among these, each once: the rows of α or β."""
    return tuple(dict.fromkeys(c for slot in slots if slot.open for c in slot.candidates))


def _inputs(
    owner: Sequence[Slot],
    place: tuple[str, ...],
    cell: int | None,
    step: int | None,
    relax: Relaxation,
) -> Iterator[Hole]:
    slots = {number: slot for number, slot in enumerate(owner) if slot.open}
    if relax == "per_input":
        for number, slot in slots.items():
            yield Hole(place, cell, step, {number: slot}, filling(slot), paired=False)
    elif slots:
        yield Hole(place, cell, step, slots, union(owner), paired=True)


def _labels(step: NetworkStep) -> tuple[str, ...]:
    """The operations of a Step; equal labels are told apart by their place."""
    labels = [o.label for o in step.operations]
    return tuple(
        label if labels.count(label) == 1 else f"{label} ({i})" for i, label in enumerate(labels, 1)
    )
