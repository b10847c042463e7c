"""What arrives where in a network: the types of adapted features, and of what takes them.

Cells and Steps give the inner shape. An adapter may leave other channels to a feature, which what
takes it then has to take.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from ...ops.types import TensorType
from ..network.network import Network, NetworkCell, NetworkStep, Slot
from ..program.program import Builder, Input
from .apply import apply

Types = tuple[TensorType, ...]


class Arriving:
    """The types of values by their place; all candidates of a hole have one type."""

    def __init__(self, network: Network, adapted: Mapping[str, TensorType] | None = None) -> None:
        """`adapted` are the types of adapted features, where they are known already."""
        self.network, self.inner = network, network.inner
        known = (f for f in network.features if f.axes is not None)
        found = {f.name: self._adapted(f.name) for f in known} if adapted is None else adapted
        self._other = {name: type for name, type in found.items() if type != self.inner}

    def _adapted(self, name: str) -> TensorType:
        feature, builder = self.network.feature_by_name[name], Builder()
        taken = builder.input(Input(name, TensorType(feature.axes or ())))
        lengths = builder.input(Input("lengths", TensorType(()))) if feature.has_lengths else None
        numbers = {**self.network.numbers, "c": feature.channels}
        return builder.type(apply(feature.adapt, [taken], builder, (), numbers, lengths))

    @property
    def are_inner(self) -> bool:
        """Whether every value has the inner shape, as in most networks."""
        return not self._other

    def value(self, name: str) -> TensorType:
        """What a feature is once it is adapted, or a Cell."""
        return self._other.get(name, self.inner)

    def slot(self, slot: Slot) -> TensorType:
        """What arrives at an input of a Cell, or at a place of the output."""
        return self.value(slot.candidates[0])

    @cached_property
    def outputs(self) -> Types:
        """What arrives at the places of the output; those that may stay empty have one type."""
        return tuple(self.slot(slot) for slot in self.network.outputs)

    def inputs(self, cell: NetworkCell) -> Mapping[str, TensorType]:
        """What the inputs of a Cell are, by their names in it."""
        return dict(zip(cell.inputs, map(self.slot, cell.slots), strict=True))

    def step(self, cell: NetworkCell, step: NetworkStep) -> Types:
        """What the inputs of a Step are."""
        if self.are_inner:
            return (self.inner,) * len(step.slots)
        inputs = self.inputs(cell)
        return tuple(inputs.get(slot.candidates[0], self.inner) for slot in step.slots)

    def merge(self, cell: NetworkCell) -> Types:
        """What `merge` is given: the Cell's first input, and what its Steps gave."""
        return self.slot(cell.slots[0]), *((self.inner,) * len(cell.returned))
