"""How random genotypes do on the folds that a search chooses by."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from fusewright.compiler.network.network import Network
from fusewright.runtime.data.dataset import Dataset
from fusewright.runtime.data.folds import chosen_folds
from fusewright.runtime.data.seen import weighted
from fusewright.runtime.genotypes.sample import draw
from fusewright.runtime.metrics import VALIDATION_LOSS, selection_metric
from fusewright.runtime.parallel.interrupt import Interrupt
from fusewright.runtime.search.candidates.trial import Trial
from fusewright.runtime.search.meter import Meter, unit_macs, unit_program
from fusewright.runtime.search.strategies.folds import Folds
from fusewright.runtime.search.strategy import LAST, Problem
from fusewright.runtime.search.variants import budgets_of
from fusewright.runtime.settings import Settings

CPU = torch.device("cpu")


def by_folds(
    network: Network, data: Dataset, settings: Settings, number: int
) -> Iterator[tuple[float, float]]:
    """Metric and loss, on what folds hold out, of the random genotypes from seed 0 on."""
    settings = settings.with_options(finalists=number, ensemble=False)
    data, unit = weighted(data, network, settings), unit_program(network)
    meter, generator = Meter(unit_macs(unit), settings.batch), torch.Generator()
    budgets = budgets_of(network, "per_input")
    folds = chosen_folds(data, network.head, settings)
    problem = Problem(
        network,
        data,
        settings,
        CPU,
        "per_input",
        meter,
        generator,
        Interrupt(),
        budgets,
        unit,
        folds,
    )
    drawn = [draw(network, np.random.default_rng(seed)) for seed in range(number)]
    finalists = Folds(problem, [Trial(place, choices) for place, choices in enumerate(drawn)])
    metric = selection_metric(network.head.kind)
    for place in range(number):
        values = finalists.round(place).values
        told = values.get(LAST, values)
        yield told[metric], told[VALIDATION_LOSS]
