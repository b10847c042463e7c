"""Strategies: what they relax, sample, count and choose."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.graph.build import build
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.lowering.lower import lower
from fusewright.compiler.network.choices import fill
from fusewright.compiler.network.holes import RELAXATIONS, Relaxation
from fusewright.compiler.network.network import NOTHING, Head
from fusewright.compiler.program.given_weights import with_given_weights
from fusewright.compiler.program.program import PARAMETER, validate
from fusewright.compiler.targets.numpy.network import evaluate
from fusewright.runtime.data.batches import Batch
from fusewright.runtime.data.dataset import load_data
from fusewright.runtime.genotypes.derive import one_hot
from fusewright.runtime.genotypes.sample import draw
from fusewright.runtime.parallel.interrupt import Interrupt
from fusewright.runtime.parallel.synchronised import batch_norm
from fusewright.runtime.runs.saved import Saved
from fusewright.runtime.search.budgets import Budgets
from fusewright.runtime.search.candidates.standing import standings
from fusewright.runtime.search.hypernet.unrolled import unrolled_step
from fusewright.runtime.search.meter import Meter
from fusewright.runtime.search.strategies import EXPLORERS, SELECTORS
from fusewright.runtime.search.strategies.darts import Darts
from fusewright.runtime.search.strategies.gdas import Gdas
from fusewright.runtime.search.strategies.halving import rungs
from fusewright.runtime.search.strategy import Problem
from fusewright.runtime.settings import Settings
from fusewright.runtime.strategies import FOLLOWED_BY as STRATEGIES
from fusewright.runtime.training.objective import Objective
from fusewright.runtime.training.optimisers import ArchitectureOptimiser

from ...laws.test_laws import relative_difference
from ...support.programs import random_inputs, random_weights, specs
from ...support.running import QUICK, problem, same, spec

CPU = torch.device("cpu")
seeds = st.integers(0, 2**31)
WAYS = [(s, selection) for s, kinds in STRATEGIES.items() for selection in (kinds or ("",))]


def searched(settings: Settings, space: Spec | None = None) -> Problem:
    """A small problem."""
    network = checked(space or spec())
    data = load_data(problem(), network)
    relax: Any = settings.relax
    generator = torch.Generator().manual_seed(settings.seed)
    meter = Meter(100, settings.batch)
    budgets = Budgets(network, relax, None)
    return Problem(network, data, settings, CPU, relax, meter, generator, Interrupt(), budgets)


def test_settings_name_every_strategy() -> None:
    assert set(STRATEGIES) == set(EXPLORERS)
    assert {s for kinds in STRATEGIES.values() for s in kinds} == set(SELECTORS)


PLANTED = """
from ..streams import Stream
from .halving import Halving
from .ranking import distinct

def explore(problem):
    return Halving(problem, [(one, ()) for one in distinct(problem, 2, Stream.HALVING)])
