"""Networks that train together are those that train one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.runtime.data.batches import Batch, Batches
from fusewright.runtime.data.dataset import TRAIN, load_data
from fusewright.runtime.genotypes.sample import random_genotype
from fusewright.runtime.parallel.interrupt import Interrupt, Interrupted
from fusewright.runtime.settings import Settings
from fusewright.runtime.training import population
from fusewright.runtime.training.epoch import Epoch, Pass
from fusewright.runtime.training.objective import loss_of
from fusewright.runtime.training.optimisers import WeightOptimiser
from fusewright.runtime.training.population import (
    Population,
    PopulationOptimiser,
    bytes_of,
    member_program,
)
from fusewright.runtime.training.prepare import prepare, prepared
from fusewright.runtime.training.train import train_seeds

from ...support.running import problem, same, spec, without_cost

CPU = torch.device("cpu")
DATA = problem(90)
QUICK = Settings(batch=8, max_learning_rate=0.02)
SHORT: dict[str, Any] = {"batch": 16, "max_learning_rate": 0.02, "trial_epochs": 2, "passes": 1}
HALVING: dict[str, Any] = {**SHORT, "strategy": "halving", "candidates": 5, "rungs": 2}


ONE_RUNG: dict[str, Any] = {**HALVING, "rungs": 1}


OWN = """
network n(C = 8, L = 2, dropout = 0.3) use bmnas
role adapt(f) = dropout(batchnorm(resample(f))) @ W[c, C]
modality left optional { A[c 3] B[t 2, c 5] } modality right { D[c 4] }
pool Sum, ConcatFC
cell K[2](?, ?) { S = ?(x, y) }
predict 3 classes
"""


def in_double(batches: Batches) -> Batches:
    held = batches._features  # pyright: ignore[reportPrivateUsage]
    batches._features = {n: f.double() for n, f in held.items()}  # pyright: ignore[reportPrivateUsage]
    return batches


@pytest.mark.parametrize("text", [str(spec()), OWN], ids=["bmnas", "adapters of its own"])
def test_twenty_steps_together_are_twenty_steps_alone(text: str) -> None:
    """In float64 to 1e-10, dropout, running statistics and Adam's moments among them.

    Adapters of its own normalise and drop a feature itself, which is one value for all networks.
    """
    space = checked(fw.loads(text))
    networks = [checked(random_genotype(space, seed)) for seed in range(6)]
    data, head = load_data(DATA, space), space.head
    hoisted = [member_program(network) for network in networks]
    population = Population([one.program for one in hoisted], QUICK, CPU)
    population.module.double()
    shared = prepared(hoisted, data, CPU)
    batches = in_double(Batches(shared, shared.indices(TRAIN), QUICK.batch, CPU))
    together = PopulationOptimiser(population, QUICK, len(batches), range(6))

    def steps(optimiser: WeightOptimiser, source: Batches) -> None:
        def step(batch: Batch) -> torch.Tensor:
            loss = optimiser.loss(head, batch)
            optimiser.step(loss)
            return loss

        epoch = Epoch(0, Interrupt())
        for _ in range(5):
            epoch.run([Pass(optimiser, step, [source])])

    assert 5 * len(batches) == 20
    steps(together, batches)
    for number, network in enumerate(networks):
        module, its = prepare(network, data, QUICK, CPU)
        source = in_double(Batches(its, its.indices(TRAIN), QUICK.batch, CPU))
        single = WeightOptimiser(module.double(), QUICK, len(batches), [number])
        steps(single, source)
        found, expected = population.tensors(number), module.state_dict()
        assert found.keys() == expected.keys()
        for name, tensor in expected.items():
            assert torch.allclose(found[name], tensor, rtol=1e-10, atol=1e-10), name
        state = together.member_state(number)
        for name, moments in single.moments().items():
            for key, one in moments.items():
                assert torch.allclose(state["moments"][name][key], one, atol=1e-10), (name, key)


@pytest.mark.parametrize("strategy", ["halving", "random", "evolution", "tpe", "mfas"])
def test_a_search_finds_the_same_together_and_one_by_one(strategy: str) -> None:
    options: dict[str, Any] = {**SHORT, "strategy": strategy, "candidates": 7, "rungs": 2}
    alone, together = (fw.search(spec(), DATA, together=n, **options) for n in (1, 64))
    assert together.genotype == alone.genotype
    assert together.best_round == alone.best_round
    histories = (without_cost(list(one.history)) for one in (alone, together))
    for one, other in zip(*histories, strict=True):
        assert one.keys() == other.keys()
        for name, value in one.items():
            near = isinstance(value, float) and value == pytest.approx(other[name], rel=1e-4)
            assert near or value == other[name], name
    for name, array in alone.weights.items():
        assert np.allclose(together.weights[name], array, rtol=1e-3, atol=1e-4), name
    assert together.cost["weight_steps"] == pytest.approx(alone.cost["weight_steps"])


def test_sixteen_bits_train_together_too() -> None:
    found = fw.search(spec(), DATA, precision="bfloat16", candidates=4, **SHORT)
    losses = [record["validation_loss"] for record in found.history]
    assert np.isfinite(losses).all()


def test_seeds_train_together_without_the_presence_of_a_modality() -> None:
    genotype = random_genotype(checked(fw.loads(OWN)), 0)
    found = train_seeds(genotype, DATA, [1, 2], epochs=2, batch=16)
    for seed, one in zip([1, 2], found, strict=True):
        alone = fw.train(genotype, DATA, seed=seed, epochs=2, batch=16)
        for name, array in alone.weights.items():
            assert np.allclose(one.weights[name], array, rtol=1e-3, atol=1e-4), name


def test_parts_of_any_size_give_the_same() -> None:
    found = [
        fw.search(spec(), DATA, strategy="random", candidates=5, together=n, **SHORT)
        for n in (2, 3, 5)
    ]
    assert len({str(one.genotype) for one in found}) == 1


@pytest.mark.parametrize("batches", [1, 2, 3])
def test_a_population_that_is_stopped_goes_on(
    batches: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After any batch, in the middle of an epoch of several networks."""
    whole = fw.search(spec(), DATA, **HALVING)
    left = [batches]

    def check(_: Interrupt) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Interrupted

    with monkeypatch.context() as patched:
        patched.setattr(Interrupt, "check", check)
        with pytest.raises(fw.DiagnosticError, match="stopped"):
            fw.search(spec(), DATA, out=tmp_path / "run", **HALVING)
    found = fw.search(spec(), DATA, out=tmp_path / "run", resume=True, **HALVING)
    assert found.genotype == whole.genotype
    assert same(found.weights, whole.weights)


