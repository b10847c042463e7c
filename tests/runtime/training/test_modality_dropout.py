"""Modality dropout: which samples lack what, and that they are samples that lack it."""

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
from fusewright.compiler.graph.build import build
from fusewright.compiler.lowering.lower import lower
from fusewright.compiler.program.hoist import hoist
from fusewright.runtime.data.absence import Absence
from fusewright.runtime.data.batches import Batches
from fusewright.runtime.data.dataset import load_data
from fusewright.runtime.data.parts import Parts
from fusewright.runtime.data.split import TRAIN
from fusewright.runtime.genotypes.sample import random_genotype
from fusewright.runtime.training.modality_dropout import ModalityDropout, without_if_alone
from fusewright.runtime.training.prepare import prepare
from fusewright.runtime.training.together import train_all

from ...support.running import FIXED, problem, same, spec, without_cost
from ...support.stopping import stopped_and_resumed

CPU = torch.device("cpu")
DATA = problem(45)
GIVEN: dict[str, Any] = {"batch": 8, "max_learning_rate": 0.02, "modality_dropout": 0.4}
OPTIONAL = """
network n(C = 8, L = 2) use bmnas
modality left optional { A[c 3] B[t *, c 5] } modality right { D[c 4] }
pool Sum
cell K(A, D) { S = Sum(x, y) }
output K, B
predict 3 classes
"""


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 4), st.floats(0.01, 0.95), st.integers(0, 99))
def test_samples_lack_modalities_as_often_as_is_said(count: int, rate: float, seed: int) -> None:
    """With m modalities each is lacking at a rate of p - p^m / m, since one of them stays."""
    samples = 4000
    absence = Absence(rate, np.ones((samples, count), bool), {}, {})
    lacking = absence.lacking(np.arange(samples), seed)
    assert not lacking.all(-1).any()
    assert np.allclose(lacking.mean(0), rate - rate**count / count, atol=0.05)
    assert np.array_equal(lacking, absence.lacking(np.arange(samples), seed))
    assert count == 1 or not np.array_equal(lacking, absence.lacking(np.arange(samples), seed + 1))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 99))
def test_what_a_sample_has_is_never_all_lacking(seed: int) -> None:
    present = np.random.default_rng(seed).random((300, 3)) < 0.5
    lacking = Absence(0.9, present, {}, {}).lacking(np.arange(300), seed)
    assert not (lacking & ~present).any()
    assert (present & ~lacking)[present.any(-1)].any(-1).all()


def test_a_sample_that_lacks_a_modality_is_one_without_it() -> None:
    """Zeros in its features, whole lengths and no presence, also in what is computed before."""
    network = checked(fw.loads(OPTIONAL))
    whole = {**DATA, "B.lengths": np.arange(45) % 2 + 1}
    module, data = prepare(network, load_data(whole, network), fw.Settings(**GIVEN), CPU)
    batches = Batches(data, np.arange(45), 45, CPU)
    order = batches.order(1)
    lacking = batches.lacking(order, 2)
    assert lacking is not None
    (found,) = batches.along(order, 0, lacking)
    raw = {name: np.array(whole[name])[order.numpy()] for name in (*"ABD", "B.lengths")}
    raw["left.present"] = np.ones(45, np.int64)
    for name in ("A", "B", "left.present"):
        raw[name][lacking[:, 0].numpy()] = 0
    raw["B.lengths"][lacking[:, 0].numpy()] = 2
    raw["D"][lacking[:, 1].numpy()] = 0
    labels = {"labels": whole["labels"], "split": whole["split"]}
    plain, without = prepare(network, load_data({**raw, **labels}, network), fw.Settings(), CPU)
    assert without.absence is None
    batches = Batches(without, np.arange(45), 45, CPU)
    (expected,) = batches.in_order()
    assert torch.allclose(module.eval()(found.features), plain.eval()(expected.features))
    assert batches.lacking(order, 2) is None


def test_what_reads_two_modalities_is_not_computed_before() -> None:
    text = """
    network n(C = 4, L = 1) modality a { A[c 4] } modality b { D[c 4] } predict 8 classes
    role adapt(f) = resample(f)  role head(h) = flatten(h)  output A, D
    """
    network = checked(fw.loads(text))
    dropout = ModalityDropout.of(network, fw.Settings(modality_dropout=0.1))
    assert dropout is not None
    program = lower(build(network))
    apart = hoist(program, dropout.owners)
    read = [{item.name for item in before.inputs} for before in apart.before.values()]
    assert {"A", "D"} not in read
    assert {"A", "D"} in [{i.name for i in p.inputs} for p in hoist(program).before.values()]


