"""What settings of training do to a step, against formulas of their own."""

from __future__ import annotations

from pathlib import Path
from shutil import copy

import numpy as np
import pytest
import torch
from torch.nn import functional

import fusewright as fw
from fusewright.compiler.network.network import Head
from fusewright.runtime.settings import read_settings
from fusewright.runtime.training.objective import Objective
from fusewright.runtime.training.optimisers import shortened
from fusewright.runtime.training.schedule import rate_at

from ...support.running import QUICK, command, problem, spec

FIXED = spec("cell K(A, D) { S = ConcatFC(x, y) } output K, B")


def test_smoothing_is_that_of_torch() -> None:
    generator = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(7, 4, generator=generator), torch.arange(7) % 4
    expected = functional.cross_entropy(logits, labels, label_smoothing=0.3)
    objective = Objective(Head(4, "classes", None))
    assert torch.allclose(objective.loss(logits, labels, 0.3), expected)
    each = objective.loss(torch.stack([logits, logits]), labels, torch.tensor([0.3, 0.0]))
    assert torch.allclose(each, torch.stack([expected, objective.loss(logits, labels)]))


def test_smoothed_labels_are_nearer_to_a_half() -> None:
    generator = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(7, 3, generator=generator), torch.ones(7, 3)
    expected = functional.binary_cross_entropy_with_logits(logits, 0.8 * labels + 0.1)
    found = Objective(Head(3, "labels", None)).loss(logits, labels, 0.2)
    assert torch.allclose(found, expected)


def test_values_are_not_smoothed() -> None:
    objective = Objective(Head(1, "values", None))
    logits, labels = torch.zeros(3, 1), torch.ones(3, 1)
    assert objective.loss(logits, labels, 0.5) == objective.loss(logits, labels)


def test_a_warm_up_rises_to_the_schedule() -> None:
    usual, warm = fw.Settings(first_restart=4), fw.Settings(first_restart=4, warm_up=2.0)
    for step in range(40):
        share = min(1.0, (step + 1) / 20)
        assert rate_at(warm, 10, step) == pytest.approx(share * rate_at(usual, 10, step))


def test_a_long_gradient_is_shortened_and_a_short_one_kept() -> None:
    lengths = torch.tensor([0.0, 1.0, 4.0])
    assert torch.allclose(shortened(lengths, 2.0), torch.tensor([1.0, 1.0, 0.5]))


def test_a_decoupled_penalty_shrinks_what_no_gradient_moves() -> None:
    """With a rate of r and a penalty of p every step leaves 1 - r * p of a weight."""
    settings = QUICK.with_options(
        epochs=1, batch=30, max_learning_rate=1e-4, min_learning_rate=1e-4, first_restart=1
    )
    before = fw.train(FIXED, problem(45), settings=settings).weights
    after = fw.train(FIXED, problem(45), settings=settings, decoupled_decay=900.0).weights
    assert abs(after["head.W"]).max() == pytest.approx(0.91 * abs(before["head.W"]).max(), rel=2e-3)


@pytest.mark.parametrize(
    ("tune", "message"),
    [
        ("weight_decay", "has no value"),
        ("weight_decay = high", "`high` in `tune` is no number"),
        ("weight_decay = 0.1 | 1e-1", "a value twice"),
        ("batch = 8 | 16", "`batch` cannot be searched"),
        ("weight_decay = 0.1, weight_decay = 0.2", "names `weight_decay` twice"),
        ("weight_decay = -1", "not from 0 to 1,000"),
        ("clipping = " + " | ".join(map(str, range(1001))), "1,001 combinations"),
    ],
)
def test_what_cannot_be_searched_is_diagnosed(tune: str, message: str) -> None:
    with pytest.raises(fw.DiagnosticError, match=message):
        fw.Settings(tune=tune)


def test_settings_stay_beside_a_genotype_that_is_trained_where_it_was_found(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", **problem(90))
    (tmp_path / "space.fuse").write_text(str(spec()), encoding="utf-8")
    short = ("--candidates", "2", "--trial-epochs", "2", "--batch", "16", "--tune", "warm_up = 0.5")
    given = ("--data", "data.npz", "--out")
    command(
        tmp_path, "search", "space.fuse", *given, "run", *short, "--no-controls", "--folds", "1"
    )
    for out in ("run", "other"):
        command(tmp_path, "train", "run/genotype.fuse", *given, out)
        found = read_settings(tmp_path / out / "train.toml")
        assert (found.epochs, found.batch, found.warm_up) == (2, 16, 0.5)
    copied = tmp_path / "copied"
    copied.mkdir()
    copy(tmp_path / "run" / "genotype.fuse", copied / "net.fuse")
    said = command(tmp_path, "train", "copied/net.fuse", *given, "usual", "--epochs", "1")
    assert "train_loss" in said
    copy(tmp_path / "run" / "genotype.toml", copied)
    command(tmp_path, "train", "copied/net.fuse", *given, "again")
    assert read_settings(tmp_path / "again" / "train.toml").warm_up == 0.5
