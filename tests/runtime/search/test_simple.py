"""Simple models beside a search: what they read, how they score, and what is said of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from fusewright.compiler.check.check import checked
from fusewright.compiler.network.network import Network
from fusewright.runtime.data import seen
from fusewright.runtime.data.dataset import load_data
from fusewright.runtime.data.folds import folds_of
from fusewright.runtime.data.pooled import pooled
from fusewright.runtime.runs.controls import Control, Controls, read_controls
from fusewright.runtime.search.baselines import ALL, LATE, SIMBAMM, baselines
from fusewright.runtime.search.controls import FOUND, MEAN_OF_MEMBERS, compare_with_controls
from fusewright.runtime.search.search import search
from fusewright.runtime.search.simple import LINEAR, MEAN, TREES, simple_models
from fusewright.runtime.search.simple_kinds import MOST_COLUMNS, extra_trees
from fusewright.runtime.search.strategy import PERCEPTRON
from fusewright.runtime.settings import Settings
from fusewright.runtime.training.scores import score_of

from ...support.running import Arrays, command, problem, spec

QUICK = ("--candidates", "2", "--trial-epochs", "1", "--batch", "16")
TIMED = "modality left optional { A[c 3] B[t *, c 5] } modality right { D[c 4] }"


def scores_of(arrays: Arrays, network: Network) -> dict[str, float]:
    """The scores of simple models on validation."""
    data = load_data(arrays, network)
    (fold,) = folds_of(data, network.head, 1, 0)
    truth = data.labels[fold.held]
    models = simple_models(data, network, [fold], 0)
    return {name: score_of(network.head, outputs, truth) for name, outputs in models}


@pytest.mark.parametrize("kind", ["classes", "labels", "values"])
def test_an_easy_problem_is_learned_by_every_model(kind: str) -> None:
    predict = {"classes": "3 classes", "labels": "3 labels", "values": "1 values"}[kind]
    network = checked(spec(predict=predict))
    scores = scores_of(problem(240, kind), network)
    assert list(scores) == [LINEAR, TREES, MEAN]
    assert min(scores.values()) > 0.5


@pytest.mark.parametrize(
    ("columns", "chosen"), [(30, 10), (300, MOST_COLUMNS), (900, MOST_COLUMNS)]
)
def test_splits_of_a_tree_of_values_choose_from_so_many_columns(columns: int, chosen: int) -> None:
    generator = np.random.default_rng(0)
    trees = extra_trees(checked(spec(predict="1 values")).head, columns, 0, None)
    trees.set_params(n_estimators=2).fit(generator.normal(size=(40, columns)), np.arange(40.0))
    assert {tree.max_features_ for tree in trees.estimators_} == {chosen}
    assert min(min(t.tree_.n_node_samples) for t in trees.estimators_) >= 3


def test_a_label_that_never_varies_is_given_as_it_is() -> None:
    data = problem(90, "labels")
    data["labels"] = data["labels"].copy()
    data["labels"][:, 1] = 1
    network = checked(spec(predict="3 labels"))
    scores = scores_of(data, network)
    assert all(0 <= score <= 1 for score in scores.values())


def test_a_class_without_a_training_sample_is_never_predicted() -> None:
    data = problem(90)
    data["split"] = np.where(data["labels"] == 2, 1, data["split"])
    network = checked(spec())
    scores = scores_of(data, network)
    assert all(score < 1 for score in scores.values())


def test_time_beyond_a_length_and_what_is_absent_do_not_count() -> None:
    network = checked(spec(features=TIMED))
    generator = np.random.default_rng(0)
    given: dict[str, Any] = {
        "A": generator.normal(size=(4, 3)), "B": generator.normal(size=(4, 6, 5)),
        "D": generator.normal(size=(4, 4)), "B.lengths": np.array([6, 2, 1, 3]),
        "left.present": np.array([1, 1, 0, 1]), "labels": np.array([0, 1, 2, 0]),
    }  # fmt: skip
    found = pooled(load_data(given, network), network, np.arange(4))
    time = [given["B"][i, :n] for i, n in enumerate(given["B.lengths"])]
    present = given["left.present"][:, None]
    expected = np.concatenate(
        [
            given["A"] * present,
            present,
            np.stack([t.mean(0) for t in time]) * present,
            np.stack([t.max(0) for t in time]) * present,
            present,
            given["D"],
        ],
        1,
    )
    assert np.allclose(found, expected, atol=1e-6)


def test_models_that_cannot_learn_are_left_out(tmp_path: Path) -> None:
    """All training samples are of one class."""
    data = problem(90)
    data["labels"] = np.where(data["split"] == 0, 1, data["labels"])
    np.savez(tmp_path / "data.npz", **data)
    (tmp_path / "space.fuse").write_text(str(spec()), encoding="utf-8")
    said = command(
        tmp_path,
        "search",
        "space.fuse",
        "--data",
        "data.npz",
        "--out",
        "run",
        *QUICK,
        "--folds",
        "1",
    )
    assert "left out: simple models" in said


def test_maps_are_pooled_over_space() -> None:
    network = checked(spec(features="modality a { M[h 2, w 3, c 4] } modality b { D[c 4] }"))
    maps = np.random.default_rng(0).normal(size=(5, 2, 3, 4))
    data = {"M": maps, "D": np.zeros((5, 4)), "labels": np.arange(5) % 3}
    found = pooled(load_data(data, network), network, np.arange(5))
    assert np.allclose(found[:, :4], maps.mean((1, 2)), atol=1e-6)
    assert np.allclose(found[:, 4:8], maps.max((1, 2)), atol=1e-6)


def test_networks_without_a_cell_are_controls() -> None:
    found = baselines(spec())
    assert list(found) == [LATE, ALL, SIMBAMM, PERCEPTRON, "left alone", "right alone"]
    for one in found.values():
        assert not checked(one).cells


@pytest.mark.parametrize(("option", "random"), [((), False), (("--controls",), True)])
def test_a_search_is_compared(option: tuple[str, ...], random: bool, tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", **problem(120))
    (tmp_path / "space.fuse").write_text(str(spec()), encoding="utf-8")
    ran = ("search", "space.fuse", "--data", "data.npz", "--out", "run", *QUICK, *option)
    with patch.object(seen, "load_data", wraps=load_data) as read:
        said = command(tmp_path, *ran)
    assert read.call_count == 1
    controls = read_controls(tmp_path / "run")
    assert controls is not None
    names = [row.name for row in controls.rows]
    ensemble = [] if random else [MEAN_OF_MEMBERS]
    assert names[: 4 + len(ensemble)] == [FOUND, *ensemble, LINEAR, TREES, MEAN]
    first, *others = controls.rows
    assert first.ahead is None
    for row in others[:6]:
        assert row.ahead is not None
        mean, low, high = row.ahead
        assert low <= mean <= high
        assert mean == pytest.approx(first.score - row.score, abs=1e-6)
    assert any("random" in name for name in names) == random
    assert bool(controls.bought) == random
    assert controls.better
    assert f"{controls.better[0].name} is what to deploy" in said


def test_a_search_is_compared_with_nothing_where_that_is_asked(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", **problem(60))
    (tmp_path / "space.fuse").write_text(str(spec()), encoding="utf-8")
    ran = ("search", "space.fuse", "--data", "data.npz", "--out", "run", *QUICK, "--json")
    said = json.loads(command(tmp_path, *ran, "--no-controls"))
    assert "controls" not in said
    assert read_controls(tmp_path / "run") is None


def test_what_is_better_stands_by_its_score() -> None:
    rows = [
        Control(name, s, (s,), 0.0) for name, s in (("a", 0.5), ("b", 0.6), ("c", 0.4), ("d", 0.7))
    ]
    found = Controls("accuracy", 1, 1.0, 0, tuple(rows))
    assert [row.name for row in found.better] == ["d", "b"]


def rare(kind: str) -> Arrays:
    """One sample in five is of the class 1, or has the label 1, which features hardly tell."""
    generator = np.random.default_rng(0)
    is_rare = generator.random(300) < 0.2
    labels = is_rare.astype(np.int64) if kind == "classes" else np.eye(2)[is_rare * 1]
    features = {n: generator.normal(size=(300, *s)) for n, s in (("A", (3,)), ("B", (2, 5)))}
    features["D"] = generator.normal(size=(300, 4)) + 0.7 * is_rare[:, None]
    return {**features, "labels": labels, "split": np.arange(300) % 3}


@pytest.mark.parametrize("kind", ["classes", "labels"])
@pytest.mark.parametrize("weights", ["balanced", "1, 20", "odd = 20"])
def test_simple_models_count_classes_as_networks_do(kind: str, weights: str) -> None:
    network = checked(spec(predict=f"2 {kind} {{ usual, odd }}"))
    data = load_data(rare(kind), network)
    folds = folds_of(data, network.head, 1, 0)
    plain, weighed = (
        dict(simple_models(data, network, folds, 0, class_weights=text)) for text in ("", weights)
    )
    for name, outputs in weighed.items():
        odd = (outputs[:, 1] > 0.5).mean()
        assert np.isfinite(outputs).all()
        assert odd > (plain[name][:, 1] > 0.5).mean() + 0.15
        assert kind == "labels" or np.allclose(outputs.sum(1), 1)
        assert np.all((outputs >= 0) & (outputs <= 1))


@pytest.mark.parametrize("strategy", ["halving", "darts"])
def test_every_control_counts_classes_as_the_genotype_does(strategy: str) -> None:
    """With one class that counts far more, all that learn say that class of most samples."""
    space, data = spec(predict="2 classes"), rare("classes")
    settings = Settings(
        strategy=strategy, candidates=2, trial_epochs=8, epochs=8, batch=16, folds=1,
        max_learning_rate=0.01, ensemble=False, class_weights="1, 1000",
    )  # fmt: skip
    found = search(space, data, settings=settings)
    controls = compare_with_controls(space, data, found, settings=settings, random=False)
    assert not controls.left_out
    assert len(controls.rows) == 10
    for row in controls.rows:
        assert row.score < 0.5  # where 0.8 are of the other class