def test_a_member_that_diverges_leaves_the_others_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = Population.__init__

    def spoilt(self: Population, programs: Any, *rest: Any) -> None:
        """The first member starts from what is no number."""
        begin(self, programs, *rest)
        first = self.tensors(0)
        self.load(0, {name: torch.full_like(t, float("nan")) for name, t in first.items()})

    monkeypatch.setattr(Population, "__init__", spoilt)
    found = fw.search(spec(), DATA, **ONE_RUNG)
    ended, *others = found.history
    assert "validation_loss" not in ended
    monkeypatch.undo()
    whole = fw.search(spec(), DATA, **ONE_RUNG)
    for one, other in zip(whole.history[1:-1], others[:-1], strict=True):
        assert one["validation_loss"] == pytest.approx(other["validation_loss"], rel=1e-4)
        assert one["candidate"] == other["candidate"]


def test_where_every_member_diverges_the_search_says_so() -> None:
    data = problem(90, "values")
    data["labels"] = 1e30 * data["labels"]
    with pytest.raises(fw.DiagnosticError, match="no longer a finite number"):
        fw.search(spec(predict="1 values"), data, **HALVING)


def test_a_population_is_as_large_as_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    begin = Population.__init__

    def counted(self: Population, programs: Any, *rest: Any) -> None:
        sizes.append(len(programs))
        begin(self, programs, *rest)

    monkeypatch.setattr(Population, "__init__", counted)
    network = checked(random_genotype(checked(spec()), 0))
    needed = bytes_of(member_program(network).program, SHORT["batch"])
    assert needed > 16 * 8 * 2 * 4
    monkeypatch.setattr(population, "free_memory", lambda device: 5 * needed)
    found = fw.search(spec(), DATA, strategy="random", candidates=6, **SHORT)
    assert sizes
    assert max(sizes) < 6
    monkeypatch.setattr(population, "free_memory", lambda device: 1)
    alone = fw.search(spec(), DATA, strategy="random", candidates=6, **SHORT)
    assert str(alone.genotype) == str(found.genotype)


def test_seeds_that_train_together_are_those_that_train_alone() -> None:
    """Each with its own initial values, draws and order of samples."""
    genotype = random_genotype(checked(spec()), 3)
    settings: dict[str, Any] = {"epochs": 3, "batch": 16, "max_learning_rate": 0.02}
    found = train_seeds(genotype, DATA, [4, 0, 9], **settings)
    for seed, one in zip([4, 0, 9], found, strict=True):
        alone = fw.train(genotype, DATA, seed=seed, **settings)
        assert one.weights.keys() == alone.weights.keys()
        for name, array in alone.weights.items():
            assert np.allclose(one.weights[name], array, rtol=1e-3, atol=1e-4), name
        for record, expected in zip(one.history, alone.history, strict=True):
            assert record == pytest.approx(expected, rel=1e-4)
    assert not np.allclose(found[0].weights["head.W"], found[1].weights["head.W"], atol=0.1)
    (single,) = train_seeds(genotype, DATA, [4], **settings)
    assert same(single.weights, fw.train(genotype, DATA, seed=4, **settings).weights)


def test_a_step_waits_for_nothing_and_its_shapes_are_known() -> None:
    """Forward and backward on `meta`, where reading a number, or a copy from there, is an error."""
    space = checked(spec())
    networks = [checked(random_genotype(space, seed)) for seed in range(5)]
    hoisted = [member_program(network) for network in networks]
    device = torch.device("meta")
    population = Population([one.program for one in hoisted], QUICK, device)
    module = population.module.train()
    inputs: dict[str, torch.Tensor] = {}
    for item in module.program.inputs:
        sizes = item.type.sizes if item.kind == "keys" else (16, *item.type.sizes)
        kind = torch.int64 if item.kind == "keys" else torch.float32
        inputs[item.name] = torch.zeros(*sizes, dtype=kind, device=device)
    labels = torch.zeros(16, dtype=torch.int64, device=device)
    losses = loss_of(space.head, module(inputs), labels)
    assert losses.shape == (5,)
    total: Any = losses.sum()
    total.backward()
    read = {v.name for v in module.program.values if v.primitive == "parameter"}
    moved = {name for name, p in module.named_parameters() if p.grad is not None}
    assert moved
    assert moved <= read
    with pytest.raises(RuntimeError, match="meta"):
        losses[0].item()


def test_what_a_member_is_goes_in_and_out_alone() -> None:
    network = checked(random_genotype(checked(spec()), 1))
    program = member_program(network).program
    population = Population([program, program, program], QUICK, CPU)
    moved = {name: tensor + 1 for name, tensor in population.tensors(1).items()}
    before = population.tensors(0)
    population.load(1, moved)
    assert all(torch.equal(population.tensors(1)[n], t) for n, t in moved.items())
    assert all(torch.equal(population.tensors(0)[n], t) for n, t in before.items())
