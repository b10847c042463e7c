"""The expected cost of a hypernet's mixtures, and the penalty on it beyond a budget.

The cost by parts of what the weights stand for: each operation counts with its weight, each adapter
with the probability that some Cell takes its feature, each Cell with that of being reached. Slots
are taken to choose independently. After Cai et al., "ProxylessNAS".
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ....compiler.network.holes import filling, holes_by_slot
from ....compiler.network.names import OUTPUT
from ....compiler.network.network import NetworkCell, Slot
from ..budgets import Budgets
from .mixtures import Weights


class Penalty:
    """`strength` · Σ relu(E[cost] / limit - 1) over the budgets; 0 where there are none."""

    def __init__(self, budgets: Budgets, strength: float, device: torch.device) -> None:
        self.budgets, self.strength, self.device = budgets, strength, device
        self.holes = holes_by_slot(budgets.network, budgets.relax)

    def __call__(self, weights: Weights) -> Tensor:
        total = torch.zeros((), device=self.device)
        if not self.strength or not self.budgets.limits:
            return total
        expected = self.expected(weights)
        for budget in self.budgets.limits:
            total = total + torch.relu(expected[budget.quantity] / budget.limit - 1)
        return self.strength * total

    def expected(self, weights: Weights) -> Mapping[str, Tensor]:
        """The expected cost under mixture weights, by quantity."""
        network, table = self.budgets.network, self.budgets.table
        used = {cell.name: self._inputs(cell, weights) for cell in network.cells}
        missed = {name: torch.ones((), device=self.device) for name in network.sequence}
        missed |= {n: torch.zeros((), device=self.device) for n in network.read_by_heads}
        for number, slot in enumerate(network.outputs if network.reads_output else ()):
            for name, weight in self._slot((OUTPUT,), number, slot, weights).items():
                missed[name] = missed[name] * (1 - weight)
        reached: dict[str, Tensor] = {}
        for cell in reversed(network.cells):
            reached[cell.name] = 1 - missed[cell.name]
            for candidates in used[cell.name]:
                for name, weight in candidates.items():
                    missed[name] = missed[name] * (1 - reached[cell.name] * weight)
        found: dict[str, Tensor] = {}
        for quantity in self.budgets.quantities:
            own = table.head(len(network.outputs))[quantity] + table.fixed.get(quantity, 0.0)
            total = torch.full((), own, device=self.device)
            for name, costs in table.adapters.items():
                total = total + (1 - missed[name]) * costs[quantity]
            for cell in network.cells:
                inside = torch.full((), table.merges[cell.name][quantity], device=self.device)
                for step in cell.steps:
                    every = [c[quantity] for c in table.steps[cell.name, step.name]]
                    row = torch.tensor(every, dtype=torch.float32, device=self.device)
                    shares = self._shares((cell.name, step.name), None, len(every), weights)
                    inside = inside + (shares * row).sum()
                total = total + reached[cell.name] * inside
            found[quantity] = total
        return found

    def _inputs(self, cell: NetworkCell, weights: Weights) -> list[dict[str, Tensor]]:
        """The probability of each candidate, slot by slot."""
        slots = enumerate(cell.slots)
        return [self._slot((cell.name,), number, slot, weights) for number, slot in slots]

    def _slot(
        self, place: tuple[str, ...], number: int, slot: Slot, weights: Weights
    ) -> dict[str, Tensor]:
        own = self._shares(place, number, len(filling(slot)), weights)
        return dict(zip(slot.candidates, own.unbind(), strict=False))

    def _shares(
        self, place: tuple[str, ...], slot: int | None, count: int, weights: Weights
    ) -> Tensor:
        """The probability of each candidate of a slot, None for the operation of a Step.

        Even where nothing is known.
        """
        hole = self.holes.get((place, slot))
        known = None if hole is None else weights.get(hole.parameter)
        if hole is None or known is None:
            return torch.full((count,), 1 / count, device=self.device)
        if slot is None or not hole.paired:
            return known.float()
        own = known[list(hole.rows(slot))].float()
        return own / own.sum().clamp_min(1e-6)
