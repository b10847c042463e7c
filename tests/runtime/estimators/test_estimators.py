"""Estimators read named arrays, frames and one array, search what is open, and fit as others do."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor
from torch.nn import functional

import fusewright as fw

from ...support.paths import DOCS
from ...support.running import FIXED, problem, spec
from ...website.test_tutorials import carried_out

QUICK: dict[str, Any] = {
    "strategy": "random",
    "candidates": 1,
    "trial_epochs": 1,
    "epochs": 1,
    "folds": 1,
    "batch": 32,
    "threads": 1,
}
NAMES = np.array(["so", "no", "yes"])


def parts(kind: str = "classes") -> tuple[dict[str, Any], Any]:
    """Features of a problem, and its labels."""
    arrays = problem(kind=kind)
    labels = arrays.pop("labels")
    del arrays["split"]
    return arrays, labels


@pytest.fixture(scope="module")
def fitted() -> Any:
    """A classifier that was searched and trained on named arrays, whose classes are names."""
    features, places = parts()
    return fw.FusionClassifier(**QUICK).fit(features, NAMES[places])


def test_a_space_is_derived_searched_and_trained(fitted: Any) -> None:
    features, places = parts()
    assert fitted.found_ is not None
    assert fitted.spec_ == fitted.trained_.genotype == fitted.found_.genotype
    assert fitted.classes_.tolist() == ["no", "so", "yes"]
    assert fitted.feature_names_in_.tolist() == ["A", "B", "D"]
    shares = fitted.predict_proba(features)
    assert np.allclose(shares.sum(1), 1)
    assert (fitted.predict(features) == fitted.classes_[shares.argmax(1)]).all()
    score = (fitted.predict(features) == NAMES[places]).mean()
    assert fitted.score(features, NAMES[places]) == pytest.approx(score)


HYPERNET = {"strategy": "darts", "select": "argmax"}


@pytest.mark.parametrize(("patience", "search"), [(0, {}), (1, {}), (0, HYPERNET)])
def test_metrics_are_recorded_of_what_is_held_out(patience: int, search: dict[str, Any]) -> None:
    """A training without patience learns all samples, so that the search alone records them."""

    def agreed(shares: Tensor, labels: Tensor) -> float:
        return float((shares.argmax(1) == labels).float().mean())

    features, places = parts()
    options = {
        **QUICK,
        **search,
        "seed": 7,
        "patience": patience,
        "metrics": ["CohenKappa", agreed],
    }
    fitted: Any = fw.FusionClassifier(**options).fit(features, NAMES[places])
    found = {key for record in fitted.found_.history for key in record}
    assert "validation_CohenKappa" in found
    trained = {key for record in fitted.trained_.history for key in record}
    assert ("validation_CohenKappa" in trained) == bool(patience)
    assert (fitted.trained_.settings.seed, fitted.trained_.settings.threads) == (7, 1)


def test_what_was_trained_is_deployed_and_copied(fitted: Any, tmp_path: Path) -> None:
    features, _ = parts()
    fw.deploy(fitted.trained_, tmp_path / "n.onnx", probabilities=True)
    shares = fw.predict(tmp_path / "n.onnx", features)
    assert np.allclose(shares, fitted.predict_proba(features), atol=1e-5)
    again = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(again.predict_proba(features), fitted.predict_proba(features))
    cloned: Any = clone(fitted)
    assert cloned.get_params() == fitted.get_params()


@pytest.mark.parametrize("form", ["Spec", "text", "file"])
def test_a_specification_is_trained_as_it_is_and_orders_its_classes(
    form: str, tmp_path: Path
) -> None:
    written = str(spec(FIXED, predict="3 classes { yes, so, no }"))
    (tmp_path / "n.fuse").write_text(written, encoding="utf-8")
    given = {"Spec": fw.loads(written), "text": written, "file": tmp_path / "n.fuse"}[form]
    features, places = parts()
    short = {**QUICK, "epochs": 20, "max_learning_rate": 0.02}
    model = fw.FusionClassifier(given, **short).fit(features, NAMES[places])
    assert model.found_ is None
    assert model.classes_.tolist() == ["no", "so", "yes"]
    assert model.score(features, NAMES[places]) > 0.9


def halved(logits: Tensor, labels: Tensor) -> Tensor:
    """Half of what a network of classes learns by anyway."""
    return functional.cross_entropy(logits, labels) / 2


def test_a_loss_of_ones_own_and_weights_of_classes_are_learned_by() -> None:
    features, places = parts()
    own = fw.FusionClassifier(**QUICK, loss=halved)
    copied = clone(own)
    assert isinstance(copied, fw.FusionClassifier)
    assert copied.get_params()["loss"] is halved
    usual = fw.FusionClassifier(**QUICK).fit(features, NAMES[places])
    pairs = zip(
        own.fit(features, NAMES[places]).trained_.history, usual.trained_.history, strict=True
    )
    for one, other in pairs:
        assert one["train_loss"] == pytest.approx(other["train_loss"] / 2, rel=0.05)
    assert own.predict(features).shape == (90,)
    assert own.trained_.settings.loss == f"own:{__name__}.halved"
    weighed = own.set_params(loss="", class_weights="no = 3").fit(features, NAMES[places])
    assert weighed.trained_.history[-1] != usual.trained_.history[-1]
    with pytest.raises(fw.DiagnosticError, match="`class_weights` has no effect on a loss of your"):
        own.set_params(loss=halved).fit(features, NAMES[places])


def test_columns_of_a_frame_are_features() -> None:
    features, places = parts()
    frame = pd.DataFrame(
        {"a": features["A"][:, 0], "b": features["A"][:, 1], "d": features["D"][:, 2]}
    )
    columns = {"left": ["a", "b"], "right": ["d"]}
    model = fw.FusionClassifier(columns=columns, **QUICK).fit(frame, places)
    assert [f.name for m in model.spec_.modalities for f in m.features] == ["left", "right"]
    with pytest.raises(fw.DiagnosticError, match="columns that X does not have: `d`"):
        model.predict(frame[["a", "b"]])


def test_columns_of_an_array_are_features_by_their_numbers() -> None:
    features, places = parts()
    table = np.concatenate([features["A"], features["D"]], 1)
    columns = {"left": [0, 1], "right": [2, 5]}
    model = make_pipeline(StandardScaler(), fw.FusionClassifier(columns=columns, **QUICK))
    assert model.fit(table, places).predict(table).shape == places.shape
    named = fw.FusionClassifier(columns={"left": ["a"]}, **QUICK)
    with pytest.raises(fw.DiagnosticError, match=r"numbers for names, 0 to \d; `set_output"):
        named.fit(table, places)


def test_one_array_is_one_feature_of_a_search() -> None:
    features, places = parts()
    model = fw.FusionClassifier(**QUICK).fit(features["D"], places)
    assert model.found_ is not None
    assert [len(cell.steps) for cell in model.spec_.cells] == [2]
    one = fw.FusionClassifier(spec("output B", features="modality m { B[t 2, c 5] }"), **QUICK)
    assert one.fit(features["B"], places).predict(features["B"]).shape == (90,)


def test_values_and_labels_are_learned() -> None:
    features, values = parts("values")
    model = fw.FusionRegressor(spec(FIXED, predict="1 values"), **QUICK).fit(features, values[:, 0])
    assert model.predict(features).shape == (90,)
    assert model.fit(features, values).predict(features).shape == (90, 1)
    features, labels = parts("labels")
    several = fw.FusionMultilabel(spec(FIXED, predict="3 labels"), **QUICK).fit(features, labels)
    assert several.predict_proba(features).shape == (90, 3)
    assert set(np.unique(several.predict(features))) <= {0, 1}
    with pytest.raises(fw.DiagnosticError, match="use `FusionClassifier`"):
        several.fit(features, np.arange(90) % 3)


def test_settings_are_parameters_that_grids_go_over() -> None:
    features, places = parts()
    model = fw.FusionClassifier(spec("output D", features="modality m { D[c 4] }"), **QUICK)
    assert model.set_params(epochs=2).get_params()["epochs"] == 2
    grid = GridSearchCV(model, {"batch": [16, 64]}, cv=2).fit(features["D"], places)
    assert grid.best_params_["batch"] in (16, 64)
    with pytest.raises(fw.DiagnosticError, match="did you mean `epochs`"):
        fw.FusionClassifier(epoch=3)
    with pytest.raises(ValueError, match="Invalid parameter 'epoch'"):
        model.set_params(epoch=3)


def test_labels_and_groups_may_stand_beside_features() -> None:
    features, places = parts()
    beside = {**features, "labels": places, "groups": np.arange(90) // 2}
    model = fw.FusionClassifier(spec(FIXED), **QUICK).fit(beside)
    assert model.n_features_in_ == 3
    with pytest.raises(fw.DiagnosticError, match="there is no `y`"):
        model.fit(features)


@pytest.mark.filterwarnings("ignore")
def test_the_example_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    carried_out(DOCS / "estimators.md")
    assert (tmp_path / "model.onnx").exists()
