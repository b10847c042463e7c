"""What stands behind a score, held to torchmetrics and to what is counted by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torchmetrics.functional import classification as reference
from torchmetrics.functional.regression import r2_score

import fusewright as fw
from fusewright.compiler.network.network import Head
from fusewright.runtime.predict.details import Details, details_of, metrics_of_details

from ...support.running import FIXED, QUICK, command, problem, spec

DRAW = np.random.default_rng(0)
SHARES = DRAW.dirichlet(np.ones(4), 200)
TRUTH = np.where(DRAW.random(200) < 0.5, SHARES.argmax(1), DRAW.integers(0, 4, 200))
NAMES = ("a", "b", "c", "d")


def classes_of(truth: np.ndarray, names: tuple[str, ...] | None = NAMES) -> Details:
    return details_of(Head(4, "classes", names), SHARES, truth)


def test_classes_are_as_torchmetrics_has_them() -> None:
    found, given = classes_of(TRUTH), (torch.from_numpy(SHARES), torch.from_numpy(TRUTH))
    expected = {
        "precision": reference.multiclass_precision(*given, 4, average="none"),
        "recall": reference.multiclass_recall(*given, 4, average="none"),
        "f1": reference.multiclass_f1_score(*given, 4, average="none"),
        "auroc": reference.multiclass_auroc(*given, 4, average="none"),
        "average_precision": reference.multiclass_average_precision(*given, 4, average="none"),
    }
    for name, values in expected.items():
        assert [getattr(one, name) for one in found.classes] == pytest.approx(values.tolist()), name
    assert [one.name for one in found.classes] == [*NAMES]
    assert [one.support for one in found.classes] == np.bincount(TRUTH).tolist()
    confusion = reference.multiclass_confusion_matrix(*given, 4)
    assert found.confusion is not None
    assert np.array_equal(found.confusion, confusion.numpy())
    metrics = metrics_of_details(found)
    assert metrics["auroc"] == pytest.approx(float(reference.multiclass_auroc(*given, 4)))
    error = reference.multiclass_calibration_error(*given, 4, n_bins=15)
    assert metrics["calibration_error"] == pytest.approx(float(error), abs=1e-6)


def test_what_is_confused_most_stands_first() -> None:
    truth, said = np.array([0, 0, 0, 1, 2]), np.array([1, 1, 2, 1, 0])
    found = details_of(Head(3, "classes", ("a", "b", "c")), np.eye(3)[said], truth)
    assert found.confused == [("a", "b", 2), ("a", "c", 1), ("c", "a", 1)]


def test_a_class_that_never_occurs_has_no_recall_and_no_part_in_means() -> None:
    truth = np.where(TRUTH == 3, 0, TRUTH)
    absent, others = classes_of(truth).classes[3], classes_of(truth).classes[:3]
    assert (absent.support, absent.recall, absent.auroc) == (0, None, None)
    assert absent.predicted
    assert absent.precision == 0
    mean = float(np.mean([one.auroc or 0.0 for one in others]))
    assert metrics_of_details(classes_of(truth))["auroc"] == pytest.approx(mean)


def test_labels_are_as_torchmetrics_has_them() -> None:
    truth = (DRAW.random((200, 4)) < SHARES).astype(np.float32)
    found = details_of(Head(4, "labels", None), SHARES, truth)
    given = torch.from_numpy(SHARES), torch.from_numpy(truth).long()
    f1 = reference.multilabel_f1_score(*given, 4, 0.3, average="none")
    assert [one.f1 for one in found.classes] == pytest.approx(f1.tolist())
    metrics = metrics_of_details(found)
    precision = reference.multilabel_average_precision(*given, 4)
    assert metrics["map"] == pytest.approx(float(precision))
    flat = given[0].flatten(), given[1].flatten()
    error = float(reference.binary_calibration_error(*flat, n_bins=15))
    assert metrics["calibration_error"] == pytest.approx(error, abs=1e-6)
    assert found.confusion is None
    assert sum(one.count for one in found.bins) == 800


def test_values_are_told_one_by_one() -> None:
    truth = np.stack([DRAW.normal(size=50), np.ones(50)], 1).astype(np.float32)
    given = truth.astype(np.float64) + 0.5
    first, second = details_of(Head(2, "values", ("x", "y")), given, truth).values
    expected = r2_score(torch.from_numpy(given[:, 0]), torch.from_numpy(truth[:, 0]).double())
    assert first.r2 == pytest.approx(float(expected), rel=1e-5)
    assert second.r2 is None
    assert (first.bias, second.root_mean_squared_error) == pytest.approx((0.5, 0.5))
    assert [first.name, second.deviation] == ["x", 0]


@pytest.mark.parametrize(("kind", "predict"), [("labels", "3 labels"), ("values", "1 values")])
def test_every_head_is_evaluated_in_detail(kind: str, predict: str) -> None:
    data, network = problem(60, kind), spec(FIXED, predict)
    trained = fw.train(network, data, settings=QUICK)
    found = fw.evaluate(network, data, weights=trained.weights)
    record = found.details.as_json()
    assert json.loads(json.dumps(record)) == record
    assert set(record) == {"samples", *({"values"} if kind == "values" else {"classes", "bins"})}


def test_the_command_prints_them_and_an_onnx_file_has_the_same(tmp_path: Path) -> None:
    data = problem(60)
    np.savez(tmp_path / "data.npz", **data)
    network = spec(FIXED, "3 classes { cat, dog, owl }")
    fw.train(network, data, out=tmp_path / "run", settings=QUICK)
    printed = command(tmp_path, "evaluate", "run", "--data", "data.npz", "--details")
    assert "recall" in printed
    assert "owl" in printed
    assert "confusion" in printed
    assert "recall" not in command(tmp_path, "evaluate", "run", "--data", "data.npz")
    told = json.loads(
        command(tmp_path, "evaluate", "run", "--data", "data.npz", "--details", "--json")
    )
    expected = fw.evaluate(tmp_path / "run", data)
    assert told["details"] == expected.details.as_json()
    assert told["auroc"] == expected["auroc"]
    fw.deploy(tmp_path / "run", tmp_path / "net.onnx")
    other = fw.evaluate(tmp_path / "net.onnx", data)
    assert other == pytest.approx(expected)
    assert other.details.confused == expected.details.confused
