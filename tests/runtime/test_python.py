"""Python as people write it: paths, texts and results of each other for a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusewright as fw

from ..support.paths import EXAMPLES
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


def test_it_is_checked_and_made_a_graph_in_every_form(
    trained: fw.TrainResult, tmp_path: Path
) -> None:
    space = trained.genotype
    (tmp_path / "n.fuse").write_text(str(space), encoding="utf-8")
    forms: list[Any] = [
        space,
        tmp_path / "n.fuse",
        str(tmp_path / "n.fuse"),
        str(space),
        fw.graph(space),
        trained,
    ]
    said = [(d.code, d.message) for d in fw.check(space)]
    assert said
    for one in forms:
        assert [(d.code, d.message) for d in fw.check(one)] == said
        assert [*fw.graph(one).edges] == [*fw.graph(space).edges]
    broken = str(space).replace("predict", "predikt")
    (tmp_path / "n.fuse").write_text(broken, encoding="utf-8")
    for wrong in (broken, tmp_path / "n.fuse"):
        assert "predict" in str(fw.check(wrong)[0])
    assert "cannot be read" in str(fw.check(tmp_path / "none.fuse")[0])
    for nothing in (3, tmp_path):
        with pytest.raises(fw.DiagnosticError):
            fw.check(nothing)  # type: ignore[arg-type]


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


def test_a_network_with_weights_is_given_in_every_form(
    trained: fw.TrainResult, tmp_path: Path
) -> None:
    (tmp_path / "n.fuse").write_text(str(trained.genotype), encoding="utf-8")
    expected = fw.predict(trained, problem())
    forms: list[Any] = [
        tmp_path / "n.fuse",
        str(tmp_path / "n.fuse"),
        str(trained.genotype),
        fw.graph(trained.genotype),
    ]
    for one in forms:
        assert np.array_equal(fw.predict(one, problem(), weights=trained.weights), expected)
        with pytest.raises(fw.DiagnosticError, match=r"needs weights|neither a run folder nor"):
            fw.evaluate(one, problem())
    fw.deploy(forms[0], tmp_path / "n.onnx", weights=trained.weights)
    assert np.allclose(fw.predict(tmp_path / "n.onnx", problem()), expected, atol=1e-5)


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


@pytest.fixture(scope="module")
def found() -> list[Any]:
    """Two searches of one space."""
    return [fw.search(spec(), problem(), settings=QUICK, epochs=1, seed=s) for s in (0, 1)]


def test_searches_in_memory_agree_as_those_in_folders_do(found: list[Any], tmp_path: Path) -> None:
    folders = [tmp_path / "0", tmp_path / "1"]
    for seed, folder in enumerate(folders):
        fw.search(spec(), problem(), settings=QUICK, epochs=1, seed=seed, out=folder)
    agreed = fw.consensus(found)
    assert agreed == fw.consensus(folders) == fw.consensus([fw.read_run(f) for f in folders])
    assert str(agreed).startswith(str(agreed.genotype))
    assert fw.consensus(found[0]).genotype == found[0].genotype


def test_a_report_is_of_results_as_of_folders(found: list[Any], trained: fw.TrainResult) -> None:
    told = fw.report([*found, trained], data=problem())
    assert told.facts["runs"] == ["darts, seed 0", "darts, seed 1", "trained, seed 0"]
    accuracy = fw.evaluate(trained, problem())["accuracy"]
    assert told.facts["test"]["accuracy"][0]["mean"] == pytest.approx(accuracy)
    assert repr(told).startswith(f"RunReport(runs 3; accuracy {accuracy:.4f}; ")


@pytest.mark.parametrize("what", [fw.report, fw.consensus])
def test_what_is_no_run_is_said(what: Any) -> None:
    with pytest.raises(fw.DiagnosticError, match="a run is expected, and not a `int`"):
        what([3])


def test_a_difference_is_its_lines(tmp_path: Path) -> None:
    (tmp_path / "n.fuse").write_text(str(spec()), encoding="utf-8")
    assert repr(fw.diff(tmp_path / "n.fuse", fw.graph(spec()))) == "no difference"
    changes = fw.diff(spec(), str(spec(FIXED)))
    assert str(changes).splitlines() == [str(change) for change in changes]
    assert len(changes[1:]) == len(changes) - 1


def test_a_space_is_begun_from_arrays_as_from_their_file(tmp_path: Path) -> None:
    arrays = problem()
    np.savez(tmp_path / "data.npz", **arrays)
    begun = fw.new(arrays, cells=1)
    assert (
        begun
        == fw.new(tmp_path / "data.npz", cells=1)
        == fw.new(str(tmp_path / "data.npz"), cells=1)
    )
    assert [f.name for m in begun.modalities for f in m.features] == ["A", "B", "D"]
    words = np.array(["no", "yes", "so"])[arrays["labels"]]
    named = fw.new(arrays | {"labels": words}).predict
    assert named is not None
    assert named.names == ("no", "so", "yes")
    assert fw.new(example="ntu1").network == fw.load(EXAMPLES / "ntu1.fuse").network


def test_results_print_shortly(found: list[Any], trained: fw.TrainResult, tmp_path: Path) -> None:
    assert repr(found[0]).startswith("SearchResult(darts, seed 0: round 1 of 1 kept, validation_")
    assert str(found[0]).endswith(str(found[0].genotype))
    fw.train(trained.genotype, problem(), out=tmp_path / "t", **SHORT)
    assert repr(fw.read_run(tmp_path / "t")).endswith("/t': a training of 1 epochs)")
    results: list[Any] = [*found, trained, fw.consensus(found), fw.diff(found[0], found[1])]
    assert all(len(repr(one)) < 1500 for one in results)
