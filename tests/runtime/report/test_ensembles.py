"""Ensembles in reports: of a search that found one, and of one that was trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import fusewright as fw
from fusewright.compiler.targets.diagram import EnsembleGraph, dot
from fusewright.runtime.report.build import report
from fusewright.runtime.runs.ensemble import read_ensemble
from fusewright.runtime.training.ensemble import train_ensemble

from ...support.ensembles import BRIEF, ensemble
from ...support.running import as_npz, command, problem, spec

FOLDS: dict[str, Any] = {
    "select": "folds", "candidates": 4, "rungs": 1, "trial_epochs": 2, "finalists": 2, "folds": 2,
    "batch": 16, "max_learning_rate": 0.02,
}  # fmt: skip


def test_a_search_with_an_ensemble_has_it_beside_its_genotype(tmp_path: Path) -> None:
    found = fw.search(spec(), problem(), out=tmp_path / "run", tensorboard=True, **FOLDS)
    result = report([tmp_path / "run"])
    assert found.ensemble is not None
    (facts,) = result.facts["ensembles"]
    assert facts["weights"] == [one.weight for one in found.ensemble.members]
    assert facts["the genotype"]["validation_accuracy"] is not None
    together = found.history[-1]["ensemble"]["validation_accuracy"]
    assert facts["ensemble"]["validation_accuracy"] == together
    assert "<h2>The ensemble</h2>" in result.page
    assert "of samples that no member learned" in result.page


def test_a_trained_ensemble_has_a_page(tmp_path: Path) -> None:
    as_npz(problem(), tmp_path)
    train_ensemble(ensemble(), problem(), out=tmp_path / "e", **BRIEF)
    command(tmp_path, "report", "e", "--data", "data.npz", "-o", "e.html")
    page = (tmp_path / "e.html").read_text(encoding="utf-8")
    assert "<h2>On the test split</h2>" in page
    assert "All of them read B, D, and have nothing in common" in page
    (facts,) = report([tmp_path / "e"]).facts["ensembles"]
    assert (facts["features"], facts["operations"]) == (["B", "D"], [])
    of_one, of_all = facts["the heaviest member"], facts["ensemble"]
    assert of_all["parameters"] > of_one["parameters"]
    assert of_all["milliseconds"] > of_one["milliseconds"] > 0
    assert "The ensemble takes" in page


def test_a_run_and_an_ensemble_are_compared_on_test(tmp_path: Path) -> None:
    train_ensemble(ensemble(), problem(), out=tmp_path / "e", **BRIEF)
    first = ensemble().members[0].genotype
    fw.train(first, problem(), out=tmp_path / "t", **BRIEF)
    result = report([tmp_path / "t", tmp_path / "e"], data=problem())
    names = [row["name"] for row in result.facts["test"]["accuracy"]]
    assert names == [str(tmp_path / "t"), f"{tmp_path / 'e'}, 3 networks"]


def test_members_that_differ_in_their_seed_are_shown_once(tmp_path: Path) -> None:
    options: dict[str, Any] = {**BRIEF, "member_seeds": 2}
    result = train_ensemble(ensemble(), problem(), out=tmp_path / "e", **options)
    graph = EnsembleGraph.of(result.ensemble)
    assert [*graph.graphs] == ["member_1, member_2", "member_3, member_4", "member_5, member_6"]
    assert [*graph.shares.values()] == pytest.approx([0.5, 0.25, 0.25])
    assert "the mean of 6 networks" in dot(graph)
    text = report([tmp_path / "e"]).page
    assert "The mean of what 6 networks predict" in text
    assert "member_5, member_6" in text


def test_an_ensemble_that_is_not_trained_is_diagnosed(tmp_path: Path) -> None:
    train_ensemble(ensemble(), problem(), out=tmp_path / "e", **BRIEF)
    (tmp_path / "e" / "weights.safetensors").unlink()
    assert read_ensemble(tmp_path / "e") == ensemble()
    with pytest.raises(fw.DiagnosticError, match=r"has no `weights.safetensors`"):
        report([tmp_path / "e"])
