"""Losses by name and weights of classes, against torch and formulas of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

import fusewright as fw
from fusewright.compiler.network.network import Head
from fusewright.runtime.training.objective import Objective, shares_of
from fusewright.runtime.training.together import train_seeds

from ...support.running import FIXED, QUICK, changed, command, problem, spec

DRAW = torch.Generator().manual_seed(0)
LOGITS = torch.randn(40, 3, generator=DRAW)
CLASSES = torch.tensor([0] * 25 + [1] * 10 + [2] * 5)
LABELS = (torch.rand(40, 3, generator=DRAW) < 0.2).float()
VALUES = torch.randn(40, 3, generator=DRAW)
HEADS = {
    "classes": (Head(3, "classes", ("a", "b", "c")), CLASSES),
    "labels": (Head(3, "labels", ("a", "b", "c")), LABELS),
    "values": (Head(3, "values", ("a", "b", "c")), VALUES),
}


def objective(kind: str, **options: Any) -> Objective:
    head, labels = HEADS[kind]
    return Objective.of(head, labels, fw.Settings(**options))


def test_weights_of_classes_are_those_of_torch() -> None:
    balanced = 40 / (3 * torch.tensor([25.0, 10.0, 5.0]))
    expected = functional.cross_entropy(LOGITS, CLASSES, balanced)
    found = objective("classes", class_weights="balanced").loss(LOGITS, CLASSES)
    assert torch.allclose(found, expected)
    given = functional.cross_entropy(LOGITS, CLASSES, torch.tensor([1.0, 4.0, 0.5]))
    for text in ("1, 4, 0.5", "b = 4, c = 0.5", "2,8,1"):
        assert torch.allclose(objective("classes", class_weights=text).loss(LOGITS, CLASSES), given)


def test_weights_of_labels_are_those_of_torch() -> None:
    true = LABELS.sum(0)
    expected = functional.binary_cross_entropy_with_logits(
        LOGITS, LABELS, pos_weight=(40 - true) / true
    )
    found = objective("labels", class_weights="balanced").loss(LOGITS, LABELS)
    assert torch.allclose(found, expected)


def test_the_focal_loss_is_its_formula() -> None:
    true = LOGITS.softmax(-1)[torch.arange(40), CLASSES]
    expected = (-((1 - true) ** 2) * true.log()).mean()
    assert torch.allclose(objective("classes", loss="focal").loss(LOGITS, CLASSES), expected)
    given = torch.where(LABELS == 1, LOGITS.sigmoid(), 1 - LOGITS.sigmoid())
    expected = (-((1 - given) ** 1.5) * given.log()).mean()
    found = objective("labels", loss="focal", focus=1.5).loss(LOGITS, LABELS)
    assert torch.allclose(found, expected)


@pytest.mark.parametrize("focus", [0.5, 1.0, 2.0])
def test_gradients_are_finite_where_all_is_certain(focus: float) -> None:
    logits = torch.tensor([[80.0, -80.0, -80.0], [-80.0, 80.0, -80.0]], requires_grad=True)
    for kind, labels in (("classes", torch.tensor([0, 0])), ("labels", torch.eye(3)[:2])):
        objective(kind, loss="focal", focus=focus).loss(logits, labels).backward()  # type: ignore[no-untyped-call]
        assert logits.grad is not None
        assert bool(torch.isfinite(logits.grad).all())


def test_distances_of_values_are_those_of_torch() -> None:
    scale = VALUES.std(0, correction=0)
    given, truth = LOGITS / scale, VALUES / scale
    for name, loss in (("absolute", functional.l1_loss), ("huber", functional.smooth_l1_loss)):
        found = objective("values", loss=name).loss(LOGITS, VALUES)
        assert torch.allclose(found, loss(given, truth))


WAYS: list[tuple[str, dict[str, Any]]] = [
    ("classes", {"loss": "focal", "class_weights": "balanced"}),
    ("labels", {"loss": "focal", "class_weights": "3, 1, 2"}),
    ("values", {"loss": "huber"}),
]


@pytest.mark.parametrize(("kind", "options"), WAYS)
def test_several_networks_and_shares_have_the_loss_of_one(
    kind: str, options: dict[str, Any]
) -> None:
    (head, labels), one = HEADS[kind], objective(kind, **options)
    each = one.loss(torch.stack([LOGITS, 2 * LOGITS]), labels, torch.tensor([0.2, 0.0]))
    expected = [one.loss(LOGITS, labels, 0.2), one.loss(2 * LOGITS, labels)]
    assert torch.allclose(each, torch.stack(expected))
    shares = one.loss_of_shares(shares_of(head, LOGITS), labels.numpy())
    assert shares == pytest.approx(float(one.loss(LOGITS, labels)), rel=1e-5)


def test_smoothing_beside_weights_spreads_the_target_first() -> None:
    one = objective("classes", class_weights="1, 1, 1.000001")
    expected = functional.cross_entropy(LOGITS, CLASSES, label_smoothing=0.3)
    assert torch.allclose(one.loss(LOGITS, CLASSES, 0.3), expected, atol=1e-5)


# In runs


def rare() -> dict[str, Any]:
    """Data of which one class is rare, and hard to tell from another."""
    generator, count = np.random.default_rng(0), 240
    labels = (np.arange(count) % 12 == 0).astype(np.int64)
    features = generator.normal(size=(count, 3)) + labels[:, None]
    return {
        "A": features.astype(np.float32),
        "D": generator.normal(size=(count, 4)).astype(np.float32),
        "B": generator.normal(size=(count, 2, 5)).astype(np.float32),
        "labels": labels,
        "split": np.arange(count) // 12 % 3,
    }


@pytest.mark.filterwarnings("ignore::fusewright.DataWarning")
def test_balanced_weights_find_more_of_a_rare_class() -> None:
    data, network = rare(), spec(FIXED, "2 classes { usual, rare }")
    recalls: list[float] = []
    for weights in ("", "balanced", "rare = 11"):
        settings = QUICK.with_options(epochs=12, class_weights=weights)
        trained = fw.train(network, data, settings=settings)
        details = fw.evaluate(network, data, weights=trained.weights).details
        recalls.append(details.classes[1].recall or 0.0)
    assert recalls[0] < recalls[1] == recalls[2]


@pytest.mark.parametrize(("kind", "options"), WAYS)
def test_a_search_learns_by_it_and_a_training_after_it(
    kind: str, options: dict[str, Any], tmp_path: Path
) -> None:
    predict = {"classes": "3 classes", "labels": "3 labels", "values": "1 values"}[kind]
    brief = fw.Settings(candidates=3, trial_epochs=1, finalists=2, epochs=1, batch=16, folds=2)
    data, settings = problem(60, kind), brief.with_options(**options)
    found = fw.search(spec(predict=predict), data, settings=settings, out=tmp_path / "run")
    assert fw.train(found, data).settings.loss == options["loss"]
    usual = fw.search(spec(predict=predict), data, settings=brief)
    assert found.history[0]["validation_loss"] != usual.history[0]["validation_loss"]
    beside = command(
        tmp_path, "train", "run/genotype.fuse", "--data", _kept(data, tmp_path), "--out", "t"
    )
    assert "train_loss" in beside
    assert f'loss = "{options["loss"]}"' in (tmp_path / "t/train.toml").read_text()


def _kept(data: dict[str, Any], place: Path) -> str:
    np.savez(place / "data.npz", **data)
    return "data.npz"


def test_networks_together_learn_by_it_as_alone() -> None:
    settings = QUICK.with_options(loss="focal", class_weights="1,2,3")
    first, second = train_seeds(spec(FIXED), problem(60), (0, 1), settings=settings)
    for seed, one in ((0, first), (1, second)):
        alone = fw.train(spec(FIXED), problem(60), settings=settings.with_options(seed=seed))
        losses = [[r["train_loss"] for r in run.history] for run in (one, alone)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "hinge"}, "unknown loss `hinge`"),
        ({"focus": 3.0}, "`focus` has no effect without the focal loss"),
        ({"loss": "focal", "focus": 0.0}, "not above 0"),
        ({"class_weights": "1, nan, 2"}, "`nan` in `class_weights` is no number above 0"),
        ({"class_weights": "1, 0, 2"}, "`0` in `class_weights` is no number"),
        ({"class_weights": "a = 1, 2"}, "`2` without `NAME =`"),
        ({"class_weights": "a = 1, a = 2"}, "`a = 2` twice"),
        ({"class_weights": "1, 2"}, "`class_weights` has 2 numbers for 3 classes"),
        ({"class_weights": "cot = 2"}, "names `cot`, which is not predicted"),
        ({"loss": "huber"}, "the loss `huber` is not one of 3 classes"),
    ],
)
def test_what_does_not_fit_is_diagnosed(options: dict[str, Any], message: str) -> None:
    network = spec(FIXED, "3 classes { cat, dog, owl }")
    with pytest.raises(fw.DiagnosticError) as error:
        fw.train(network, problem(48), settings=QUICK.with_options(**options))
    assert error.value.diagnostics[0].code == "E506"
    assert message in str(error.value)


def test_values_have_no_classes() -> None:
    with pytest.raises(fw.DiagnosticError, match="`class_weights` are for classes and labels"):
        fw.train(spec(FIXED, "1 values"), problem(48, "values"), class_weights="balanced")
    data = changed(problem(48), labels=np.arange(48) % 3)
    assert fw.train(spec(FIXED), data, loss="cross_entropy", epochs=1, batch=16).weights
