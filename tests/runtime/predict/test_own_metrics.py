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
from fusewright.runtime.predict.own_metrics import KNOWN, measured, opened

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
