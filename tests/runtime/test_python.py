"""Python as people write it: paths, texts and results of each other for a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusewright as fw

from ..support.running import FIXED, QUICK, problem, spec

SHORT: dict[str, Any] = {"epochs": 1, "batch": 16}


@pytest.fixture(scope="module")
def trained() -> fw.TrainResult:
    return fw.train(spec(FIXED), problem(), **SHORT)


def test_a_search_takes_a_file_a_text_and_a_graph(tmp_path: Path) -> None:
    (tmp_path / "n.fuse").write_text(str(spec()), encoding="utf-8")
    given: list[Any] = [
        str(tmp_path / "n.fuse"),
        tmp_path / "n.fuse",
        str(spec()),
        fw.graph(spec()),
    ]
    found = fw.search(spec(), problem(), settings=QUICK, epochs=1)
    expected = found.genotype
    for one in given:
        found = fw.search(one, problem(), settings=QUICK, epochs=1)
        assert found.genotype == expected
    assert fw.compile(found).program == fw.compile(expected).program
    assert fw.draw(found) == fw.draw(expected)


def test_what_a_search_found_is_trained_with_what_it_was_found_with() -> None:
    options: dict[str, Any] = {
        "strategy": "random",
        "candidates": 1,
        "trial_epochs": 1,
        "batch": 16,
    }
    found = fw.search(spec(), problem(), tune="max_learning_rate = 3e-3", **options)
    assert found.training is not None
    trained = fw.train(found, problem(), epochs=1)
    assert trained.settings == found.training.with_options(epochs=1)
    assert trained.genotype == found.genotype
    with pytest.raises(fw.DiagnosticError, match="is not trained yet"):
        fw.evaluate(found, problem())


def test_what_was_trained_is_evaluated_predicted_and_deployed(
    trained: fw.TrainResult, tmp_path: Path
) -> None:
    given: dict[str, Any] = {"weights": trained.weights, **SHORT}
    assert fw.evaluate(trained, problem()) == fw.evaluate(trained.genotype, problem(), **given)
    outputs = fw.predict(trained, problem())
    fw.deploy(trained, tmp_path / "n.onnx")
    assert np.allclose(fw.predict(tmp_path / "n.onnx", problem()), outputs, atol=1e-5)


@pytest.mark.parametrize("given", [3, None, [1]])
def test_what_is_no_network_is_said(given: Any) -> None:
    with_data: list[Any] = [fw.search, fw.train, fw.evaluate, fw.predict]
    for what in with_data:
        with pytest.raises(fw.DiagnosticError, match=f"not a `{type(given).__name__}`"):
            what(given, problem())
    alone: list[Any] = [fw.compile, fw.draw]
    for what in alone:
        with pytest.raises(fw.DiagnosticError, match="a specification is expected"):
            what(given)
