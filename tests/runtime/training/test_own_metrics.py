"""Metrics beside those of a head: by name, as objects of torchmetrics, as functions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchmetrics
from torchmetrics.classification import MulticlassCohenKappa, MulticlassF1Score

import fusewright as fw
from fusewright.compiler.network.network import Head
from fusewright.runtime.settings import read_settings
from fusewright.runtime.training.own_metrics import KNOWN, measured, opened
from tests.runtime.training.test_course import files, stop

from ...support.running import FIXED, QUICK, command, problem, spec

DRAW = np.random.default_rng(0)
NETWORK = spec(FIXED, "3 classes { cat, dog, owl }")
DATA = problem(60)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("learned")
    np.savez(place / "data.npz", **DATA)
    fw.train(NETWORK, DATA, out=place / "run", settings=QUICK.with_options(epochs=1))
    return place / "run"


def heads() -> Any:
    for kind, count in (("classes", 3), ("labels", 3), ("labels", 1), ("values", 2), ("values", 1)):
        shares = DRAW.dirichlet(np.ones(3), 40)[:, :count]
        labels: Any = DRAW.integers(0, 3, 40)
        if kind != "classes":
            labels = (DRAW.random((40, count)) < 0.5).astype(np.float32)
        yield Head(count, kind, None), shares, labels  # type: ignore[arg-type]


def test_every_name_is_a_metric_of_its_head() -> None:
    several = {"CoverageError", "ExactMatch", "RankingAveragePrecision", "RankingLoss"}
    for head, shares, labels in heads():
        for name in KNOWN[head.kind]:
            if head.count == 1 and head.kind == "labels" and name in several:
                continue
            found = measured(opened([name], head), head, shares, labels)
            assert all(np.isfinite(value) for value in found.values()), (head, name)
            assert {key.partition(" ")[0] for key in found} == {name}


def test_more_names_than_are_measured_are_refused() -> None:
    many = ",".join(["CohenKappa"] * 101)
    with pytest.raises(fw.DiagnosticError, match="`metrics` names 101, more than 100"):
        fw.search(spec(), DATA, settings=QUICK, metrics=many)


def test_names_objects_and_functions_are_measured(run: Path) -> None:
    def errors(shares: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return (shares.argmax(1) != labels).float().mean()

    kappa = MulticlassCohenKappa(3)
    kappa.update(torch.eye(3), torch.arange(3))
    each = MulticlassF1Score(3, average="none")
    found = fw.evaluate(run, DATA, metrics=["CohenKappa", kappa, errors, each])
    assert found["CohenKappa"] == pytest.approx(found["MulticlassCohenKappa"])
    assert found["errors"] == pytest.approx(1 - found["accuracy"])
    names = [f"MulticlassF1Score {name}" for name in ("cat", "dog", "owl")]
    assert [found[name] for name in names] == pytest.approx([o.f1 for o in found.details.classes])
    assert float(kappa.compute()) == 1


def test_the_command_takes_names(run: Path) -> None:
    given = ["--data", "data.npz", "--metrics", "CohenKappa, MatthewsCorrCoef", "--json"]
    told = json.loads(command(run.parent, "evaluate", "run", *given))
    expected = fw.evaluate(run, DATA, metrics=["CohenKappa", "MatthewsCorrCoef"])
    assert {name: told[name] for name in expected} == expected


@pytest.mark.filterwarnings("ignore::fusewright.DataWarning")
def test_what_is_no_number_is_null_in_json(tmp_path: Path) -> None:
    data = problem(60, "values")
    data["labels"][data["split"] == 2] = 1
    np.savez(tmp_path / "data.npz", **data)
    fw.train(spec(FIXED, "1 values"), data, settings=QUICK, out=tmp_path / "run")
    found = fw.evaluate(tmp_path / "run", data, metrics=["PearsonCorrCoef"])
    assert np.isnan(found["PearsonCorrCoef"])
    given = ["--data", "data.npz", "--metrics", "PearsonCorrCoef", "--json"]
    assert json.loads(command(tmp_path, "evaluate", "run", *given))["PearsonCorrCoef"] is None


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("CohenKapa", "did you mean `CohenKappa`?"),
        ("R2Score", "`R2Score` is no metric of classes here"),
        ("../os.system", "is no metric of classes here"),
        (3, "`metrics` has a int, which is no metric"),
        (MulticlassCohenKappa(7), "the metric `MulticlassCohenKappa` cannot be computed"),
        (lambda shares, labels: "good", "gives a str"),
        (lambda shares, labels: shares, "gives 54 numbers"),
        (torchmetrics.PearsonCorrCoef(), "the metric `PearsonCorrCoef` cannot be computed"),
    ],
)
def test_what_is_no_metric_is_diagnosed(metric: Any, message: str, run: Path) -> None:
    with pytest.raises(fw.DiagnosticError) as error:
        fw.evaluate(run, DATA, metrics=[metric])
    assert error.value.diagnostics[0].code == "E506"
    assert message in str(error.value)


# Of validation, in trainings and searches


def errors(shares: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return (shares.argmax(1) != labels).float().mean()


HELD: dict[str, Any] = {"epochs": 3, "batch": 16, "patience": 3}
EVERY = ["CohenKappa", errors, MulticlassF1Score(3, average="none")]


def test_a_training_that_holds_out_records_them(tmp_path: Path) -> None:
    found = fw.train(NETWORK, DATA, metrics=EVERY, out=tmp_path / "run", **HELD)
    for record in found.history:
        assert record["validation_errors"] == pytest.approx(1 - record["validation_accuracy"])
        assert {"validation_CohenKappa", "validation_MulticlassF1Score owl"} <= record.keys()
    known = fw.train(NETWORK, DATA, **HELD)
    assert all(np.array_equal(array, found.weights[n]) for n, array in known.weights.items())
    named = f"CohenKappa, own:{__name__}.errors, own:torchmetrics.classification."
    assert f'metrics = "{named}' in (tmp_path / "run/train.toml").read_text()
    assert "accuracy" in fw.evaluate(tmp_path / "run", DATA)


def test_a_training_goes_on_when_they_are_given_again(tmp_path: Path) -> None:
    def learned(out: Path, metrics: Any = EVERY, **options: Any) -> Any:
        return fw.train(NETWORK, DATA, out=out, metrics=metrics, **HELD, **options)

    learned(tmp_path / "whole")
    stop(learned, tmp_path / "run", 5)
    with pytest.raises(fw.DiagnosticError, match="another `metrics`"):
        learned(tmp_path / "run", metrics=EVERY[:1], resume=True)
    learned(tmp_path / "run", resume=True)
    assert files(tmp_path / "run") == files(tmp_path / "whole")
    written = read_settings(tmp_path / "run/train.toml")
    with pytest.raises(
        fw.DiagnosticError, match=r"the metric `own:.*` is a function, which is not"
    ):
        fw.train(NETWORK, DATA, settings=written)


def test_a_search_records_them_and_finds_the_same() -> None:
    brief = fw.Settings(
        candidates=3, trial_epochs=1, finalists=2, epochs=1, batch=16, folds=2, tune="", threads=1
    )
    found = fw.search(spec(), DATA, settings=brief, metrics=EVERY)
    assert all("validation_errors" in record for record in found.history)
    known = fw.search(spec(), DATA, settings=brief)
    assert known.genotype == found.genotype
    assert fw.train(found, DATA).settings.metrics == ""


def test_they_are_refused_where_nothing_is_held_out() -> None:
    with pytest.raises(fw.DiagnosticError, match="`metrics` has no effect where validation"):
        fw.train(NETWORK, DATA, settings=QUICK, metrics="CohenKappa")
    with pytest.raises(fw.DiagnosticError, match="`R2Score` is no metric of classes"):
        fw.train(NETWORK, DATA, settings=QUICK, metrics="R2Score", patience=1)
