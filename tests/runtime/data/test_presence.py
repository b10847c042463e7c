"""Optional modalities: what arrays say of absent ones does not count, in whatever is learned."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.runtime.data.dataset import load_data
from fusewright.runtime.data.folds import folds_of
from fusewright.runtime.data.pooled import pooled
from fusewright.runtime.search.simple import simple_models

from ...support.running import QUICK, Arrays, changed, command, problem, same, spec, without_cost

FEATURES = "modality left optional { A[c 3] B[t *, c 5] } modality right { D[c 4] }"
FIXED = "cell K(A, D) { S = Sum(x, y) } output K, B"
NETWORK = checked(spec(FIXED, features=FEATURES))
PRESENT = np.random.default_rng(1).random(90) < 0.6
DATA: Arrays = {
    **problem(90), "left.present": PRESENT, "B.lengths": np.arange(90) % 2 + 1,
}  # fmt: skip


def marred(value: float) -> Arrays:
    """The data, with other features and lengths where the modality is absent."""
    arrays = {name: np.array(array) for name, array in DATA.items()}
    for name in ("A", "B"):
        arrays[name][~PRESENT] = value
    arrays["B.lengths"][~PRESENT] = 0
    return arrays


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_what_arrays_hold_of_absent_modalities_does_not_count(value: float) -> None:
    given = marred(value)
    found, clean = (load_data(arrays, NETWORK) for arrays in (given, DATA))
    for name in ("A", "B"):
        assert not found.features[name][:][~PRESENT].any()
        assert np.array_equal(found.features[name][:][PRESENT], DATA[name][PRESENT])
    assert (found.features["B.lengths"][:][~PRESENT] == 2).all()
    assert found.digest() == clean.digest()
    assert np.isnan(value) == np.isnan(given["A"][~PRESENT]).all()


def test_a_modality_that_is_there_holds_finite_numbers() -> None:
    arrays = marred(np.nan)
    arrays["A"][np.flatnonzero(PRESENT)[0]] = np.nan
    with pytest.raises(fw.DiagnosticError, match=r"`A` has .* not finite in float32"):
        load_data(arrays, NETWORK)
    arrays = changed(marred(np.nan), **{"left.present": None, "B": DATA["B"]})
    with pytest.raises(fw.DiagnosticError, match=r"`A` has .* not finite in float32"):
        load_data(arrays, NETWORK)


def test_samples_lack_a_modality_of_which_nothing_but_nan_is_there() -> None:
    arrays = changed(marred(np.nan), **{"left.present": None})
    assert load_data(arrays, NETWORK).digest() == load_data(DATA, NETWORK).digest()


def test_simple_models_are_told_what_is_absent() -> None:
    columns = pooled(load_data(marred(np.nan), NETWORK), NETWORK, np.arange(90))
    assert np.isfinite(columns).all()
    absent = columns[~PRESENT]
    assert not absent[:, :-4].any()
    assert absent[:, -4:].any(1).all()
    said = [column for column in columns.T if np.array_equal(column, PRESENT)]
    assert said


@pytest.mark.parametrize("way", ["darts", "halving"])
def test_a_search_finds_the_same_whatever_absent_features_are(way: str) -> None:
    space = spec(features=FEATURES)
    settings = QUICK.with_options(
        strategy=way, candidates=3, trial_epochs=1, rungs=2, finalists=2, folds=2
    )
    results = [fw.search(space, arrays, settings=settings) for arrays in (marred(np.nan), DATA)]
    assert same(results[0].weights, results[1].weights)
    histories = [without_cost(result.history) for result in results]
    assert histories[0] == histories[1]


def test_simple_models_learn_the_same_whatever_absent_features_are() -> None:
    found: list[Any] = []
    for arrays in (marred(np.nan), DATA):
        data = load_data(arrays, NETWORK)
        folds = folds_of(data, NETWORK.head, 2, 0)
        models = simple_models(data, NETWORK, folds, 0, penalties=(10.0,), trees=False)
        found.append(dict(models))
    assert np.array_equal(found[0]["linear model"], found[1]["linear model"])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("trained") / "run"
    fw.train(spec(FIXED, features=FEATURES), marred(np.nan), out=run, settings=QUICK)
    fw.deploy(run, run.parent / "network.onnx")
    return run


def test_constants_of_what_is_absent_are_learned(trained: Path) -> None:
    from safetensors.numpy import load_file

    weights = load_file(trained / "weights.safetensors")
    assert all(weights[f"{name}.absent"].any() for name in "AB")


@pytest.mark.parametrize("kind", ["run", "network.onnx"])
def test_networks_predict_the_same_whatever_absent_features_are(trained: Path, kind: str) -> None:
    model = trained.parent / kind
    clean = fw.predict(model, DATA)
    assert np.array_equal(fw.predict(model, marred(np.nan)), clean)
    assert fw.evaluate(model, marred(np.nan)) == fw.evaluate(model, DATA)
    every = fw.predict(model, changed(DATA, **{"left.present": None}))
    assert np.array_equal(every, fw.predict(model, {**DATA, "left.present": np.ones(90)}))
    assert np.array_equal(every[PRESENT], clean[PRESENT])
    assert not np.allclose(every[~PRESENT], clean[~PRESENT])


@pytest.mark.parametrize("kind", ["run", "network.onnx"])
def test_a_modality_that_data_have_nothing_of_is_absent(trained: Path, kind: str) -> None:
    """In whatever is predicted, with a warning."""
    model, rest = trained.parent / kind, {"D": DATA["D"]}
    with pytest.warns(fw.DataWarning, match="nothing of the modality `left`") as caught:
        found = fw.predict(model, rest)
    assert [str(w.message).count("W505") for w in caught] == [1]
    assert np.array_equal(found, fw.predict(model, {**DATA, "left.present": np.zeros(90)}))
    with pytest.warns(fw.DataWarning, match="nothing of the modality `left`"):
        fw.evaluate(model, {**rest, "labels": DATA["labels"], "split": DATA["split"]})


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"A": DATA["A"], "D": DATA["D"]}, "no array `B`"),
        ({"A": DATA["A"], "B": DATA["B"]}, "no array `D`"),
        ({"D": DATA["D"], "left.present": np.ones(90)}, "no array `A`"),
        ({}, "no array `A`"),
    ],
)
def test_half_a_modality_is_missing(trained: Path, arrays: Any, message: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(fw.DiagnosticError, match=message):
            fw.predict(trained, arrays)


def test_a_modality_is_not_searched_of_which_data_have_nothing() -> None:
    with pytest.raises(fw.DiagnosticError, match="the data has no array `A`"):
        fw.search(spec(features=FEATURES), changed(DATA, A=None, B=None), settings=QUICK)


def test_the_command_says_what_is_taken_to_be_absent(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "data.npz", a=DATA["A"], D=DATA["D"])
    command(tmp_path, "predict", str(trained), "--data", "data.npz", "-o", "out.npz")
    shown = capsys.readouterr().err
    assert "warning[W505]: the data have nothing of the modality `left`" in shown
    assert "did you mean `a`" in shown
