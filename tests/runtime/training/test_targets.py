"""Values of any size are predicted: networks learn them standardised, and give them as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.network.names import TARGET_SCALE, TARGET_SHIFT
from fusewright.runtime.genotypes.sample import random_genotype
from fusewright.runtime.training.together import train_seeds

from ...support.running import problem, spec

SPACE = spec(predict="1 values")
GENOTYPE = random_genotype(checked(SPACE), 1)
QUICK: dict[str, Any] = {"epochs": 25, "batch": 16, "max_learning_rate": 0.01}
BRIEF: dict[str, Any] = {**QUICK, "epochs": 1}


def prices(mean: float = 250_000, deviation: float = 60_000) -> dict[str, Any]:
    """The values of a problem, as large as prices."""
    data = problem(240, "values")
    labels = data["labels"]
    centred = (labels - labels.mean()) / labels.std()
    return data | {"labels": (mean + deviation * centred).astype(np.float32)}


def test_large_values_are_learned_as_well_as_small_ones() -> None:
    small, large = (
        fw.train(GENOTYPE, data, **QUICK) for data in (prices(0, 1), prices(250_000, 60_000))
    )
    scores = [
        fw.evaluate(GENOTYPE, data, weights=one.weights)["r2"]
        for one, data in ((small, prices(0, 1)), (large, prices()))
    ]
    assert scores[0] > 0.3
    assert scores[1] == pytest.approx(scores[0], abs=1e-2)
    losses = [one.history[-1]["train_loss"] for one in (small, large)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-2)


def test_what_is_learned_of_the_labels_is_learned_on_training_samples() -> None:
    data = prices()
    known = data["labels"][data["split"] != 2]
    found = fw.train(GENOTYPE, data, **BRIEF)
    assert found.weights[TARGET_SCALE] == pytest.approx(known.std(0), rel=1e-5)
    assert found.weights[TARGET_SHIFT] == pytest.approx(known.mean(0), rel=1e-5)
    searched = fw.search(SPACE, data, candidates=4, trial_epochs=1, batch=16)
    known = data["labels"][data["split"] == 0]
    assert searched.weights[TARGET_SCALE] == pytest.approx(known.std(0), rel=1e-5)
    for strategy in ("darts", "single-path"):
        hypernet = fw.search(SPACE, data, strategy=strategy, epochs=1, batch=16)
        assert hypernet.weights[TARGET_SHIFT] == pytest.approx(known.mean(0), rel=1e-5)


def test_seeds_that_train_together_learn_them_too() -> None:
    data = prices()
    quick: dict[str, Any] = {**QUICK, "epochs": 2}
    for seed, one in zip([1, 2], train_seeds(GENOTYPE, data, [1, 2], **quick), strict=True):
        alone = fw.train(GENOTYPE, data, seed=seed, **quick)
        for name, array in alone.weights.items():
            assert np.allclose(one.weights[name], array, rtol=1e-3, atol=1e-4), name


def test_every_artifact_gives_values_as_those_of_the_data(tmp_path: Path) -> None:
    data = prices()
    found = fw.train(GENOTYPE, data, out=tmp_path / "run", **QUICK)
    expected = fw.predict(GENOTYPE, data, weights=found.weights)
    assert abs(float(expected.mean()) - 250_000) < 60_000
    fw.deploy(tmp_path / "run", tmp_path / "net.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    given = {i.name: data[i.name].astype(np.float32) for i in session.get_inputs()}
    logits: Any = session.run(None, given)[0]
    assert np.allclose(logits, expected, rtol=1e-4)
    assert fw.evaluate(tmp_path / "net.onnx", data)["r2"] == pytest.approx(
        fw.evaluate(tmp_path / "run", data)["r2"], abs=1e-3
    )


def test_weights_of_before_are_read_as_they_were() -> None:
    data = prices(0, 1)
    weights = dict(fw.train(GENOTYPE, data, **BRIEF).weights)
    neutral = {**weights, TARGET_SCALE: np.ones(1), TARGET_SHIFT: np.zeros(1)}
    expected = fw.predict(GENOTYPE, data, weights=neutral)
    del weights[TARGET_SCALE], weights[TARGET_SHIFT]
    assert np.array_equal(fw.predict(GENOTYPE, data, weights=weights), expected)


def test_a_value_that_never_varies_is_diagnosed() -> None:
    data = prices()
    data["labels"] = np.concatenate([data["labels"], np.full_like(data["labels"], 7)], 1)
    genotype = fw.loads(str(GENOTYPE).replace("1 values", "2 values"))
    space = fw.loads(str(SPACE).replace("1 values", "2 values"))
    for run in (
        lambda: fw.train(genotype, data, **QUICK),
        lambda: fw.search(space, data, **QUICK),
        lambda: train_seeds(genotype, data, [0, 1], **QUICK),
    ):
        with pytest.raises(fw.DiagnosticError, match="value 2 is 7 in every training sample"):
            run()


def test_labels_and_classes_have_no_such_numbers() -> None:
    for predict in ("3 classes", "3 labels"):
        network = fw.compile(random_genotype(checked(spec(predict=predict)), 0), "torch")
        assert TARGET_SCALE not in network.state_dict()
