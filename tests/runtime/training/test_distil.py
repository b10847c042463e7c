"""Distillation: a network learns what a trained ensemble gives, beside the labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.network.network import Head
from fusewright.compiler.targets.numpy.network import probabilities_of
from fusewright.runtime.data.dataset import load_data
from fusewright.runtime.predict.teach import soft_targets
from fusewright.runtime.settings import Settings
from fusewright.runtime.training.distil import SoftTargets
from fusewright.runtime.training.ensemble import train_ensemble

from ...support.ensembles import BRIEF, PREDICTED, ensemble
from ...support.running import FIXED, as_npz, changed, command, problem, spec


@pytest.mark.parametrize("kind", PREDICTED)
def test_a_student_learns_what_its_teacher_gives(kind: Any, tmp_path: Path) -> None:
    """Of labels that say nothing, it learns the teacher's."""
    data, student = problem(kind=kind), spec(FIXED, predict=PREDICTED[kind])
    options: dict[str, Any] = {**BRIEF, "epochs": 12}
    train_ensemble(ensemble(kind), data, out=tmp_path / "e", **options)
    soft = soft_targets(tmp_path / "e", student, data, Settings())
    shuffled = changed(data, labels=np.random.default_rng(0).permutation(data["labels"]))
    metric = "r2" if kind == "values" else "f1_weighted"
    scores = [
        fw.evaluate(student, data, weights=fw.train(student, shuffled, soft=one, **options).weights)
        for one in (soft, None)
    ]
    assert scores[0][metric] > scores[1][metric] + 0.1


@pytest.mark.parametrize("kind", PREDICTED)
def test_targets_are_half_of_the_truth_and_half_of_the_teacher(kind: Any, tmp_path: Path) -> None:
    data, student = problem(kind=kind), spec(FIXED, predict=PREDICTED[kind])
    train_ensemble(ensemble(kind), data, out=tmp_path / "e", **BRIEF)
    soft = soft_targets(tmp_path / "e", student, data, Settings())
    given = fw.predict(tmp_path / "e", data)[soft.samples]
    shares = probabilities_of(given, Head(3, kind, None))
    assert np.allclose(soft.shares, shares, atol=1e-6)
    network = checked(student)
    known = load_data(data, network)
    truth = np.eye(3)[known.labels] if kind == "classes" else known.labels
    taught = soft.taught(known, network.head).labels
    assert np.allclose(taught[soft.samples], (truth[soft.samples] + shares) / 2, atol=1e-6)
    assert set(soft.samples) == set(known.indices(0, 1))


@pytest.mark.parametrize("kind", PREDICTED)
def test_a_teacher_that_says_the_truth_changes_nothing(kind: Any) -> None:
    student = spec(FIXED, predict=PREDICTED[kind])
    known = load_data(problem(kind=kind), checked(student))
    truth = np.eye(3)[known.labels] if kind == "classes" else known.labels
    every = np.arange(len(truth))
    soft = SoftTargets({}, every, truth.astype(np.float64))
    runs = [fw.train(student, problem(kind=kind), soft=one, **BRIEF) for one in (soft, None)]
    for name, array in runs[0].weights.items():
        assert np.allclose(array, runs[1].weights[name], rtol=1e-4, atol=1e-5)


def test_the_command_distils_and_records_its_teacher(tmp_path: Path) -> None:
    as_npz(problem(), tmp_path)
    (tmp_path / "s.fuse").write_text(str(spec(FIXED)), encoding="utf-8")
    train_ensemble(ensemble(), problem(), out=tmp_path / "e", **BRIEF)
    trained = ("--data", "data.npz", "--epochs", "2", "--batch", "16")
    command(tmp_path, "compile", "e", "-o", "e.onnx")
    for teacher in ("e", "e.onnx"):
        command(
            tmp_path, "train", "s.fuse", *trained, "--out", f"of_{teacher}", "--distil", teacher
        )
        record = json.loads((tmp_path / f"of_{teacher}" / "train.json").read_text("utf-8"))
        assert record["teacher"]["source"] == teacher
        assert record["teacher"]["files"]
    weights = [tmp_path / f"of_{teacher}" / "weights.safetensors" for teacher in ("e", "e.onnx")]
    scores = [fw.evaluate(spec(FIXED), problem(), weights=file) for file in weights]
    assert scores[0] == pytest.approx(scores[1])


def test_what_teaches_nothing_is_diagnosed(tmp_path: Path) -> None:
    student = spec(FIXED)
    train_ensemble(ensemble("labels"), problem(kind="labels"), out=tmp_path / "e", **BRIEF)

    def taught_by(teacher: str) -> None:
        soft_targets(tmp_path / teacher, student, problem(), Settings())

    with pytest.raises(fw.DiagnosticError, match="predicts 3 labels, and the network 3 classes"):
        taught_by("e")
    (tmp_path / "empty").mkdir()
    with pytest.raises(fw.DiagnosticError, match=r"has no `genotype.fuse`"):
        taught_by("empty")
    (tmp_path / "e" / "weights.safetensors").unlink()
    with pytest.raises(fw.DiagnosticError, match=r"has no `weights.safetensors`"):
        taught_by("e")
    with pytest.raises(fw.DiagnosticError, match="neither a run folder nor an ONNX file"):
        taught_by("nothing")