"""


def test_a_strategy_is_a_file_and_a_row(tmp_path: Path) -> None:
    package = shutil.copytree(Path(fw.__file__).parent, tmp_path / "fusewright")
    rows = package / "runtime/strategies.py"
    text = rows.read_text(encoding="utf-8")
    row = '    "two-drawn": StrategyRow(reads=("trial_epochs",)),\n    "mfas":'
    rows.write_text(text.replace('    "mfas":', row), encoding="utf-8")
    home = package / "runtime/search/strategies/two_drawn.py"
    home.write_text(PLANTED, encoding="utf-8")
    (tmp_path / "spec.fuse").write_text(str(spec()), encoding="utf-8")
    np.savez(tmp_path / "data.npz", **problem())
    options = "--strategy two-drawn --trial-epochs 1 --batch 16 --json"
    command = f"-m fusewright search spec.fuse --data data.npz --out run {options}"
    result = subprocess.run(
        [sys.executable, *command.split()],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not result.returncode, result.stderr
    assert json.loads(result.stdout)["best_round"] == 2
    assert fw.check(fw.load(tmp_path / "run/genotype.fuse")) == []


# Mixtures


@given(specs(), st.sampled_from(RELAXATIONS), seeds)
def test_given_weights_are_those_of_the_softmax(spec: Spec, relax: Relaxation, seed: int) -> None:
    program = lower(build(checked(spec)), relax)
    opened = validate(with_given_weights(program), "giving weights")
    parameters, inputs = random_weights(program, seed), random_inputs(program, 3, seed)
    weights: dict[str, Any] = {}
    for item in opened.inputs:
        if item.kind == "weights":
            logits = parameters[item.name].astype(np.float64)
            shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
            weights[item.name] = shares if shares.ndim == 1 else shares[:, 1]
    kinds = {p.name: p.kind for p in opened.parameters}
    assert not [
        v for v in opened.values if v.primitive == PARAMETER and kinds[v.name] == "architecture"
    ]
    found = evaluate(opened, {**inputs, **weights}, parameters)
    assert relative_difference(found, evaluate(program, inputs, parameters)) <= 1e-8


@given(specs(), seeds)
def test_one_path_through_a_hypernet_is_its_genotype(spec: Spec, seed: int) -> None:
    """Where the output leaves nothing out: for what it does, a hypernet's head reads zeros."""
    network = checked(spec)
    choices = draw(network, np.random.default_rng(seed))
    assume(NOTHING not in choices.outputs)
    hypernet = lower(build(network), "per_input")
    opened = with_given_weights(hypernet)
    discrete = lower(build(checked(fill(network, choices))))
    weights, inputs = random_weights(hypernet, seed), random_inputs(hypernet, 3, seed)
    paths = one_hot(network, choices, "per_input")
    read = {i.name for i in opened.inputs if i.kind == "weights"}
    assert read <= paths.keys()
    one_path = {**inputs, **{n: paths[n] for n in read}}
    own = {p.name: weights[p.name] for p in discrete.parameters}
    names = {i.name for i in discrete.inputs}
    expected = evaluate(discrete, {n: a for n, a in inputs.items() if n in names}, own)
    assert relative_difference(evaluate(opened, one_path, weights), expected) <= 1e-8


@pytest.mark.parametrize("relax", RELAXATIONS)
def test_a_gumbel_sample_is_one_candidate_with_the_gradient_of_all(relax: str) -> None:
    settings = QUICK.with_options(strategy="gdas", relax=relax)
    gdas = EXPLORERS["gdas"](searched(settings))
    assert isinstance(gdas, Darts)
    weights = gdas.mixing()
    for name, row in weights.items():
        assert set(row.tolist()) <= {0.0, 1.0}
        logits = gdas.hypernet.architecture.logits[name]
        (gradient,) = torch.autograd.grad(row @ torch.arange(1.0, len(row) + 1), logits)
        assert gradient.abs().sum() > 0


# Second order


