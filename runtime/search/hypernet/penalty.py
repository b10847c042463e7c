"""The expected cost of a hypernet's mixtures, and the penalty on it beyond a budget.

The cost by parts of what the weights stand for: each operation counts with its weight, each adapter
with the probability that some Cell takes its feature, each Cell with that of being reached. Slots
are taken to choose independently. After Cai et al., "ProxylessNAS".
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ....compiler.network.holes import union
from ....compiler.network.names import architecture_name
from ....compiler.network.network import NetworkCell, NetworkStep
from ..budgets import Budgets
from .mixtures import Weights


class Penalty:
    """`strength` · Σ relu(E[cost] / limit - 1) over the budgets; 0 where there are none."""

    def __init__(self, budgets: Budgets, strength: float, device: torch.device) -> None:
        self.budgets, self.strength, self.device = budgets, strength, device

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
        used = {cell.name: self._weights(cell, weights) for cell in network.cells}
        missed = {name: torch.ones((), device=self.device) for name in network.sequence}
        missed |= {name: torch.zeros((), device=self.device) for name in network.outputs}
        reached: dict[str, Tensor] = {}
        for cell in reversed(network.cells):
            reached[cell.name] = 1 - missed[cell.name]
            for slot in used[cell.name]:
                for name, weight in slot.items():
                    missed[name] = missed[name] * (1 - reached[cell.name] * weight)
        found: dict[str, Tensor] = {}
        for quantity in self.budgets.quantities:
            own = table.head[quantity] + table.fixed.get(quantity, 0.0)
            total = torch.full((), own, device=self.device)
            for name, costs in table.adapters.items():
                total = total + (1 - missed[name]) * costs[quantity]
            for cell in network.cells:
                inside = torch.full((), table.merges[cell.name][quantity], device=self.device)
                for step in cell.steps:
                    every = [c[quantity] for c in table.steps[cell.name, step.name]]
                    row = torch.tensor(every, dtype=torch.float32, device=self.device)
                    inside = inside + (self._operations(cell, step, weights) * row).sum()
                total = total + reached[cell.name] * inside
            found[quantity] = total
        return found

    def _operations(self, cell: NetworkCell, step: NetworkStep, weights: Weights) -> Tensor:
        name, count = architecture_name((cell.name, step.name), "gamma"), len(step.operations)
        even = torch.full((count,), 1 / count, device=self.device)
        return weights.get(name, even).float()

    def _weights(self, cell: NetworkCell, weights: Weights) -> list[dict[str, Tensor]]:
        """The probability of each candidate, slot by slot; even where nothing is known."""
        found: list[dict[str, Tensor]] = []
        rows = union(cell.slots)
        shared = weights.get(architecture_name((cell.name,), "alpha"))
        for number, slot in enumerate(cell.slots, 1):
            count = len(slot.candidates)
            own = torch.full((count,), 1 / count, device=self.device)
            if slot.open and self.budgets.relax == "shared" and shared is not None:
                own = shared[[rows.index(c) for c in slot.candidates]].float()
                own = own / own.sum().clamp_min(1e-6)
            elif slot.open and self.budgets.relax == "per_input":
                name = architecture_name((cell.name,), "alpha", number)
                own = weights.get(name, own).float()
            found.append(dict(zip(slot.candidates, own.unbind(), strict=True)))
        return found
