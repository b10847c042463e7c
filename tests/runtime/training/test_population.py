"""Networks that train together are those that train one by one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.runtime.data.batches import Batch, Batches
from fusewright.runtime.data.dataset import load_data
from fusewright.runtime.data.parts import Parts
from fusewright.runtime.data.split import TEST, TRAIN
from fusewright.runtime.genotypes.sample import random_genotype
from fusewright.runtime.parallel.interrupt import Interrupt
from fusewright.runtime.settings import Settings
from fusewright.runtime.training import memory
from fusewright.runtime.training.epoch import Epoch, Pass
from fusewright.runtime.training.fitting import predict_all
from fusewright.runtime.training.memory import bytes_of
from fusewright.runtime.training.objective import Objective, loss_of
from fusewright.runtime.training.optimisers import WeightOptimiser
from fusewright.runtime.training.population import (
    Population,
    PopulationOptimiser,
    member_program,
)
from fusewright.runtime.training.prepare import prepare, prepared
from fusewright.runtime.training.together import Member, train_all, train_networks, train_seeds

from ...support.running import problem, same, spec, without_cost
from ...support.stopping import stop_after

CPU = torch.device("cpu")
DATA = problem(90)
QUICK = Settings(batch=8, max_learning_rate=0.02)
SHORT: dict[str, Any] = {"batch": 16, "max_learning_rate": 0.02, "trial_epochs": 2, "passes": 1}
HALVING: dict[str, Any] = {**SHORT, "strategy": "halving", "candidates": 5, "rungs": 2}


ONE_RUNG: dict[str, Any] = {**HALVING, "rungs": 1, "folds": 1, "ensemble": False}


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


FOLDS = 3
OWN_SETTINGS: tuple[dict[str, Any], ...] = (
    {"smoothing": 0.2, "clipping": 0.3},
    {"max_learning_rate": 0.003, "weight_decay": 0.01, "warm_up": 1.5},
    {"first_restart": 2, "restart_multiplier": 1, "min_learning_rate": 0.001, "seed": 5},
    {"decoupled_decay": 0.5, "clipping": 100.0},
)
ALIKE = ({"decoupled_decay": 0.5, "clipping": 0.3, "smoothing": 0.1, "warm_up": 2.0},)


@pytest.mark.parametrize("own", [(), ALIKE, OWN_SETTINGS], ids=["usual", "alike", "its own"])
@pytest.mark.parametrize("folds", [1, FOLDS], ids=["samples of all", "samples of its own"])
@pytest.mark.parametrize("text", [str(spec()), OWN], ids=["bmnas", "adapters of its own"])
def test_twenty_steps_together_are_twenty_steps_alone(
    text: str, folds: int, own: tuple[dict[str, Any], ...]
) -> None:
    """In float64 to 1e-10, dropout, running statistics and Adam's moments among them.

    Adapters of its own normalise and drop a feature itself, which is one value for all networks.
    Parts of the samples differ in size; a pass has as many of each as the smallest has.
    """
    space = checked(fw.loads(text))
    networks = [checked(random_genotype(space, seed)) for seed in range(6)]
    each = [QUICK.with_options(**own[i % len(own)]) if own else QUICK for i in range(6)]
    rows = [number % folds for number in range(6)]
    data, head = load_data(DATA, space), space.head
    hoisted = [member_program(network) for network in networks]
    programs = [one.program for one in hoisted]
    population = Population(programs, each, CPU, rows if folds > 1 else None)
    population.module.double()
    shared = prepared(hoisted, data, CPU)
    samples = shared.indices(TRAIN)
    parts = [samples[i * 2 :] for i in range(folds)]
    most = len(parts[-1])
    batches = (
        Parts(shared, parts, QUICK.batch, CPU)
        if folds > 1
        else Batches(shared, samples, QUICK.batch, CPU)
    )
    together = PopulationOptimiser(population, len(batches), range(6))

    def steps(optimiser: WeightOptimiser, source: Batches) -> None:
        def step(batch: Batch) -> torch.Tensor:
            loss = optimiser.loss(Objective(head), batch)
            optimiser.step(loss)
            return loss

        epoch = Epoch([0], Interrupt())
        for _ in range(5):
            epoch.run([Pass(optimiser, step, [source])])

    assert 5 * len(batches) == 20
    steps(together, in_double(batches))
    states = [*together.member_states()]
    for number, network in enumerate(networks):
        settings = each[number]
        module, its = prepare(network, data, settings, CPU)
        source = Batches(its, parts[rows[number]], QUICK.batch, CPU, most=most)
        single = WeightOptimiser(module.double(), settings, len(batches), number)
        steps(single, in_double(source))
        found, expected = population.tensors(number), module.state_dict()
        assert found.keys() == expected.keys()
        for name, tensor in expected.items():
            assert torch.allclose(found[name], tensor, rtol=1e-10, atol=1e-10), name
        state = states[number]
        for name, moments in single.moments().items():
            for key, one in moments.items():
                assert torch.allclose(state["moments"][name][key], one, atol=1e-10), (name, key)


def test_parts_give_every_sample_in_order() -> None:
    """Smaller parts are filled up with a sample of theirs."""
    data = load_data(DATA, checked(spec()))
    parts = [np.arange(3, 30), np.arange(10)]
    batches = Parts(data, parts, 8, CPU)
    labels = torch.cat([batch.labels for batch in batches.in_order()], 1)
    assert labels.shape[:2] == (2, 27)
    for row, part in zip(labels, parts, strict=True):
        assert np.array_equal(row[: len(part)], data.labels[part])
    assert len(batches) == 2
    orders = batches.order(1, 2)
    assert orders.shape == (2, 10)
    assert torch.equal(orders[0], Batches(data, parts[0], 8, CPU, most=10).order(1) + 3)


def flat(record: dict[str, Any]) -> dict[str, Any]:
    """A record with that of the last candidate of a rung beside its own numbers."""
    last = {f"last {name}": value for name, value in record.get("last", {}).items()}
    return {**{name: value for name, value in record.items() if name != "last"}, **last}


@pytest.mark.parametrize("strategy", ["halving", "random", "evolution", "tpe", "mfas", "dc"])
def test_a_search_finds_the_same_together_and_one_by_one(strategy: str) -> None:
    options: dict[str, Any] = {**SHORT, "strategy": strategy, "candidates": 7, "rungs": 2}
    alone, together = (fw.search(spec(), DATA, together=n, **options) for n in (1, 64))
    assert together.genotype == alone.genotype
    assert together.best_round == alone.best_round
    histories = ([*map(flat, without_cost(list(one.history)))] for one in (alone, together))
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
    with monkeypatch.context() as patched:
        stop_after(batches, patched)
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
    for name in "ABD":
        data[name] = np.where(data[name] > 0, 3e38, -3e38).astype(np.float32)
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
    needed = bytes_of(member_program(network).program, fw.Settings(**SHORT))
    assert needed > 16 * 8 * 2 * 4
    monkeypatch.setattr(memory, "free_memory", lambda device: 5 * needed)
    found = fw.search(spec(), DATA, strategy="random", candidates=6, **SHORT)
    assert sizes
    assert max(sizes) < 6
    monkeypatch.setattr(memory, "affordable", lambda device, stated: 1)
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


def test_networks_that_learn_other_samples_train_together() -> None:
    networks = [checked(random_genotype(checked(spec()), seed)) for seed in (1, 2)]
    whole = load_data(DATA, networks[0])
    places = np.arange(90)
    splits = [np.where(places % 3 == fold, TEST, TRAIN) for fold in range(3)]
    data = [replace(whole, split=split) for split in splits]
    settings = Settings(batch=8, epochs=2, max_learning_rate=0.02)
    members = [Member(network, one, settings) for one in data for network in networks]
    together = train_networks(members)
    for member, result in zip(members, together, strict=True):
        (alone,) = train_networks([member])
        assert result.history[-1]["train_loss"] == pytest.approx(alone.history[-1]["train_loss"])
        for name, weights in alone.weights.items():
            assert np.allclose(weights, result.weights[name], atol=1e-4)


def test_networks_with_settings_of_their_own_train_together() -> None:
    """Different networks, dropouts, rates, seeds; one with more epochs trains by itself."""
    space = checked(spec())
    each = [QUICK.with_options(epochs=2, batch=16, **OWN_SETTINGS[i % 3]) for i in range(5)]
    each[4] = each[4].with_options(epochs=3)
    texts = [str(random_genotype(space, seed)) for seed in range(5)]
    drops = ("dropout = 0.1", "dropout = 0.3", "dropout = 0")
    specs = [fw.loads(text.replace(drops[0], drops[i % 3])) for i, text in enumerate(texts)]
    for one, genotype, settings in zip(train_all(specs, DATA, each), specs, each, strict=True):
        alone = fw.train(genotype, DATA, settings=settings)
        assert len(one.history) == settings.epochs
        assert one.weights.keys() == alone.weights.keys()
        for name, array in alone.weights.items():
            assert np.allclose(one.weights[name], array, rtol=1e-3, atol=1e-4), name


def test_a_step_waits_for_nothing_and_its_shapes_are_known() -> None:
    """Forward and backward on `meta`, where reading a number, or a copy from there, is an error."""
    space = checked(spec())
    networks = [checked(random_genotype(space, seed)) for seed in range(5)]
    hoisted = [member_program(network) for network in networks]
    device = torch.device("meta")
    population = Population([one.program for one in hoisted], [QUICK] * 5, device)
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


def test_a_population_is_one_region_of_torch_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    """One graph for each mode, with nothing that cannot be compiled in between."""
    graphs: list[torch.fx.GraphModule] = []
    compile = torch.compile

    def recorded(model: Any, *, mode: str, **options: Any) -> Any:
        def backend(graph: torch.fx.GraphModule, _: Any) -> Any:
            graphs.append(graph)
            return graph.forward

        return compile(model, backend=backend, **options)

    torch.compiler.reset()
    monkeypatch.setattr(torch, "compile", recorded)
    space = checked(spec())
    networks = [checked(random_genotype(space, seed)) for seed in range(5)]
    hoisted = [member_program(network) for network in networks]
    programs, whole = [one.program for one in hoisted], QUICK.with_options(compile=True)
    compiled, plain = (Population(programs, [one] * 5, CPU) for one in (whole, QUICK))
    data = prepared(hoisted, load_data(DATA, space), CPU)
    batches = Batches(data, data.indices(TRAIN)[:24], 8, CPU)
    optimisers = [PopulationOptimiser(one, 3, range(5)) for one in (compiled, plain)]
    for one in (compiled, plain):
        one.module.train()
    for batch in batches.in_order():
        found, expected = (optimiser.loss(Objective(space.head), batch) for optimiser in optimisers)
        assert torch.allclose(found, expected, rtol=1e-4)
        for optimiser, loss in zip(optimisers, (found, expected), strict=True):
            optimiser.step(loss)
    assert len(graphs) == 1
    found, expected = (predict_all(one.module, batches) for one in (compiled, plain))
    assert torch.allclose(found, expected, rtol=1e-3, atol=1e-3)
    assert len(graphs) == 2


def test_what_a_member_is_goes_in_and_out_alone() -> None:
    network = checked(random_genotype(checked(spec()), 1))
    program = member_program(network).program
    population = Population([program, program, program], [QUICK] * 3, CPU)
    moved = {name: tensor + 1 for name, tensor in population.tensors(1).items()}
    before = population.tensors(0)
    population.load(1, moved)
    assert all(torch.equal(population.tensors(1)[n], t) for n, t in moved.items())
    assert all(torch.equal(population.tensors(0)[n], t) for n, t in before.items())
