"""Budgets in a search: what a choice costs, whether it is admitted, and one near it that is.

Costs are those of the network that a choice derives: parameters and multiply-adds of its lowered
program, as `fusewright info` counts them, and the latency that a profile predicts. That is exact,
and takes a lowering; where many choices are looked at, their cost by parts guides (see
`compiler/measure/parts.py`), and only what it leads to is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import Note, fail
from ...compiler.graph.build import build
from ...compiler.language.nodes import Budget
from ...compiler.language.variants import Picks
from ...compiler.lowering.lower import lower
from ...compiler.measure.architectures import count_architectures
from ...compiler.measure.sizes import count_macs, count_parameters
from ...compiler.network.choices import Choices, fill
from ...compiler.network.holes import Logits, Relaxation, holes_of
from ...compiler.network.network import Network
from ...compiler.passes import optimise
from ...compiler.resolve.resolve import resolve
from ...compiler.system.collector import COLLECTOR_OFF
from ..genotypes.derive import choose, preference
from ..genotypes.sample import draw
from ..genotypes.space import every_choice, keeps_rule, neighbours, with_cell, with_step
from ..latency.profile import Profile
from .costs import Costs, Table, exceeded, met, shown, stated

MOST_LISTED = 500
"""Of how many architectures every one is looked at to find the smallest."""
MOST_KEPT = 50_000
"""How many costs are remembered."""
MOST_REJECTED = 30
"""How many random draws are rejected before one of them is brought within the budgets."""
MOST_REPEATED = 50
"""How many draws in a row may repeat before what is drawn from counts as drawn out."""
MOST_MOVES = 200
"""How many holes are changed one after the other to come within the budgets."""
MOST_COUNTED = 40
"""How many changes towards what is preferred are counted exactly in deriving."""
STARTS = 8
"""How many random choices the smallest is looked for from, where not every one is."""
BISECTIONS = 12
LARGEST_LOGIT = 30.0
LARGEST_PENALTY = 150.0
"""What penalised logits are kept within, so that products of weights stay above 0."""


class Budgets:
    """The budgets of a search space; none admit everything."""

    def __init__(
        self, network: Network, relax: Relaxation = "shared", profile: Profile | None = None
    ) -> None:
        """Raises DiagnosticError where a budget of latency has no profile, or another one."""
        self.network, self.profile = network, profile
        self.relax: Relaxation = relax
        self.limits = network.budgets
        self.quantities = tuple(dict.fromkeys(b.quantity for b in self.limits))
        self._known: dict[Choices, Costs] = {}
        self._require_profile()

    @cached_property
    def table(self) -> Table:
        """What parts cost; raises DiagnosticError where the profile lacks one."""
        return Table(self.network, self.quantities, self.profile)

    def cost(self, chosen: Choices) -> Costs:
        """What the network of a choice costs, exactly."""
        if chosen not in self._known:
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            self._known[chosen] = self._counted(chosen)
        return self._known[chosen]

    def admits(self, chosen: Choices) -> bool:
        """Whether the network of a choice keeps within every budget."""
        return not self.limits or met(self.limits, self.cost(chosen))

    def require_possible(self) -> None:
        """Raises DiagnosticError where no network of the space was found to keep the budgets."""
        if self.limits:
            self.admits(self._fallback)

    def choose(self, logits: Logits, picks: Picks = ()) -> Choices:
        """What architecture parameters choose within the budgets, in the variant of the picks.

        Costs are taken off the logits with the smallest multiplier that leads to a choice within
        them. Holes then get back what they preferred where that is admitted, or come nearer to it.
        """
        wanted = choose(self.network, logits, self.relax)
        if self.admits(wanted):
            return wanted
        found = self._penalised(logits)
        return self._preferred(self._restored(self.repaired(found), wanted), logits)

    def near(self, picks: Picks) -> Picks:
        """The variant of these picks, or one near it that is possible."""
        return picks

    def draw(self, generator: np.random.Generator) -> Choices:
        """A random choice within the budgets: of a small space, any of those with equal chances.

        Otherwise it is drawn Cell by Cell until one is, else the last is brought there.
        """
        if not self.limits:
            return draw(self.network, generator)
        if self._admitted is not None:
            return self._admitted[int(generator.integers(len(self._admitted)))]
        drawn = draw(self.network, generator)
        for _ in range(MOST_REJECTED):
            if self.admits(drawn):
                return drawn
            drawn = draw(self.network, generator)
        return self.repaired(drawn)

    def draws(self, generator: np.random.Generator) -> Iterator[Choices]:
        """Distinct choices drawn at random, until the space seems to hold no more."""
        seen: set[Choices] = set()
        repeated = 0
        while repeated < MOST_REPEATED:
            drawn = self.draw(generator)
            repeated = repeated + 1 if drawn in seen else 0
            if not repeated:
                seen.add(drawn)
                yield drawn

    def repaired(self, chosen: Choices) -> Choices:
        """A choice within the budgets that is reached from this one hole by hole.

        Each step takes the change that exceeds least; the smallest choice of the space where
        nothing leads there. Raises DiagnosticError where there is none.
        """
        found = chosen
        for _ in range(MOST_MOVES):
            if self.admits(found):
                return found
            following = self._descended(found, self.limits)
            if following is None:
                break
            found = following
        return self._fallback

    # Costs

    def _counted(self, chosen: Choices) -> Costs:
        network = resolve(fill(self.network, chosen))
        program = lower(build(network))
        found: dict[str, float] = {}
        if "parameters" in self.quantities:
            found["parameters"] = count_parameters(program)
        if {"macs", "latency"}.intersection(self.quantities):
            program = optimise(program, "inference")
        if "macs" in self.quantities:
            found["macs"] = count_macs(program)
        if "latency" in self.quantities and self.profile is not None:
            found["latency"] = self.profile.predicted(network, program)
        return found

    def _require_profile(self) -> None:
        for budget in self.limits:
            if budget.quantity != "latency":
                continue
            if self.profile is None:
                message = "a search under a budget of latency needs a profile of the machine"
                remedy = "measure one, `fusewright profile FILE -o PROFILE.json`, and give it: "
                raise fail("E506", message, budget.span, help=remedy + "`--profile PROFILE.json`")
            self.profile.require(budget)

    # From what is wished for to what is admitted

    def _penalised(self, logits: Logits) -> Choices:
        """The choice under the smallest multiplier that is admitted; the last one where none is."""
        prices = self._prices
        largest = max((abs(float(np.max(np.abs(a)))) for a in logits.values() if a.size), default=0)
        scale = min(1.0, LARGEST_LOGIT / largest) if largest else 1.0
        dearest = max((float(p.max()) for p in prices.values()), default=0.0)

        def chosen(multiplier: float) -> Choices:
            moved = {name: np.asarray(a, np.float64) * scale for name, a in logits.items()}
            for name, price in prices.items():
                moved[name] = moved.get(name, 0.0) - multiplier * price
            return choose(self.network, moved, self.relax)

        if not dearest:
            return chosen(0.0)
        high = np.log(LARGEST_PENALTY / dearest)
        low, found = high - np.log(1e4), chosen(float(np.exp(high)))
        if not self.admits(found):
            return found
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            tried = chosen(float(np.exp(middle)))
            if self.admits(tried):
                high, found = middle, tried
            else:
                low = middle
        return found

    @cached_property
    def _prices(self) -> dict[str, NDArray[np.float64]]:
        """What each candidate of a hole costs above the cheapest, in shares of the limits.

        Prices stand where the logits do that put a candidate in, by the names of parameters.
        """
        prices: dict[str, NDArray[np.float64]] = {}
        for hole in holes_of(self.network, self.relax):
            if hole.letter == "beta":
                continue
            sources = map(self.table.source, hole.candidates)
            costs = self.table.steps[hole.place] if hole.letter == "gamma" else sources
            price = np.array([self._share(c) for c in costs])
            price -= price.min()
            prices[hole.parameter] = np.stack([0 * price, price], 1) if hole.paired else price
        return prices

    def _share(self, costs: Costs) -> float:
        """Costs in shares of the limits, summed."""
        return sum(costs.get(b.quantity, 0.0) / b.limit for b in self.limits)

    def _restored(self, found: Choices, wanted: Choices) -> Choices:
        """The choice with what was wished for in every hole where that is admitted."""
        for index, (cell, wish) in enumerate(zip(self.network.cells, wanted.cells, strict=True)):
            inputs = replace(found.cells[index], inputs=wish.inputs)
            found = self._taken(found, with_cell(found, index, inputs))
            for number in range(len(cell.steps)):
                changed = with_step(found.cells[index], number, wish.steps[number])
                found = self._taken(found, with_cell(found, index, changed))
        return self._taken(found, replace(found, outputs=wanted.outputs))

    def _taken(self, found: Choices, tried: Choices) -> Choices:
        """What is tried, where the rule and the budgets admit that, else what was found."""
        if found == tried:
            return found
        return tried if keeps_rule(self.network, tried) and self.admits(tried) else found

    def _preferred(self, found: Choices, logits: Logits) -> Choices:
        """The choice after changes of one hole to what is preferred, while these are admitted."""
        left, preferred = MOST_COUNTED, preference(self.network, logits, self.relax)
        while left > 0:
            least = preferred(found)
            better = sorted(
                ((-preferred(t), i, t) for i, t in enumerate(neighbours(self.network, found))),
                key=lambda item: item[:2],
            )
            tries = [t for value, _, t in better if -value > least][:left]
            following = next((t for t in tries if self.admits(t)), None)
            left -= len(tries)
            if following is None:
                break
            found = following
        return found

    # The smallest

    @cached_property
    def _fallback(self) -> Choices:
        """A choice that is admitted; raises DiagnosticError where none is found."""
        found = self._bottom(self._penalised({}), self.limits)
        if not self.admits(found):
            found = self._smallest_by(self.limits)
        if not self.admits(found):
            self._fail(self.cost(found))
        return found

    @cached_property
    def _listed(self) -> list[Choices] | None:
        """Every choice of the space, where these are few."""
        if count_architectures(self.network).high > MOST_LISTED:
            return None
        return list(every_choice(self.network))

    @cached_property
    def _admitted(self) -> list[Choices] | None:
        """Every choice that is admitted, where those of the space are few and some are."""
        if self._listed is None:
            return None
        with COLLECTOR_OFF:
            return [c for c in self._listed if self.admits(c)] or [self._fallback]

    def _smallest_by(self, limits: Sequence[Budget]) -> Choices:
        """The choice that exceeds budgets least: of all, or of those that descents end in."""

        def excess(chosen: Choices) -> tuple[bool, float, float]:
            return exceeded(limits, self.cost(chosen))

        if self._listed is not None:
            with COLLECTOR_OFF:
                return min(self._listed, key=excess)
        generator = np.random.default_rng(0)
        starts = [self._penalised({})]
        starts += [draw(self.network, generator) for _ in range(STARTS)]
        return min((self._bottom(start, limits) for start in starts), key=excess)

    def _bottom(self, chosen: Choices, limits: Sequence[Budget]) -> Choices:
        for _ in range(MOST_MOVES):
            following = self._descended(chosen, limits)
            if following is None:
                break
            chosen = following
        return chosen

    def _descended(self, chosen: Choices, limits: Sequence[Budget]) -> Choices | None:
        """The change of one hole that exceeds least by parts; None where no change is better."""

        def excess(tried: Choices) -> tuple[bool, float, float]:
            return exceeded(limits, self.table.cost(tried))

        best = min(neighbours(self.network, chosen), key=excess, default=None)
        return best if best is not None and excess(best) < excess(chosen) else None

    def _fail(self, closest: Costs) -> NoReturn:
        """Raises the DiagnosticError that says how small the quantity of a budget can be."""
        every = self._listed is not None
        found = "the smallest has" if every else "the smallest that was found has"
        none = f"no network of `{self.network.name}` " + ("keeps" if every else "was found to keep")
        for budget in self.limits:
            value = self.cost(self._smallest_by([budget]))[budget.quantity]
            if not budget.met(value):
                remedy = f"allow more: {found} {shown(budget.quantity, value)}"
                raise fail("E404", f"{none} within {stated(budget)}", budget.span, help=remedy)
        notes = [Note(f"{q} of the closest: {shown(q, v)}") for q, v in closest.items()]
        message = f"{none} within all budgets at once"
        raise fail("E404", message, self.limits[0].span, help="allow more of one", notes=notes)
