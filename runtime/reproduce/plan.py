"""What a table would run: its rows, what they cost, and what is missing, before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...compiler.check.check import checked
from ...compiler.compile import to_program
from ...compiler.diagnostics.diagnostic import DiagnosticError
from ...compiler.graph.build import build
from ...compiler.language.spec import Spec
from ...compiler.lowering.lower import lower
from ...compiler.measure.sizes import count_macs, count_parameters
from ...compiler.network.holes import Relaxation
from ...compiler.passes import optimise
from ..genotypes.sample import random_genotype
from ..search.meter import FORWARD, STEP
from .paper import Alone, Late, NotHere, OtherFeatures, OtherSteps, Row, Searched, System, Table
from .sets import METHODS, Material
from .systems import fixed, other_steps
from .work import search_of, told_of

DRAWN = 8
"""Random genotypes whose mean cost stands for that of candidates and of what a search finds."""


@dataclass(frozen=True)
class Planned:
    """A row before it is run.

    `macs` are the multiply-adds of one seed, search and training, as far as they can be known
    before; `parameters` those of a network that is not searched. `why` says why it cannot be run.
    """

    row: Row
    way: str
    data: str
    stands_in: str
    macs: float = 0.0
    parameters: int | None = None
    why: str = ""


def planned(table: Table, materials: Mapping[str, Material]) -> list[Planned]:
    """The rows of a table in its order."""
    return [_planned(row, materials[table.data_of(row)]) for row in table.rows]


def _planned(row: Row, material: Material) -> Planned:
    way = row.way
    if isinstance(way, NotHere):
        return Planned(row, "", material.title, material.stands_in, why=way.why)
    told = told_of(way)
    try:
        if isinstance(way, Alone | Late | System):
            network = fixed(way, material.space)
            checked(network)
            told = told_of(way, network)
            size = count_parameters(to_program(network))
            cost = _training(network, material)
        else:
            size, cost = None, _cost(way, material)
    except DiagnosticError as error:
        why = error.diagnostics[0].message
        return Planned(row, told, material.title, material.stands_in, why=why)
    return Planned(row, told, material.title, material.stands_in, cost, size)


def _cost(way: Searched | OtherSteps | OtherFeatures, material: Material) -> float:
    found = [random_genotype(checked(material.space), seed) for seed in range(DRAWN)]
    if isinstance(way, OtherSteps):
        found = [other_steps(one, way.steps) for one in found]
    if not isinstance(way, Searched):
        return float(np.mean([_training(one, material) for one in found]))
    space, settings = search_of(way, material)
    learned, validation, _ = material.samples
    drawn = [random_genotype(checked(space), seed) for seed in range(DRAWN)]
    trained = float(np.mean([_training(one, material) for one in drawn]))
    if METHODS[way.method]["strategy"] == "darts":
        hypernet = lower(build(checked(space)), _relaxation(settings.relax))
        passes = STEP * (learned + validation) + FORWARD * validation
        return trained + settings.epochs * count_macs(optimise(hypernet, "training")) * passes
    one = float(np.mean([_macs(one) for one in drawn]))
    epochs = settings.trial_epochs * STEP * learned + FORWARD * validation
    return trained + settings.candidates * one * epochs


def _relaxation(text: str) -> Relaxation:
    return "shared" if text == "shared" else "per_input"


def _training(network: Spec, material: Material) -> float:
    """The multiply-adds of training a network and of its outputs for test."""
    learned, validation, test = material.samples
    passes = STEP * material.training.epochs * (learned + validation) + FORWARD * test
    return _macs(network) * passes


def _macs(network: Spec) -> int:
    return count_macs(optimise(to_program(network), "training"))
