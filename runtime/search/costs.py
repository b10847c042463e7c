"""What networks cost, against the limits of budgets; and what choices cost by parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from ...compiler.language.nodes import Budget
from ...compiler.language.printer import quantity as written
from ...compiler.measure.parts import Part, Parts
from ...compiler.measure.sizes import count_macs, count_parameters
from ...compiler.network.choices import Choices, reached_by
from ...compiler.network.network import NOTHING, Network
from ..latency.profile import Profile

Costs = Mapping[str, float]
"""What a network costs, by the quantity that budgets limit."""


class Table:
    """What each part costs, by its place; `fixed` is what every network costs beside its parts."""

    def __init__(
        self, network: Network, quantities: Sequence[str], profile: Profile | None = None
    ) -> None:
        """Latency needs a profile; raises DiagnosticError where that lacks a part."""
        self.network, self.quantities, self.profile = network, tuple(quantities), profile
        parts, costs = Parts(network), self._costs
        self.fixed: Costs = {"latency": profile.overhead} if profile else {}
        self.adapters = {name: costs(parts.adapter(name)) for name in parts.features}
        self.steps: Mapping[tuple[str, ...], list[Costs]] = {
            (cell.name, step.name): [costs(parts.operation(cell, step, o)) for o in step.operations]
            for cell in network.cells
            for step in cell.steps
        }
        self.merges = {cell.name: costs(parts.merge(cell.name)) for cell in network.cells}
        self.head = cache(lambda outputs: costs(parts.head(outputs)))

    def source(self, name: str) -> Costs:
        """What an input adds: a feature its adapter; a Cell is there already."""
        return self.adapters.get(name, {})

    def cost(self, chosen: Choices) -> Costs:
        """What the parts cost that a choice's outputs reach."""
        pairs = zip(self.network.cells, chosen.cells, strict=True)
        cells = {cell.name: (cell, taken) for cell, taken in pairs}
        outputs = [name for name in chosen.outputs if name != NOTHING]
        parts = [self.head(len(outputs)), self.fixed]
        for name in reached_by(self.network, chosen):
            if name not in cells:
                parts.append(self.adapters[name])
                continue
            cell, taken = cells[name]
            parts.append(self.merges[name])
            for step, choice in zip(cell.steps, taken.steps, strict=True):
                parts.append(self.steps[name, step.name][choice.operation])
        return {q: sum(p.get(q, 0.0) for p in parts) for q in self.quantities}

    def _costs(self, part: Part) -> Costs:
        return {quantity: self._cost(quantity, part) for quantity in self.quantities}

    def _cost(self, quantity: str, part: Part) -> float:
        if quantity == "parameters":
            return count_parameters(part.program)
        if quantity == "macs":
            return count_macs(part.optimised)
        assert self.profile is not None
        return self.profile.part(part)


def met(limits: Sequence[Budget], costs: Costs) -> bool:
    """Whether costs are within every budget."""
    return all(b.met(costs[b.quantity]) for b in limits)


def exceeded(limits: Sequence[Budget], costs: Costs) -> tuple[bool, float, float]:
    """Whether costs exceed a limit, by what shares of the limits, and all shares."""
    shares = [costs[b.quantity] / b.limit for b in limits]
    return not met(limits, costs), sum(max(0.0, s - 1) for s in shares), sum(shares)


def stated(budget: Budget) -> str:
    """A budget as it is written after `require`."""
    return f"{budget.quantity} {budget.sign} {written(budget.quantity, budget.limit)}"


def shown(quantity: str, value: float) -> str:
    """A cost with its unit."""
    return f"{value:.3g} ms" if quantity == "latency" else f"{value:,.0f}"
