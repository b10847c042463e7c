"""What data a network reads: splits, lengths, presence, and data that do not fit."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.runtime.data.dataset import load_data

from ...support.running import FIXED, QUICK, changed, problem, same, spec, without_cost

# Splits


@pytest.mark.parametrize("what", ["features", "labels"])
def test_the_test_split_influences_nothing(what: str) -> None:
    data = problem(45)
    test = data["split"] == 2
    other = {name: array.copy() for name, array in data.items()}
    for name in ("A", "B", "D") if what == "features" else ("labels",):
        other[name][test] = (other[name][test] * 100 + 7) if what == "features" else 0
    a, b = (fw.search(spec(), d, settings=QUICK) for d in (data, other))
    assert a.genotype == b.genotype
    assert same(a.weights, b.weights)
    assert without_cost(a.history) == without_cost(b.history)
    c, d = (fw.train(spec(FIXED), d, settings=QUICK) for d in (data, other))
    assert same(c.weights, d.weights)


@pytest.mark.parametrize(("part", "matters"), [(0, True), (1, True), (2, False)])
def test_training_reads_training_and_validation_samples(part: int, matters: bool) -> None:
    data = problem(45)
    kept = data["split"] != part
    fewer = {name: array[kept] for name, array in data.items()}
    a, b = (fw.train(spec(FIXED), d, settings=QUICK) for d in (data, fewer))
    assert same(a.weights, b.weights) is not matters


def test_a_search_takes_its_weights_from_training_and_its_holes_from_validation() -> None:
    """In the first epoch, weights have not met the validation samples when holes first do."""
    data = problem(45)
    other = {name: array.copy() for name, array in data.items()}
    other["labels"][data["split"] == 1] = 0
    a, b = (fw.search(spec(), d, settings=QUICK, epochs=1) for d in (data, other))
    holes = [name for name in a.weights if name.rsplit(".", 1)[-1] in ("alpha", "beta", "gamma")]
    trained = [name for name in a.weights if name not in holes]
    statistics = [n for n in trained if n.rsplit(".", 1)[-1] in ("mean", "variance")]
    weights = [n for n in trained if n not in statistics]
    assert holes
    assert weights
    assert all(np.array_equal(a.weights[n], b.weights[n]) for n in weights)
    assert not all(np.array_equal(a.weights[n], b.weights[n]) for n in holes)


def test_a_split_is_seeded_and_stratified() -> None:
    data = changed(problem(90), split=None)
    data["labels"] = np.repeat([0, 1, 2], (60, 20, 10))
    network = checked(spec())
    splits = [load_data(data, network, seed).split for seed in (0, 0, 1)]
    assert np.array_equal(splits[0], splits[1])
    assert not np.array_equal(splits[0], splits[2])
    for split in splits:
        for label, count in ((0, 60), (1, 20), (2, 10)):
            parts = np.bincount(split[data["labels"] == label], minlength=3)
            assert np.all(np.abs(parts - count * np.array([0.6, 0.2, 0.2])) <= 1)


@given(st.integers(1, 200), st.integers(0, 1000), st.sampled_from(("3 classes", "2 values")))
def test_a_split_of_any_size_is_near_its_shares(samples: int, seed: int, predict: str) -> None:
    labels = np.zeros((samples, 2)) if "values" in predict else np.zeros(samples, np.int64)
    data = changed(problem(samples), labels=labels, split=None)
    split = load_data(data, checked(spec(predict=predict)), seed).split
    parts = np.bincount(split, minlength=3)
    assert np.all(np.abs(parts - samples * np.array([0.6, 0.2, 0.2])) <= 1)


def test_a_run_evaluates_on_the_split_that_its_seed_made(tmp_path: Path) -> None:
    data = changed(problem(45), split=None)
    trained = fw.train(spec(FIXED), data, settings=QUICK, seed=9, out=tmp_path)
    test = load_data(data, checked(spec()), 9).split == 2
    logits = fw.predict(spec(FIXED), data, weights=trained.weights)
    accuracy = (logits[test].argmax(1) == data["labels"][test]).mean()
    assert fw.evaluate(tmp_path, data)["accuracy"] == pytest.approx(accuracy)


# Lengths and presence


PADDED = "modality left { A[c 3] B[t *, c 5] } modality right { D[c 4] }"


PARTIAL = "modality left { A[c 3] B[t 2, c 5] } modality right optional { D[c 4] }"


def test_what_stands_behind_a_samples_length_is_not_read() -> None:
    data = problem(45)
    lengths = np.arange(45) % 4 + 1
    longer = np.concatenate([data["B"], data["B"][:, ::-1]], axis=1)
    other = longer.copy()
    for sample, length in zip(other, lengths, strict=True):
        sample[length:] = 1e3
    network = spec(FIXED, features=PADDED)
    a, b = (changed(data, B=x) | {"B.lengths": lengths} for x in (longer, other))
    trained = [fw.train(network, d, settings=QUICK).weights for d in (a, b)]
    assert same(*trained)
    first, second = (fw.predict(network, d, weights=trained[0]) for d in (a, b))
    assert np.array_equal(first, second)
    whole = fw.predict(network, changed(data, B=longer), weights=trained[0])
    assert not np.allclose(whole, first)


def test_what_an_absent_modality_holds_is_not_read() -> None:
    data = problem(45)
    present = np.arange(45) % 3 > 0
    other = data["D"].copy()
    other[~present] = 1e3
    network = spec("cell K(A, D) { S = Sum(x, y) }", features=PARTIAL, library="paper")
    a, b = (changed(data, D=d) | {"right.present": present} for d in (data["D"], other))
    trained = [fw.train(network, d, settings=QUICK).weights for d in (a, b)]
    assert same(*trained)
    assert np.abs(trained[0]["D.absent"]).max() > 0
    first, second = (fw.predict(network, d, weights=trained[0]) for d in (a, b))
    assert np.array_equal(first, second)


# Data that does not fit


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"A": None}, "E501"),
        ({"labels": None}, "E501"),
        ({"A": np.zeros((30, 4))}, "E502"),
        ({"A": np.zeros((29, 3))}, "E502"),
        ({"A": np.float32(3)}, "E502"),
        ({"A": np.full((30, 3), np.inf)}, "E502"),
        ({"A": np.full((30, 3), 1e300)}, "E502"),
        ({"A": np.full((30, 3), "x")}, "E502"),
        ({"A": np.full((30, 3), None)}, "E502"),
        ({"A": np.full((30, 3), 1j)}, "E502"),
        ({"A": np.zeros((0, 3)), "B": np.zeros((0, 2, 5)), "D": np.zeros((0, 4))}, "E502"),
        ({"B": np.zeros((30, 0, 5))}, "E502"),
        ({"B.lengths": np.full(30, 3)}, "E502"),
        ({"B.lengths": np.full(30, 0)}, "E502"),
        ({"B.lengths": np.full(30, 1.5)}, "E502"),
        ({"B.lengths": np.full(29, 1)}, "E502"),
        ({"B.lengths": np.array(1)}, "E502"),
        ({"right.present": np.full((30, 1), 1)}, "E502"),
        ({"labels": np.full(30, 3)}, "E503"),
        ({"labels": np.full(30, -1)}, "E503"),
        ({"labels": np.full(30, 0.5)}, "E503"),
        ({"labels": np.full(30, np.nan)}, "E503"),
        ({"labels": np.full(30, "walk")}, "E503"),
        ({"labels": np.full(30, None)}, "E503"),
        ({"labels": np.zeros((30, 3))}, "E503"),
        ({"labels": np.zeros(29, np.int64)}, "E503"),
        ({"labels": np.zeros(0, np.float32)}, "E503"),
        ({"labels": np.zeros((0, 4), np.float32)}, "E503"),
        ({"labels": np.zeros(0, "U3")}, "E503"),
        ({"split": np.full(30, 3)}, "E503"),
        ({"split": np.full(30, "train")}, "E503"),
        ({"split": np.zeros(29)}, "E503"),
        ({"split": np.zeros(30)}, "E503"),
    ],
    ids=lambda v: "-".join(f"{k}_{x}"[:20] for k, x in v.items()) if isinstance(v, dict) else v,
)
def test_data_that_does_not_fit_is_diagnosed(change: dict[str, Any], code: str) -> None:
    features = "modality left { A[c 3] B[t *, c 5] } modality right optional { D[c 4] }"
    data = changed(problem(30), **change)
    with pytest.raises(fw.DiagnosticError) as caught:
        fw.search(spec(features=features), data, settings=QUICK)
    assert {d.code for d in caught.value.diagnostics} == {code}


@pytest.mark.parametrize("predict", ["2 labels", "2 values"])
@pytest.mark.parametrize(
    "labels",
    [np.zeros(30), np.full((30, 2), np.nan), np.full((30, 2), "x"), np.full((30, 2), 1j)],
    ids=["shape", "nan", "text", "complex"],
)
def test_labels_that_do_not_fit_are_diagnosed(predict: str, labels: NDArray[Any]) -> None:
    with pytest.raises(fw.DiagnosticError) as caught:
        fw.train(spec(FIXED, predict), changed(problem(30), labels=labels), settings=QUICK)
    assert {d.code for d in caught.value.diagnostics} == {"E503"}


@pytest.mark.parametrize(
    ("name", "shape", "remedy"),
    [
        ("A", (30,), "one number for each sample is one channel: `[c 1]`"),
        ("A", (30, 7), "declare what the data have, `[c 7]`, or extract"),
        ("B", (30, 2, 9), "declare what the data have, `[t 2, c 9]`, or extract"),
        ("B", (30, 5, 2), "write its axes in the data's order: c 5, t 2"),
        ("B", (30, 10), "declare an axis for each of the data's"),
    ],
)
def test_axes_that_data_do_not_have_have_a_remedy(
    name: str, shape: tuple[int, ...], remedy: str
) -> None:
    with pytest.raises(fw.DiagnosticError, match=re.escape(remedy)):
        fw.train(spec(FIXED), changed(problem(30), **{name: np.zeros(shape)}))


def test_everything_that_is_wrong_with_data_comes_at_once() -> None:
    data = changed(problem(30), A=None, B=np.zeros((30, 5, 2)), labels=None)
    with pytest.raises(fw.DiagnosticError) as caught:
        fw.train(spec(FIXED), data)
    assert [d.code for d in caught.value.diagnostics] == ["E501", "E501", "E502"]
    assert "write its axes in the data's order: c 5, t 2" in str(caught.value)


@pytest.mark.parametrize(
    ("predict", "labels"),
    [
        ("1 classes", np.zeros(30, np.int64)),
        ("1 labels", np.arange(30) % 2),
        ("1 values", np.arange(30.0)),
        ("2 labels", np.eye(2)[np.arange(30) % 2]),
        ("2 classes", np.arange(30) % 2 == 0),
    ],
)
def test_heads_of_any_size_are_searched_and_trained(predict: str, labels: NDArray[Any]) -> None:
    data = changed(problem(30), labels=labels)
    fw.search(spec(predict=predict), data, settings=QUICK)
    trained = fw.train(spec(FIXED, predict), data, settings=QUICK)
    metrics = fw.evaluate(spec(FIXED, predict), data, weights=trained.weights)
    assert all(math.isfinite(value) for value in metrics.values())


@pytest.mark.parametrize("single", [0, 1, 2], ids=["train", "validation", "test"])
@pytest.mark.parametrize("predict", ["3 classes", "3 labels", "3 values"])
@pytest.mark.parametrize("length", [1, 2])
def test_a_split_of_one_sample_is_used_or_diagnosed(single: int, predict: str, length: int) -> None:
    split = np.full(30, (single + 1) % 3)
    split[:10] = (single + 2) % 3
    split[4] = single
    labels = np.arange(30) % 3
    data = changed(
        problem(30), split=split, labels=labels if "classes" in predict else np.eye(3)[labels]
    )
    used_or_diagnosed(lambda: fw.search(spec(predict=predict, length=length), data, settings=QUICK))
    network = spec(FIXED, predict, length=length)
    weights = fw.train(network, data, epochs=1).weights
    used_or_diagnosed(lambda: fw.evaluate(network, data, weights=weights))


def test_batches_of_one_sample_are_used_or_diagnosed() -> None:
    used_or_diagnosed(lambda: fw.train(spec(FIXED, length=1), problem(30), batch=1, epochs=1))


def used_or_diagnosed(run: Callable[[], object]) -> None:
    try:
        run()
    except fw.DiagnosticError as error:
        assert all(d.code in ("E503", "E506") for d in error.diagnostics)


def test_a_loss_that_is_not_finite_is_diagnosed() -> None:
    data = problem(30, "values")
    data["A"] *= 1e30
    with pytest.raises(fw.DiagnosticError) as caught:
        fw.train(spec(FIXED, "1 values", library="paper"), data, settings=QUICK)
    assert [d.code for d in caught.value.diagnostics] == ["E508"]


@pytest.mark.parametrize(
    "change",
    [
        lambda w: {k: v for k, v in w.items() if k != "A.adapt.W"},
        lambda w: {**w, "A.adapt.W": w["A.adapt.W"].T},
        lambda w: {**w, "A.adapt.W": w["A.adapt.W"] * np.nan},
        lambda w: {**w, "A.adapt.W": w["A.adapt.W"].astype(str)},
    ],
    ids=["missing", "shape", "nan", "text"],
)
def test_weights_that_do_not_fit_are_diagnosed(change: Callable[[Any], Any]) -> None:
    weights = fw.compile(spec(FIXED)).arrays()
    with pytest.raises(fw.DiagnosticError) as caught:
        fw.evaluate(spec(FIXED), problem(30), weights=change(weights))
    assert [d.code for d in caught.value.diagnostics] == ["E505"]


def test_weights_of_a_hypernet_serve_its_genotype() -> None:
    data = problem(30)
    found = fw.search(spec(), data, settings=QUICK)
    metrics = fw.evaluate(found.genotype, data, weights=found.weights)
    assert 0 <= metrics["accuracy"] <= 1


@pytest.mark.parametrize("number", [np.float16, np.float64, np.int8, np.uint16, np.bool_])
def test_features_of_any_number_type_are_read(number: type) -> None:
    data = changed(problem(30), A=np.ones((30, 3), number))
    weights = fw.train(spec(FIXED), data, settings=QUICK).weights
    assert all(array.dtype == np.float32 for array in weights.values())


def test_arrays_are_left_as_they_were() -> None:
    data = problem(30)
    before = {name: array.copy() for name, array in data.items()}
    for array in data.values():
        array.flags.writeable = False
    fw.search(spec(), data, settings=QUICK)
    fw.train(spec(FIXED), data, settings=QUICK)
    assert same(data, before)


def test_a_run_that_lacks_something_is_diagnosed(tmp_path: Path) -> None:
    data = problem(30)
    fw.search(spec(), data, out=tmp_path, settings=QUICK, epochs=1)
    with pytest.raises(fw.DiagnosticError) as caught:
        fw.evaluate(tmp_path, data)
    assert [d.code for d in caught.value.diagnostics] == ["E507"]


def test_a_search_says_which_budget_cannot_be_kept() -> None:
    space = fw.loads(str(spec()) + "require parameters < 10")
    with pytest.raises(fw.DiagnosticError, match="no network of `n` keeps within") as caught:
        fw.search(space, problem(30))
    (found,) = caught.value.diagnostics
    assert found.span is not None
