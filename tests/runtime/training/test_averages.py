"""Averages of weights: what they are, and that they are what is scored and kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.runtime.data.batches import Batches
from fusewright.runtime.data.dataset import load_data
from fusewright.runtime.data.split import TRAIN, VALIDATION
from fusewright.runtime.genotypes.sample import random_genotype
from fusewright.runtime.training.averages import Averages, newest_share
from fusewright.runtime.training.fitting import predict_all
from fusewright.runtime.training.objective import Objective
from fusewright.runtime.training.optimisers import WeightOptimiser
from fusewright.runtime.training.population import Population, PopulationOptimiser, member_program
from fusewright.runtime.training.prepare import prepare, prepared

from ...support.running import FIXED, QUICK, problem, same, spec
from ...support.stopping import stopped_and_resumed

CPU = torch.device("cpu")
DATA = problem(45)
DECAYS = (0.9, 0.0, 0.5)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-9, 9), min_size=1, max_size=9), st.sampled_from([0.0, 0.3, 0.99]))
def test_an_average_has_no_bias(values: list[float], decay: float) -> None:
    """Each value counts d to the power of its age, in shares of what these add up to."""
    held = torch.zeros(1, dtype=torch.float64)
    averages = Averages({"w": held})
    for step, value in enumerate(values):
        held.fill_(value)
        averages.follow([newest_share(decay, step)])
    counts = decay ** np.arange(len(values))[::-1].astype(float)
    expected = (counts * values).sum() / counts.sum()
    with averages.in_place():
        assert held.item() == pytest.approx(expected, abs=1e-9)
    assert held.item() == values[-1]


def test_what_is_trained_is_the_average_of_what_each_step_gives() -> None:
    """Of two steps, the first counts d where the second counts one; statistics are averaged too."""
    given: dict[str, Any] = {"batch": 90, "max_learning_rate": 0.02}
    network = spec(FIXED)
    one, two = (fw.train(network, DATA, epochs=n, **given).weights for n in (1, 2))
    found = fw.train(network, DATA, epochs=2, averaging=0.5, **given).weights
    assert any("mean" in name and not np.array_equal(one[name], two[name]) for name in one)
    for name, array in found.items():
        assert np.allclose(array, (0.5 * one[name] + two[name]) / 1.5, atol=1e-6), name


def test_an_average_beside_others_is_that_of_a_network_alone() -> None:
    """In float64; members leave, and go on alone or with others, as if they had not."""
    space = checked(spec())
    networks = [checked(random_genotype(space, seed)) for seed in range(3)]
    each = [QUICK.with_options(batch=8, averaging=decay) for decay in DECAYS]
    data = load_data(DATA, space)
    hoisted = [member_program(network) for network in networks]

    def joined(places: list[int]) -> tuple[Population, PopulationOptimiser]:
        programs = [hoisted[place].program for place in places]
        population = Population(programs, [each[place] for place in places], CPU)
        population.module.double()
        return population, PopulationOptimiser(population, 2, places)

    def steps(optimiser: WeightOptimiser, batches: Batches) -> None:
        optimiser.module.train()
        for batch in batches.in_order():
            features = {name: f.double() for name, f in batch.features.items()}
            batch = type(batch)(features, batch.labels)
            optimiser.step(optimiser.loss(Objective(space.head), batch))

    shared = prepared(hoisted, data, CPU)
    batches = Batches(shared, shared.indices(TRAIN), 8, CPU)
    population, together = joined([0, 1, 2])
    steps(together, batches)
    states = [*together.member_states()]
    assert [bool(state["averages"]) for state in states] == [True, False, True]
    later, pair = joined([2, 1])
    for member, place in enumerate([2, 1]):
        later.load(member, population.tensors(place))
    pair.restore_members([states[2], states[1]])
    steps(pair, batches)
    for place, settings_of_one in enumerate(each):
        module, its = prepare(networks[place], data, settings_of_one, CPU)
        alone = WeightOptimiser(module.double(), settings_of_one, 2, place)
        source = Batches(its, its.indices(TRAIN), 8, CPU)
        steps(alone, source)
        with alone.averages.in_place(), together.averages.in_place():
            equal(population.tensors(place), dict(module.state_dict()))
        moving = {name: tensor.clone() for name, tensor in module.state_dict().items()}
        equal(population.tensors(place), moving)
        if place == 0:
            continue
        again, _ = prepare(networks[place], data, settings_of_one, CPU)
        again.double().load_state_dict(moving)
        resumed = WeightOptimiser(again, settings_of_one, 2, place)
        resumed.restore(states[place])
        for optimiser in (alone, resumed):
            steps(optimiser, source)
        with alone.averages.in_place(), resumed.averages.in_place(), pair.averages.in_place():
            equal(dict(again.state_dict()), dict(module.state_dict()))
            equal(later.tensors([2, 1].index(place)), dict(module.state_dict()))


def equal(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.allclose(found[name], tensor, rtol=1e-10, atol=1e-10), name


@pytest.mark.parametrize(
    "options",
    [
        {"strategy": "random", "candidates": 3, "tune": "averaging = 0 | 0.9", "folds": 1},
        {"strategy": "darts", "select": "argmax", "epochs": 2, "averaging": 0.9},
    ],
    ids=["candidates", "hypernet"],
)
def test_the_average_is_scored_kept_and_gone_on_from(
    options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {"batch": 8, "trial_epochs": 2, "max_learning_rate": 0.02, **options}
    whole = fw.search(spec(), DATA, **given)
    found = stopped_and_resumed(spec(), DATA, tmp_path / "run", monkeypatch, **given)
    assert same(found.weights, whole.weights)
    if options["strategy"] == "random":
        assert {one["settings"]["averaging"] for one in whole.history} == {0, 0.9}
        best = next(one for one in whole.history if one["round"] == whole.best_round)
        network = checked(whole.genotype)
        module, data = prepare(network, load_data(DATA, network), fw.Settings(), CPU)
        module.load_state_dict({n: torch.from_numpy(a) for n, a in whole.weights.items()})
        batches = Batches(data, data.indices(VALIDATION), 90, CPU)
        loss = Objective(network.head).loss(predict_all(module, batches), batches.labels)
        assert float(loss) == pytest.approx(best["validation_loss"], rel=1e-4)
