"""Finalists by folds, and ensembles: chosen by what was held out, trained, kept and predicted."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.network.network import Head
from fusewright.compiler.program.join import member_name
from fusewright.runtime.data.dataset import load_data
from fusewright.runtime.data.folds import folds_of
from fusewright.runtime.genotypes.greedy import bagged, greedy
from fusewright.runtime.runs.ensemble import read_ensemble
from fusewright.runtime.training.ensemble import train_ensemble
from fusewright.runtime.training.objective import Objective, loss_of, shares_of

from ...support.running import command, problem, same, spec, without_cost
from ...support.stopping import stopped_and_resumed

DATA = problem(120)
QUICK: dict[str, Any] = {
    "select": "folds", "candidates": 6, "rungs": 2, "trial_epochs": 3, "finalists": 4, "folds": 3,
    "batch": 16, "max_learning_rate": 0.02,
}  # fmt: skip


@cache
def found(together: int = 128) -> fw.SearchResult:
    return fw.search(spec(), DATA, together=together, **QUICK)


# Greedy selection


@given(st.integers(1, 6), st.integers(0, 99), st.integers(1, 12))
def test_no_member_alone_is_better_than_the_ensemble(count: int, seed: int, picks: int) -> None:
    generator = np.random.default_rng(seed)
    truth = generator.normal(size=(30, 2))
    members = [truth + generator.normal(size=truth.shape) for _ in range(count)]

    def loss(outputs: np.ndarray) -> float:
        return float(np.square(outputs - truth).mean())

    weights = greedy(members, loss, picks)
    assert sum(weights.values()) == pytest.approx(1)
    assert all(weight > 0 for weight in weights.values())
    mean = sum(weight * members[place] for place, weight in weights.items())
    assert loss(np.asarray(mean)) <= min(map(loss, members)) + 1e-12


@given(st.integers(1, 8), st.integers(0, 99))
def test_halves_of_the_members_are_averaged(count: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    truth = generator.normal(size=(30, 2))
    members = [truth + generator.normal(size=truth.shape) for _ in range(count)]

    def loss(outputs: np.ndarray) -> float:
        return float(np.square(outputs - truth).mean())

    weights = bagged(members, loss, 10, seed)
    assert sum(weights.values()) == pytest.approx(1)
    assert min(weights.values()) >= 0.02
    assert weights == bagged(members, loss, 10, seed)
    mean = np.asarray(sum(weight * members[place] for place, weight in weights.items()))
    assert loss(mean) <= np.mean([*map(loss, members)]) + 1e-9


def test_a_member_may_be_taken_again() -> None:
    truth = np.array([[0.0], [0.0]])
    members = [np.array([[1.0], [1.0]]), np.array([[-2.0], [-2.0]])]
    weights = greedy(members, lambda o: float(np.square(o - truth).mean()), 3)
    assert weights == {0: pytest.approx(2 / 3), 1: pytest.approx(1 / 3)}


@pytest.mark.parametrize("kind", ["classes", "labels", "values"])
def test_the_loss_of_shares_is_that_of_logits(kind: Any) -> None:
    head = Head(3, kind, None)
    logits = torch.randn(8, 3)
    labels = {
        "classes": torch.randint(0, 3, (8,)),
        "labels": torch.randint(0, 2, (8, 3)).float(),
        "values": torch.randn(8, 3),
    }[kind]
    objective = Objective(head)
    expected = float(loss_of(head, logits, labels))
    assert objective.loss_of_shares(shares_of(head, logits), labels.numpy()) == pytest.approx(
        expected, rel=1e-5
    )


# The search


def test_finalists_are_the_best_of_the_search_before() -> None:
    history = found().history
    before = [r for r in history if "folds" not in r]
    after = [r for r in history if "folds" in r]
    assert len(after) == QUICK["finalists"]
    assert after[0]["candidate"] == before[-1]["best"]
    assert {r["candidate"] for r in after} <= {r["candidate"] for r in before}
    assert all(r["folds"] == 3 for r in after)
    assert found().best_round == len(history)
    closing = after[-1]
    assert closing["candidate"] == closing["best"]
    assert closing["last"]["candidate"] not in {r["candidate"] for r in after[:-1]}
    if closing["best"] != closing["last"]["candidate"]:
        best = next(r for r in after if r["candidate"] == closing["best"])
        assert closing["validation_accuracy"] == best["validation_accuracy"]


def test_what_folds_need_is_known_before_anything_is_trained(tmp_path: Path) -> None:
    seen: list[object] = []
    few = {**DATA, "groups": np.arange(120) % 2}
    with pytest.raises(fw.DiagnosticError, match="2 groups cannot be divided into 3 folds"):
        fw.search(spec(), few, report=seen.append, **QUICK)
    assert not seen


def test_where_every_finalist_diverges_the_search_says_so(tmp_path: Path) -> None:
    data = problem(120, "values")
    for name in "ABD":
        data[name] = np.where(data[name] > 0, 3e38, -3e38).astype(np.float32)
    options: dict[str, Any] = {**QUICK, "max_learning_rate": 900.0}
    with pytest.raises(fw.DiagnosticError, match="finite number"):
        fw.search(spec(predict="1 values"), data, out=tmp_path / "run", **options)


def test_the_score_is_of_samples_that_were_not_learned() -> None:
    """Trained alone on a fold without its held samples, a finalist scores on them what it did."""
    network = checked(spec())
    data = load_data(DATA, network)
    folds = folds_of(data, network.head, 3, 0)
    ends: list[dict[str, float]] = []
    for together in (1, 128):
        record = found(together).history[-1]
        ends.append({k: v for k, v in record.items() if k.startswith("validation")})
    assert ends[0] == pytest.approx(ends[1], rel=1e-3)
    assert sum(len(fold.held) for fold in folds) == len(data.indices(0, 1))


@pytest.mark.parametrize("kind", ["classes", "labels", "values"])
def test_every_kind_of_head_has_an_ensemble(kind: str) -> None:
    data = problem(120, kind)
    predict = {"classes": "3 classes", "labels": "3 labels", "values": "1 values"}[kind]
    result = fw.search(spec(predict=predict), data, **QUICK)
    assert result.ensemble is not None
    assert sum(m.weight for m in result.ensemble.members) == pytest.approx(1)
    assert len({str(m.genotype) for m in result.ensemble.members}) == len(result.ensemble.members)


def test_together_and_one_by_one_find_the_same() -> None:
    one, other = found(1), found()
    assert one.genotype == other.genotype
    assert one.ensemble == other.ensemble


def test_groups_stay_together() -> None:
    data = {**DATA, "groups": np.arange(120) // 2}
    assert fw.search(spec(), data, **QUICK).ensemble is not None
    few = {**DATA, "groups": np.zeros(120, np.int64)}
    with pytest.raises(fw.DiagnosticError, match="1 groups cannot be divided into 3 folds"):
        fw.search(spec(), few, **QUICK)


@pytest.mark.parametrize("batches", [3, 16, 18, 20])
def test_a_search_goes_on_from_the_middle_of_its_folds(
    batches: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    again = stopped_and_resumed(spec(), DATA, run, monkeypatch, batches=batches, **QUICK)
    assert again.genotype == found().genotype
    assert again.ensemble == found().ensemble
    assert same(again.weights, found().weights)
    assert without_cost(list(again.history)) == without_cost(list(found().history))


def test_features_that_know_the_training_labels_are_compared_on_validation_alone() -> None:
    """One column is the label in training samples, and noise in all others."""
    generator = np.random.default_rng(0)
    data = {**problem(600), "split": np.arange(600) // 100 % 3}
    assert found_on(data)["samples"] == 400
    known = data["split"] == 0
    noise = generator.permutation(data["labels"])
    data["D"] = 0 * data["D"]
    data["D"][:, 0] = 3.0 * np.where(known, data["labels"], noise)
    data["A"], data["B"] = (0 * data[name] for name in "AB")
    assert found_on(data)["samples"] == 200


def found_on(data: dict[str, Any]) -> dict[str, Any]:
    """The last record of a search by folds."""
    space = spec("cell K(D, ?) { S = {Sum | ConcatFC}(x, y) }")
    options: dict[str, Any] = {**QUICK, "trial_epochs": 7}
    return dict(fw.search(space, data, **options).history[-1])


def test_one_fold_is_the_validation_split() -> None:
    network = checked(spec())
    data = load_data(DATA, network)
    (fold,) = folds_of(data, network.head, 1, 0)
    assert np.array_equal(fold.held, data.indices(1))
    options: dict[str, Any] = {**QUICK, "folds": 1}
    result = fw.search(spec(), DATA, **options)
    assert result.ensemble is not None
    assert result.held_out is not None
    assert np.array_equal(result.held_out.samples, fold.held)
    plain = fw.search(spec(), DATA, ensemble=False, **options)
    assert (plain.ensemble, plain.held_out) == (None, None)
    assert len(plain.history) == len(result.history) - QUICK["finalists"]


# Training and predicting


def test_an_ensemble_is_trained_and_predicts_the_mean(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", **DATA)
    (tmp_path / "space.fuse").write_text(str(spec()), encoding="utf-8")
    options = [f"--{name.replace('_', '-')}={value}" for name, value in QUICK.items()]
    command(tmp_path, "search", "space.fuse", "--data", "data.npz", "--out", "run", *options)
    ensemble = read_ensemble(tmp_path / "run" / "ensemble")
    assert ensemble == found().ensemble
    trained = ("--data", "data.npz", "--epochs", "3", "--batch", "16", "--member-seeds", "1")
    said = command(tmp_path, "train", "run/ensemble", *trained, "--out", "e", "--json")
    assert json.loads(said)["members"] == len(ensemble.members)
    head = Head(3, "classes", None)
    given = shares_of(head, torch.from_numpy(fw.predict(tmp_path / "e", DATA)))
    mean = np.zeros_like(given)
    for member, own in zip(ensemble.members, found().member_training, strict=True):
        one = fw.train(member.genotype, DATA, settings=own, epochs=3, batch=16)
        logits = fw.predict(member.genotype, DATA, weights=one.weights)
        mean += member.weight * shares_of(head, torch.from_numpy(logits))
    assert np.allclose(given, mean, atol=1e-3)
    metrics = json.loads(command(tmp_path, "evaluate", "e", "--data", "data.npz", "--json"))
    assert 0 <= metrics["accuracy"] <= 1
    for option in ("--set=C=4", "--weights=e/weights.safetensors", "--distil=e"):
        with pytest.raises(AssertionError):  # its exit status
            command(tmp_path, "train", "run/ensemble", *trained, "--out", "f", option)
    assert not (tmp_path / "f").exists()


def test_an_ensemble_and_a_single_network_share_no_folder(tmp_path: Path) -> None:
    ensemble = found().ensemble
    assert ensemble is not None
    short: dict[str, Any] = {"epochs": 1, "batch": 16}
    train_ensemble(ensemble, DATA, out=tmp_path / "e", **short)
    fw.train(found().genotype, DATA, out=tmp_path / "t", **short)
    with pytest.raises(fw.DiagnosticError, match="holds an ensemble"):
        fw.train(found().genotype, DATA, out=tmp_path / "e", overwrite=True, **short)
    with pytest.raises(fw.DiagnosticError, match="holds a single genotype"):
        train_ensemble(ensemble, DATA, out=tmp_path / "t", overwrite=True, **short)


def test_a_new_search_leaves_no_old_ensemble(tmp_path: Path) -> None:
    fw.search(spec(), DATA, out=tmp_path, **QUICK)
    assert (tmp_path / "ensemble" / "ensemble.json").exists()
    fw.search(spec(), DATA, out=tmp_path, overwrite=True, ensemble=False, **QUICK)
    assert not (tmp_path / "ensemble").exists()


def test_members_that_are_trained_are_those_that_train_alone() -> None:
    ensemble, told = found().ensemble, list[tuple[int, int]]()
    assert ensemble is not None
    short: dict[str, Any] = {"epochs": 2, "batch": 16}
    result = train_ensemble(
        ensemble,
        DATA,
        **short,
        member_seeds=2,
        progress=lambda *progress: told.append(progress),
    )
    members = result.ensemble.named
    assert len(members) == 2 * len(ensemble.members)
    assert told[-1] == (2 * len(members), 2 * len(members))
    assert told == sorted(told)
    for place, (name, member) in enumerate(members.items()):
        assert member.genotype == ensemble.members[place // 2].genotype
        alone = fw.train(member.genotype, DATA, seed=place % 2, **short)
        for parameter, array in alone.weights.items():
            assert np.allclose(
                result.weights[member_name(name, parameter)], array, rtol=1e-3, atol=1e-4
            )


def test_an_ensemble_that_is_trained_again_grows_no_further(tmp_path: Path) -> None:
    ensemble = found().ensemble
    assert ensemble is not None
    short: dict[str, Any] = {"epochs": 1, "batch": 16}
    once = train_ensemble(ensemble, DATA, out=tmp_path / "e", member_seeds=3, **short)
    again = train_ensemble(read_ensemble(tmp_path / "e"), DATA, member_seeds=3, **short)
    assert again.ensemble == once.ensemble
    assert all(np.array_equal(again.weights[name], once.weights[name]) for name in once.weights)


def test_a_single_network_takes_no_seeds_of_members() -> None:
    with pytest.raises(fw.DiagnosticError, match="`member_seeds` is for an ensemble"):
        fw.train(found().genotype, DATA, member_seeds=2, epochs=1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"members": []}',
        '{"members": [{"genotype": "../member_1.fuse", "weight": 1}]}',
        '{"members": [{"genotype": "member_1.fuse", "weight": 0.5}]}',
        '{"members": [{"genotype": "member_1.fuse", "weight": NaN}]}',
        '{"members": [{"genotype": "member_1.fuse", "weight": "x"}]}',
    ],
)
def test_a_damaged_ensemble_is_diagnosed(text: str, tmp_path: Path) -> None:
    (tmp_path / "ensemble.json").write_text(text, encoding="utf-8")
    with pytest.raises(fw.DiagnosticError, match="is damaged"):
        read_ensemble(tmp_path)


def test_a_folder_without_one_says_so(tmp_path: Path) -> None:
    with pytest.raises(fw.DiagnosticError, match="holds no ensemble"):
        read_ensemble(tmp_path)
