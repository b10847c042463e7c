"""Controls: what a search has to beat, trained and scored as the genotype that it found.

Simple models and networks without a Cell, and at the search's own cost random genotypes. Every
network is trained on the training split, with the settings of the search, random ones together, and
scored on validation; the test split is never read. Random genotypes are drawn within
the budgets, each once. As many of them as the search's own cost buys compete by their best score,
since a search chooses by the same scores.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import cast

import numpy as np
import torch

from ...compiler.check.check import checked
from ...compiler.diagnostics.diagnostic import DiagnosticError
from ...compiler.language.nodes import Reference
from ...compiler.language.spec import Spec
from ...compiler.network.choices import Choices
from ...compiler.network.holes import Relaxation
from ...compiler.network.network import Network
from ...compiler.resolve.unfill import unfill
from ..data.dataset import Dataset, Source, load_data
from ..latency.profile import read_profile
from ..metrics import SELECTION_METRIC
from ..parallel.interrupt import Interrupt
from ..parallel.processes import join, rank
from ..parallel.threads import computing
from ..runs.controls import Control, Controls
from ..settings import Settings
from ..training.finite import no_finite_loss
from ..training.fitting import device_of, seeded
from .candidates.trial import Trainer, Trial
from .meter import Meter, unit_macs, unit_program
from .search import SearchResult, with_rule
from .simple import simple_scores
from .strategy import Problem
from .variants import budgets_of

FOUND, LATE, ALL = "found genotype", "late fusion", "all features"
RANDOM, BEST = "random genotypes, their mean", "random genotypes, the best"
RANDOM_GENOTYPES = 4
"""How many random genotypes a mean is of at least."""
STREAM = 2
"""Keeps the draws apart from those of strategies."""
Told = Callable[[str, float], None]
"""Receives the name and score of every network that has been trained."""


def fixed_controls(spec: Spec) -> dict[str, Spec]:
    """Networks without a Cell, by name: late fusion, all features, and each modality alone."""
    found = {LATE: late_fusion(spec), ALL: all_features(spec)}
    if len(spec.modalities) > 1:
        for modality in spec.modalities:
            own = tuple(Reference(feature.name) for feature in modality.features)
            alone = replace(spec, pool=None, cells=(), outputs=own, requirements=())
            found[f"{modality.name} alone"] = alone
    return found


def all_features(spec: Spec) -> Spec:
    """Every feature straight to the head, without a Cell."""
    every = tuple(Reference(f.name) for m in spec.modalities for f in m.features)
    return replace(spec, pool=None, cells=(), outputs=every, requirements=())


def late_fusion(spec: Spec) -> Spec:
    """The last feature of each modality straight to the head, without a Cell."""
    last = tuple(Reference(m.features[-1].name) for m in spec.modalities)
    return replace(spec, pool=None, cells=(), outputs=last, requirements=())


def compare_with_controls(
    spec: Spec,
    data: Source,
    found: SearchResult,
    *,
    settings: Settings,
    out: str | PathLike[str] | None = None,
    told: Told | None = None,
    random: bool = True,
) -> Controls:
    """Trains the genotype that a search found, and its controls, and scores them on validation.

    Without `random` genotypes, which cost as much as the search, they are cheap.
    `spec`, `data` and `settings` are those of the search. With `out`, its run folder, the result is
    written there. Raises DiagnosticError where the data or the settings cannot be used.
    """
    spec = with_rule(spec, settings)
    network = checked(spec)
    here = settings.with_options(device=join(settings.device))
    samples = load_data(data, network, settings.split_seed)
    with computing(settings.threads):
        controls = _Comparison(network, samples, here, told).run(found, random=random)
    if out is not None and rank() == 0:
        controls.write(Path(out))
    return controls


class _Comparison:
    """Networks that are trained; each has a number, on which its draws depend."""

    def __init__(
        self, network: Network, data: Dataset, settings: Settings, told: Told | None
    ) -> None:
        self.network, self.data, self.settings, self.told = network, data, settings, told
        self.device = device_of(settings)
        self.relax: Relaxation = cast(Relaxation, settings.relax)
        profile = read_profile(settings.profile) if settings.profile else None
        self.budgets = budgets_of(network, self.relax, profile)
        self.unit = unit_macs(unit_program(network))
        self.number = 0

    def run(self, found: SearchResult, *, random: bool) -> Controls:
        rows = [self._fixed(FOUND, found.genotype)]
        left_out: list[str] = []
        try:
            for name, score in simple_scores(self.data, self.network, self.settings.seed):
                rows.append(Control(name, score, (score,), 0.0))
                self._tell(name, score)
        except (DiagnosticError, ValueError, MemoryError) as error:  # whatever the data are
            left_out.append(f"simple models: {error}")
        for name, spec in fixed_controls(self.network.spec).items():
            try:
                rows.append(self._fixed(name, spec))
            except DiagnosticError as error:
                left_out.append(f"{name}: {error.diagnostics[0].message}")
        cost, bought = found.cost["weight_steps"], 0
        if random:
            drawn, bought = self._random(cost)
            rows.append(_control(RANDOM, float(np.mean([r.score for r in drawn])), drawn))
            best = drawn[:bought]
            rows.append(_control(BEST, max(r.score for r in best), best))
        metric = SELECTION_METRIC[self.network.head.kind]
        epochs = self.settings.epochs
        return Controls(metric, epochs, cost, bought, tuple(rows), tuple(left_out))

    def _random(self, cost: float) -> tuple[list[Control], int]:
        """Random genotypes, and how many of them a cost buys, one at least.

        The next one is taken to cost what those before it did on average. One whose loss is no
        finite number is passed over, a few at most.
        """
        found: list[Control] = []
        waiting: list[Trial] = []
        spent, bought, failed = 0.0, 0, 0
        draws = self.budgets.draws(np.random.default_rng((self.settings.seed, STREAM)))
        trainer = Trainer(self._problem(self.network))
        while len(found) < RANDOM_GENOTYPES or spent * (len(found) + 1) <= cost * len(found):
            if not waiting:
                count = self._ahead(found, spent, cost)
                waiting = [self._trial(choices) for choices in islice(draws, count)]
            if not waiting:
                break
            trial = waiting.pop(0)
            name = f"random genotype {len(found) + 1}"
            try:
                found.append(self._trained(name, trainer, trial, waiting))
            except DiagnosticError:
                failed += trial.diverged
                if not trial.diverged or failed > RANDOM_GENOTYPES:
                    raise
                continue
            spent += found[-1].weight_steps
            bought += spent <= cost
        return found, max(1, bought)

    def _ahead(self, found: list[Control], spent: float, cost: float) -> int:
        """How many random genotypes are likely to be trained yet, which can be trained together."""
        if not found or not spent:
            return RANDOM_GENOTYPES
        left = int(cost * len(found) / spent) - len(found)
        return max(1, min(left, self.settings.together))

    def _fixed(self, name: str, spec: Spec) -> Control:
        network = checked(spec)
        trial = self._trial(unfill(network, spec))
        return self._trained(name, Trainer(self._problem(network)), trial)

    def _trial(self, choices: Choices) -> Trial:
        self.number += 1
        return Trial(self.number - 1, choices)

    def _problem(self, network: Network) -> Problem:
        meter = Meter(self.unit, self.settings.batch)
        generator = torch.Generator().manual_seed(self.settings.seed)
        return Problem(
            network, self.data, self.settings, self.device, self.relax, meter, generator,
            Interrupt(), self.budgets,
        )  # fmt: skip

    def _tell(self, name: str, score: float) -> None:
        if self.told is not None and rank() == 0:
            self.told(name, score)

    def _trained(
        self, name: str, trainer: Trainer, trial: Trial, beside: Sequence[Trial] = ()
    ) -> Control:
        """A network trained on the training split and scored on validation."""
        with seeded(self.settings.seed, self.device):
            trainer.train(trial, self.settings.epochs, beside)
        if trial.diverged:
            raise no_finite_loss(trial.failure)
        self._tell(name, trial.score)
        steps = trainer.problem.meter.weight_steps(trial.macs)
        return Control(name, trial.score, (trial.score,), steps)


def _control(name: str, score: float, members: list[Control]) -> Control:
    cost = sum(m.weight_steps for m in members)
    return Control(name, score, tuple(s for m in members for s in m.scores), cost)