def test_parts_lack_what_each_lacks_alone() -> None:
    network = checked(spec(FIXED))
    _, data = prepare(network, load_data(DATA, network), fw.Settings(**GIVEN), CPU)
    halves = [np.arange(3, 30), np.arange(20)]
    parts = Parts(data, halves, 8, CPU)
    lacking = parts.lacking(parts.order(1), 2)
    assert lacking is not None
    for part, own in zip(halves, lacking, strict=True):
        alone = Batches(data, part, 8, CPU, most=20)
        assert torch.equal(own, torch.as_tensor(alone.lacking(alone.order(1), 2)))


def test_what_is_copied_batch_by_batch_lacks_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    network = checked(spec(FIXED))
    _, data = prepare(network, load_data(DATA, network), fw.Settings(**GIVEN), CPU)
    resident = Batches(data, np.arange(45), 8, CPU)
    monkeypatch.setattr("fusewright.runtime.data.batches.fits", lambda size, device: False)
    streamed = Batches(data, np.arange(45), 8, CPU)
    order = resident.order(1)
    passes = (one.along(order, 1, one.lacking(order, 2)) for one in (resident, streamed))
    for one, other in zip(*passes, strict=True):
        for name, feature in one.features.items():
            assert torch.equal(feature, other.features[name])


def test_networks_that_train_together_lack_what_they_lack_alone() -> None:
    """Those of one seed the same; those of another dropout train apart."""
    space = checked(spec())
    changes: list[dict[str, Any]] = [{}, {"averaging": 0.5}, {"seed": 3}, {"modality_dropout": 0}]
    each = [fw.Settings(epochs=2, **{**GIVEN, **change}) for change in changes]
    specs = [random_genotype(space, seed) for seed in range(4)]
    for one, genotype, own in zip(train_all(specs, DATA, each), specs, each, strict=True):
        alone = fw.train(genotype, DATA, settings=own)
        for name, array in alone.weights.items():
            assert np.allclose(one.weights[name], array, rtol=1e-3, atol=1e-4), name


def test_a_search_for_how_often_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Candidates of one dropout train together; none has to know of the others."""
    given: dict[str, Any] = {
        **GIVEN, "modality_dropout": 0, "strategy": "random", "candidates": 4, "trial_epochs": 2,
        "tune": "modality_dropout = 0 | 0.5",
    }  # fmt: skip
    whole = fw.search(spec(), DATA, **given)
    found = stopped_and_resumed(spec(), DATA, tmp_path / "run", monkeypatch, **given)
    assert {one["settings"]["modality_dropout"] for one in whole.history} == {0, 0.5}
    assert same(found.weights, whole.weights)
    assert without_cost(found.history) == without_cost(whole.history)
    text = (tmp_path / "run" / "genotype.toml").read_text(encoding="utf-8")
    assert "modality_dropout = " in text


def test_a_network_of_one_modality_cannot_lack_it(tmp_path: Path) -> None:
    features = "modality left { A[c 3] D[c 4] }"
    for run in (
        lambda: fw.train(spec(FIXED.replace("K, B", "K"), features=features), DATA, **GIVEN,
                         out=tmp_path / "run"),
        lambda: fw.search(spec(features=features), DATA, tune="modality_dropout = 0 | 0.1",
                          out=tmp_path / "run"),
    ):  # fmt: skip
        with pytest.raises(fw.DiagnosticError, match="`n` has one modality") as caught:
            run()
        assert [d.code for d in caught.value.diagnostics] == ["E506"]
        assert not (tmp_path / "run").exists()


def test_a_modality_by_itself_is_compared_with_while_it_is_there() -> None:
    own = fw.Settings(**GIVEN)
    found = {
        output: without_if_alone(checked(spec(f"{cell} output {output}")), own).modality_dropout
        for output in ("A", "A, B", "A, D", "K")
        for cell in ("cell K(A, D) { S = Sum(x, y) }" if output == "K" else "",)
    }
    assert found == {"A": 0, "A, B": 0, "A, D": 0.4, "K": 0.4}


def test_training_without_it_draws_nothing() -> None:
    network = checked(spec(FIXED))
    _, data = prepare(network, load_data(DATA, network), fw.Settings(), CPU)
    batches = Batches(data, data.indices(TRAIN), 8, CPU)
    assert batches.lacking(batches.order(0), 1) is None
