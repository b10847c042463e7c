"""What is computed once for each sample, and a step that computes what it needs alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from benchmarks.spaces import space
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.graph.build import build
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.lowering.lower import lower
from fusewright.compiler.network.holes import RELAXATIONS, Relaxation
from fusewright.compiler.passes import optimise
from fusewright.compiler.program.hoist import hoist
from fusewright.compiler.program.program import INPUT, PARAMETER, validate
from fusewright.compiler.targets.numpy.network import complete_inputs, evaluate
from fusewright.compiler.targets.torch.module import FusionModule, load_weights
from fusewright.runtime.data.batches import Batch, Batches, fits
from fusewright.runtime.data.dataset import Dataset, load_data
from fusewright.runtime.settings import Settings
from fusewright.runtime.training.objective import Objective
from fusewright.runtime.training.optimisers import ArchitectureOptimiser, WeightOptimiser
from fusewright.runtime.training.prepare import prepare

from ...support.programs import random_inputs, random_weights, specs, without_dropout
from ...support.running import problem, spec

CPU = torch.device("cpu")
seeds = st.integers(0, 2**31)


@given(specs(), st.sampled_from(RELAXATIONS), seeds)
def test_hoisting_changes_nothing(written: Spec, relax: Relaxation, seed: int) -> None:
    program = optimise(lower(build(checked(written)), relax))
    weights, inputs = random_weights(program, seed), random_inputs(program, 3, seed)
    found = hoist(program)
    validate(found.program, "hoisting")
    assert found.program.parameters == program.parameters
    given: dict[str, NDArray[Any]] = dict(complete_inputs(program, inputs))
    for name, before in found.before.items():
        validate(before, "hoisting")
        assert not before.parameters
        given[name] = evaluate(before, inputs, {})
    expected = evaluate(program, inputs, weights)
    assert np.allclose(evaluate(found.program, given, weights), expected, rtol=1e-10, atol=1e-10)


@given(specs(), st.sampled_from(RELAXATIONS))
def test_what_is_left_reads_a_parameter_or_draws(written: Spec, relax: Relaxation) -> None:
    program = hoist(optimise(lower(build(checked(written)), relax))).program
    for value in program.values:
        record = value.record
        if record is None or record.random or record.modal or value.primitive == "constant":
            continue
        read = [program.values[a] for a in value.arguments]
        assert any(v.primitive not in (INPUT, "constant") for v in read)


def test_a_prepared_network_is_the_network() -> None:
    network = checked(spec())
    samples = load_data(problem(), network)
    module, data = prepare(network, samples, Settings(), CPU)
    plain = FusionModule(lower(build(network)))
    assert {n: t.shape for n, t in module.state_dict().items()} == {
        n: t.shape for n, t in plain.state_dict().items()
    }
    features = {n: torch.from_numpy(a) for n, a in samples.features.items()}
    pooled = {n: torch.from_numpy(a) for n, a in data.features.items()}
    with torch.no_grad():
        assert torch.allclose(module.eval()(pooled), plain.eval()(features), atol=1e-5)


@given(specs(), seeds)
def test_running_statistics_move_as_without_passes(written: Spec, seed: int) -> None:
    """Those of Steps that the output does not depend on are not computed, and stay."""
    program = without_dropout(lower(build(checked(written))))
    weights, inputs = random_weights(program, seed), random_inputs(program, 4, seed)
    tensors = {n: torch.from_numpy(a) for n, a in inputs.items()}
    states: list[dict[str, torch.Tensor]] = []
    for one in (program, optimise(program)):
        module = FusionModule(one).double().train()
        load_weights(module, weights)
        with torch.no_grad():
            module({n: t.double() if t.is_floating_point() else t for n, t in tensors.items()})
        states.append(dict(module.state_dict()))
    read = {v.name for v in optimise(program).values if v.primitive == PARAMETER}
    for name, expected in states[0].items():
        if name in read:
            assert torch.allclose(states[1][name], expected, rtol=1e-6, atol=1e-8), name


def test_each_step_moves_its_own_parameters() -> None:
    network = checked(spec())
    module, data = prepare(network, load_data(problem(), network), Settings(), CPU)
    features = {n: torch.from_numpy(a[:8]) for n, a in data.features.items()}
    batch = Batch(features, torch.from_numpy(data.labels[:8]))
    module.train()
    kinds = {p.name: p.kind for p in module.program.parameters}
    for optimiser, kind in (
        (WeightOptimiser(module, Settings(), 10), "weight"),
        (ArchitectureOptimiser(module, Settings()), "architecture"),
    ):
        before = {n: p.detach().clone() for n, p in module.named_parameters()}
        with optimiser.stepping():
            optimiser.step(optimiser.loss(Objective(network.head), batch))
        moved = {n for n, p in module.named_parameters() if not torch.equal(p, before[n])}
        assert moved
        assert {kinds[n] for n in moved} == {kind}
        assert all(p.requires_grad for p in module.parameters())


@pytest.mark.parametrize("name", ["ntu1", "ego1", "mmimdb1"])
def test_a_step_has_no_host_synchronisation_and_no_dynamic_shape(name: str) -> None:
    """The whole training graph is captured with static shapes; nothing is read from a tensor."""
    network = space(name, 0.2)
    program = hoist(optimise(lower(build(network)), "compiled")).program
    module = FusionModule(program).train()
    inputs = [torch.zeros(4, *i.type.sizes) for i in program.inputs]
    state = module.state_dict()
    tensors = [state[p.name] for p in program.parameters]
    graph: Any = module._training_graph  # pyright: ignore[reportPrivateUsage]
    captured = torch.export.export(graph, (*inputs, *tensors), strict=False)
    assert not captured.range_constraints
    targets = [str(node.target) for node in captured.graph.nodes if node.op == "call_function"]
    assert any("batch_norm" in target for target in targets)
    waits = ("aten.item", "_local_scalar_dense", "nonzero", "sym_size")
    assert not [t for t in targets if any(wait in t for wait in waits)]
    for node in captured.graph.nodes:
        value = node.meta.get("val")
        if isinstance(value, torch.Tensor):
            assert all(isinstance(size, int) for size in value.shape)


def test_sixteen_bits_train_too() -> None:
    network = checked(spec())
    samples = load_data(problem(), network)
    for precision in ("bfloat16", "float16"):
        settings = Settings(precision=precision, batch=16)
        module, data = prepare(network, samples, settings, CPU)
        optimiser = WeightOptimiser(module, settings, 4)
        module.train()
        losses = []
        with optimiser.stepping():
            for _ in range(5):
                for batch in Batches(data, np.arange(90), 16, CPU).in_order():
                    loss = optimiser.loss(Objective(network.head), batch)
                    optimiser.step(loss)
                    losses.append(float(loss.detach()))
        assert losses[-1] < losses[0]


def test_batches_that_do_not_fit_are_sent_one_ahead(monkeypatch: Any) -> None:
    data = Dataset({"A": np.arange(10.0)[:, None]}, np.arange(10), np.zeros(10))
    monkeypatch.setattr("fusewright.runtime.data.batches.fits", lambda size, device: False)
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: self)
    batches = Batches(data, np.arange(10), 4, CPU)
    assert not batches.resident
    found = [batch.labels.tolist() for batch in batches.in_order()]
    assert found == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert fits(10**12, CPU)
    shuffled = batches.shuffled(0)
    assert sorted(n for b in shuffled for n in b.labels.tolist()) == list(range(10))


def test_parameters_are_never_renamed() -> None:
    program = lower(build(checked(spec())))
    assert {v.name for v in optimise(program).values if v.primitive == PARAMETER} <= {
        p.name for p in program.parameters
    }


def test_a_search_whose_choices_make_no_difference_ends() -> None:
    """`Zero` alone: no architecture parameter is left that the output depends on."""
    network = fw.loads(
        "network n(C = 8, L = 2) modality m { A[c 3] B[t 2, c 5] D[c 4] } pool Zero "
        "cell K(?, ?) { S = ?(?, ?) } predict 3 classes"
    )
    found = fw.search(network, problem(), strategy="darts", epochs=2, batch=16)
    assert not checked(found.genotype).has_holes
