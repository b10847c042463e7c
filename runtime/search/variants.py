"""Budgets of a space with global holes: those of each of its variants by itself.

A variant is drawn first, and then within it. One that is no valid specification, or of which no
network keeps within the budgets, is passed over.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np

from ...compiler.diagnostics.diagnostic import DiagnosticError
from ...compiler.language.variants import Picks, some_picks
from ...compiler.network.choices import Choices
from ...compiler.network.holes import Logits, Relaxation
from ...compiler.network.network import Network
from ..latency.profile import Profile
from .budgets import Budgets
from .costs import Costs

MOST_DRAWN = 100
"""How many variants are drawn until one is possible."""


def budgets_of(
    network: Network, relax: Relaxation = "shared", profile: Profile | None = None
) -> Budgets:
    """The budgets of a space; raises as `Budgets` does."""
    kind = VariantBudgets if network.global_holes else Budgets
    return kind(network, relax, profile)


class VariantBudgets(Budgets):
    """The budgets of a space with global holes."""

    def __init__(
        self, network: Network, relax: Relaxation = "shared", profile: Profile | None = None
    ) -> None:
        super().__init__(network, relax, profile)
        self._of: dict[Picks, Budgets | DiagnosticError] = {}

    def cost(self, chosen: Choices) -> Costs:
        return self._possible(chosen.variant).cost(chosen)

    def require_possible(self) -> None:
        """Raises DiagnosticError where no variant is possible, as the first of them does."""
        self._first  # noqa: B018  (it is looked for)

    def choose(self, logits: Logits, picks: Picks = ()) -> Choices:
        variant = self.near(picks or self._first)
        return replace(self._possible(variant).choose(logits), variant=variant)

    def near(self, picks: Picks) -> Picks:
        tried = [picks]
        for place, hole in enumerate(self.network.global_holes):
            others = range(len(hole.candidates))
            tried += [(*picks[:place], other, *picks[place + 1 :]) for other in others]
        possible = (one for one in tried if isinstance(self._within(one), Budgets))
        return next(possible, None) or self._first

    def draw(self, generator: np.random.Generator) -> Choices:
        sizes = [len(hole.candidates) for hole in self.network.global_holes]
        for _ in range(MOST_DRAWN):
            picks = tuple(int(generator.integers(size)) for size in sizes)
            if isinstance(within := self._within(picks), Budgets):
                return replace(within.draw(generator), variant=picks)
        return replace(self._possible(self._first).draw(generator), variant=self._first)

    def repaired(self, chosen: Choices) -> Choices:
        return replace(self._possible(chosen.variant).repaired(chosen), variant=chosen.variant)

    def _within(self, picks: Picks) -> Budgets | DiagnosticError:
        """The budgets of a variant, or what is wrong where it is not possible."""
        if picks not in self._of:
            try:
                budgets = Budgets(self.network.variant(picks), self.relax, self.profile)
                budgets.require_possible()
                self._of[picks] = budgets
            except DiagnosticError as error:
                self._of[picks] = error
        return self._of[picks]

    def _possible(self, picks: Picks) -> Budgets:
        """The budgets of a variant; raises DiagnosticError where it is not possible."""
        within = self._within(picks)
        if isinstance(within, DiagnosticError):
            raise within
        return within

    @cached_property
    def _first(self) -> Picks:
        """The first variant that is possible; raises the DiagnosticError of the first of all."""
        every = list(some_picks(self.network.global_holes))
        found = next((p for p in every if isinstance(self._within(p), Budgets)), None)
        if found is None:
            self._possible(every[0])
        assert found is not None
        return found