def test_the_unrolled_step_is_the_gradient_after_a_weight_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Against differences of the validation loss after the weight step, in double precision."""
    monkeypatch.setattr("fusewright.runtime.search.hypernet.unrolled.FINITE_DIFFERENCE", 1e-4)
    settings = QUICK.with_options(relax="per_input", second_order=True, max_learning_rate=0.01)
    space = fw.loads(str(spec()).replace("dropout = 0.1", "dropout = 0"))
    darts = Darts(searched(settings, space))
    module = darts.hypernet.module.double().train()
    for parameter in module.parameters():
        parameter.data = parameter.data.double()
    batches = [
        Batch({n: f.double() for n, f in b.features.items()}, b.labels)
        for b in darts.hypernet.train.in_order()
    ][:2]
    optimiser = ArchitectureOptimiser(module, settings)
    weights, logits = darts.hypernet.weights.parameters, optimiser.parameters
    rate = darts.hypernet.weights.rate
    state = {n: t.clone() for n, t in module.state_dict().items()}

    def loss(batch: Batch) -> torch.Tensor:
        logits = module({**batch.features, **darts.mixing()})
        return torch.nn.functional.cross_entropy(logits, batch.labels)

    step = 1e-4
    expected: list[torch.Tensor] = []
    for parameter in logits:
        slopes = torch.zeros_like(parameter)
        for place in range(parameter.numel()):
            ends: list[float] = []
            for sign in (1, -1):
                module.load_state_dict(state)
                with torch.no_grad():
                    parameter.view(-1)[place] += sign * step
                gradients: Any = torch.autograd.grad(loss(batches[1]), weights, allow_unused=True)
                with torch.no_grad():
                    for weight, gradient in zip(weights, gradients, strict=True):
                        if gradient is not None:
                            weight.sub_(rate * gradient)
                ends.append(loss(batches[0]).item())
            slopes.view(-1)[place] = (ends[0] - ends[1]) / (2 * step)
        expected.append(slopes)
    module.load_state_dict(state)
    seen: list[torch.Tensor] = []
    optimiser.follow = lambda gradients: seen.extend(gradients)  # type: ignore[method-assign]
    with optimiser.stepping():
        unrolled_step(
            darts.hypernet, optimiser, darts.mixing, darts.penalty, batches[0], batches[1]
        )
    assert [p.shape for p in seen] == [p.shape for p in logits]
    for found, known in zip(seen, expected, strict=True):
        assert torch.allclose(found, known, rtol=1e-3, atol=1e-6)
    kept = dict(module.named_parameters())
    assert all(torch.equal(p, state[n]) for n, p in kept.items())


# Candidates


def test_rungs_end_with_restart_periods() -> None:
    assert rungs(Settings()) == [(240, 1), (80, 3), (26, 7), (8, 15)]
    three = Settings(rungs=3)
    assert rungs(replace(three, candidates=60)) == [(60, 3), (20, 7), (6, 15)]
    assert rungs(replace(three, candidates=18, trial_epochs=25)) == [(18, 7), (6, 15), (2, 25)]
    assert rungs(Settings(candidates=60, trial_epochs=15, rungs=9))[0] == (60, 1)
    assert rungs(Settings(candidates=2, trial_epochs=15)) == [(2, 15)]
    assert rungs(Settings(candidates=100, trial_epochs=1)) == [(100, 1)]


def test_candidates_stand_by_every_score_and_their_least_loss() -> None:
    scores, losses = [[0.5, 0.9], [0.5, 0.8], [0.5, 0.8]], [[1.0, 2.0], [0.9, 3.0], [3.0, 3.0]]
    stand = standings(scores, losses, Head(3, "classes", None))
    assert stand[0] > stand[1] > stand[2]
    labels = Head(3, "labels", None, "b")
    by_scores = standings(scores, losses, labels)
    assert by_scores[0] > by_scores[1] == by_scores[2]
    assert standings([[0.5]], [[1.0]], Head(3, "classes", None)) == [0.0]
    several = Head(4, "several", None, parts=(Head(1, "values", None, "a"), labels))
    assert standings(scores, losses, several) == by_scores


@pytest.mark.parametrize(("strategy", "select"), WAYS)
def test_every_strategy_finds_the_input_that_matters(strategy: str, select: str) -> None:
    """Two of the three features are noise."""
    data = problem()
    generator = np.random.default_rng(5)
    for name in "BD":
        data[name] = generator.normal(size=data[name].shape).astype(np.float32)
    space = spec("cell K(?, B) { S = Sum(x, y) } output K", features=FEATURES)
    settings = QUICK.with_options(epochs=6, arch_learning_rate=0.1, relax="per_input")
    found = fw.search(space, data, settings=settings, strategy=strategy, select=select)
    assert "cell K(A, B)" in str(found.genotype)
    assert 0 < found.cost["weight_steps"] < 10_000


FEATURES = "modality left { A[c 3] B[t 2, c 5] } modality right { D[c 4] }"


@pytest.mark.parametrize(("strategy", "select"), WAYS)
def test_every_strategy_is_reproducible(strategy: str, select: str) -> None:
    settings = QUICK.with_options(epochs=2, candidates=4, trial_epochs=3)
    a, b = (
        fw.search(spec(), problem(), settings=settings, strategy=strategy, select=select)
        for _ in range(2)
    )
    assert a.genotype == b.genotype
    assert same(a.weights, b.weights)
    assert a.cost["weight_steps"] == b.cost["weight_steps"]


# Cost and weights


def test_a_weight_step_of_the_hypernet_is_the_unit_of_cost() -> None:
    meter = Meter(hypernet_macs=50, batch=8)
    meter.count(50, 8)
    assert meter.cost["weight_steps"] == 1
    meter.count(50, 8, passes=1)
    assert meter.cost["weight_steps"] == pytest.approx(4 / 3)
    other = Meter(50, 8)
    other.restore(Saved(meter.state(), "checkpoint"))
    assert other.cost["weight_steps"] == meter.cost["weight_steps"]
    assert other.cost["seconds"] >= meter.state()["seconds"] - 1


def test_a_genotype_starts_from_the_weights_of_its_hypernet() -> None:
    data = problem()
    settings = QUICK.with_options(epochs=6, relax="per_input")
    found = fw.search(spec(), data, settings=settings)
    first = settings.with_options(epochs=1)
    warm = fw.train(found.genotype, data, settings=first, weights=found.weights)
    cold = fw.train(found.genotype, data, settings=first)
    assert warm.history[0]["train_loss"] < cold.history[0]["train_loss"]


def test_a_selection_that_does_not_follow_a_strategy_is_refused() -> None:
    with pytest.raises(fw.DiagnosticError, match="does not follow the strategy"):
        Settings(strategy="single-path", select="argmax")
    with pytest.raises(fw.DiagnosticError, match="no architecture step to unroll"):
        Settings(second_order=True)
    with pytest.raises(fw.DiagnosticError, match="float16"):
        replace(QUICK, strategy="darts", second_order=True, precision="float16")


def test_weights_that_do_not_fit_are_refused() -> None:
    data = problem()
    found = fw.search(spec(), data, settings=QUICK)
    with pytest.raises(fw.DiagnosticError, match="none of the weights"):
        fw.train(found.genotype, data, settings=QUICK, weights={"nothing": np.zeros(3)})
    wrong = {name: np.zeros((*a.shape, 2), np.float32) for name, a in found.weights.items()}
    with pytest.raises(fw.DiagnosticError, match="to start from is"):
        fw.train(found.genotype, data, settings=QUICK, weights=wrong)


# Batch norm over processes


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_the_batch_norm_of_one_process_is_that_of_torch(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    rows = torch.randn(40, 3).to(dtype)
    scale, shift = torch.randn(3), torch.randn(3)
    own = [torch.zeros(3), torch.ones(3)]
    others = [torch.zeros(3), torch.ones(3)]
    mean, variance = own
    found = batch_norm(rows, mean, variance, scale, shift, True, 0.1, 1e-5)
    expected = torch.nn.functional.batch_norm(
        rows.float(), others[0], others[1], scale, shift, True, 0.1, 1e-5
    )
    assert found.dtype == dtype
    assert torch.allclose(found.float(), expected, atol=1e-5 if dtype == torch.float32 else 2e-2)
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(own, others, strict=True))


def test_both_losses_of_the_second_order_share_their_draws() -> None:
    settings = QUICK.with_options(relax="per_input", second_order=True)
    gdas = Gdas(searched(settings))
    seen: list[tuple[Any, ...]] = []
    inner = gdas.optimiser.loss

    def loss(
        objective: Objective,
        batch: Batch,
        mixed: Mapping[str, torch.Tensor],
        *,
        again: bool = False,
    ) -> torch.Tensor:
        found = inner(objective, batch, mixed, again=again)
        keys = gdas.optimiser.keys.of_step()
        seen.append((keys, {n: w.detach().clone() for n, w in mixed.items()}))
        return found

    gdas.optimiser.loss = loss  # type: ignore[method-assign,assignment]
    one = next(iter(gdas.hypernet.train.in_order()))
    with gdas.optimiser.stepping():
        unrolled_step(gdas.hypernet, gdas.optimiser, gdas.mixing, gdas.penalty, one, one)
    above, below = seen[-2:]
    assert torch.equal(above[0], below[0])
    assert not torch.equal(above[0], seen[-3][0])
    assert all(torch.equal(above[1][n], below[1][n]) for n in below[1])
