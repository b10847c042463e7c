"""Trainings that are stopped or killed, and go on as if they had not been."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import fusewright as fw
from fusewright.runtime.joint.train import train_joint
from fusewright.runtime.training import course
from fusewright.runtime.training.kept import KeptRun
from tests.support.backbones import OPTIONS
from tests.support.joint import SPEC, raw_data
from tests.support.killed_training import KINDS, MOMENTS
from tests.support.paths import ROOT
from tests.support.running import FIXED, changed, problem, spec
from tests.support.stopping import stop_after

SHORT: dict[str, Any] = {"epochs": 3, "batch": 16, "averaging": 0.9}
NETWORK = spec(FIXED)


def alone(out: Path, **options: Any) -> Any:
    return fw.train(NETWORK, problem(48), out=out, **{**SHORT, **options})


def together(out: Path, **options: Any) -> Any:
    given: dict[str, Any] = {
        **SHORT,
        "backbone_learning_rate": 1e-3,
        "modality_dropout": 0.3,
        **options,
    }
    return train_joint(SPEC, raw_data(), out=out, backbones=OPTIONS, **given)


def files(run: Path) -> dict[str, bytes]:
    """The files of a run; a lock and drafts are of one process."""
    every = (file for file in run.iterdir() if file.is_file() and file.name != "run.lock")
    return {file.name: file.read_bytes() for file in every}


def stop(train: Callable[..., Any], run: Path, batches: int, **options: Any) -> None:
    """Begins a training that is asked to stop after so many batches."""
    with pytest.MonkeyPatch.context() as patched:
        stop_after(batches, patched)
        with pytest.raises(fw.DiagnosticError, match="the training was stopped in epoch") as error:
            train(run, **options)
    assert error.value.diagnostics[0].code == "E510"


@pytest.mark.parametrize("train", [alone, together])
def test_a_training_goes_on_from_any_batch(train: Callable[..., Any], tmp_path: Path) -> None:
    train(tmp_path / "whole")
    whole = files(tmp_path / "whole")
    assert "training.pt" not in whole
    for batches in (1, 2, 5):
        run = tmp_path / str(batches)
        stop(train, run, batches)
        assert [*files(run)] == ["training.pt"]
        heard: list[dict[str, Any]] = []
        result = train(run, resume=True, report=heard.append)
        assert files(run) == whole
        assert tuple(heard) == result.history


def test_a_training_that_is_killed_is_the_training_that_was_not(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.support.killed_training", str(tmp_path)]
    done = subprocess.run(
        command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(MOMENTS)] * len(KINDS)
    for name in KINDS:
        whole = files(tmp_path / name / "run")
        for moment in range(MOMENTS):
            assert files(tmp_path / f"{name}{moment}/run") == whole, (name, moment)


def test_checkpoints_take_little_of_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after the first epoch, and then none while writing has taken more than its share."""
    clock = iter(range(100))
    written: list[float] = []
    monkeypatch.setattr(course, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr(KeptRun, "write", lambda self, state: written.append(next(clock)))
    monkeypatch.setattr(course, "WRITING", 0.5)
    alone(tmp_path / "run", epochs=12)
    assert written == [1, 7, 13]  # asked at 0, 3, 4, 5, 6, …: two seconds of writing, four of none


# What does not go on


def test_a_training_goes_on_with_what_it_was_begun_with(tmp_path: Path) -> None:
    stop(together, tmp_path, 4)
    other = raw_data(seed=1)
    for named, options in (
        ("seed", {"seed": 1}),
        ("options", {"batch_norm": "running"}),
        ("options", {"backbone_learning_rate": 1e-2}),
        ("weights", {"weights": {"head.b": np.zeros(3, np.float32)}}),
    ):
        with pytest.raises(fw.DiagnosticError, match=f"another `{named}`"):
            together(tmp_path, resume=True, **options)
    with pytest.raises(fw.DiagnosticError, match="another `"):
        train_joint(
            SPEC, other, out=tmp_path, backbones=OPTIONS, resume=True, modality_dropout=0.3,
            backbone_learning_rate=1e-3, **SHORT,
        )  # fmt: skip


def test_a_training_that_was_stopped_is_not_replaced_quietly(tmp_path: Path) -> None:
    stop(alone, tmp_path, 4)
    for stage in (alone, lambda out: fw.search(spec(), problem(48), out=out, epochs=1)):
        with pytest.raises(fw.DiagnosticError, match="holds a training that was stopped") as error:
            stage(tmp_path)
        assert error.value.diagnostics[0].code == "E510"
    alone(tmp_path, epochs=1, overwrite=True)
    with pytest.raises(fw.DiagnosticError, match="a training that is finished, without a check"):
        alone(tmp_path, epochs=1, resume=True)
    with pytest.raises(fw.DiagnosticError, match="there is no run folder to resume from"):
        fw.train(NETWORK, problem(48), resume=True)


def _state(checkpoint: Path) -> dict[str, Any]:
    content: dict[str, Any] = torch.load(checkpoint, weights_only=True)
    return content


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("held/backbones.backbones.0.stages.0.norm.running_mean", torch.zeros(3), "a tensor (4,)"),
        ("held/head.b", None, "no `head.b`"),
        ("epoch/passes", 2, "as many as there are records"),
        ("history", "", "as many as there are records"),
        ("optimiser/steps", 1, "as many as there were losses"),
        ("more", 1, "has a `more`, which is not known here"),
    ],
)
def test_a_damaged_checkpoint_is_diagnosed(
    path: str, value: Any, message: str, tmp_path: Path
) -> None:
    stop(together, tmp_path, 4)
    file = tmp_path / "training.pt"
    content = _state(file)
    *inner, last = path.split("/")
    place = content["state"]
    for key in inner:
        place = place[key]
    place[last] = value
    if value is None:
        del place[last]
    torch.save(content, file)
    with pytest.raises(fw.DiagnosticError) as error:
        together(tmp_path, resume=True)
    assert message in str(error.value)
    assert error.value.diagnostics[0].code == "E507"


def test_features_and_training_share_a_search_folder(tmp_path: Path) -> None:
    """A training that is kept leaves the checkpoint of its search, and what belongs to that."""
    space = spec("cell K(A, D) { S = ?(x, y) } output K, B")
    found = fw.search(
        space, problem(48), out=tmp_path, strategy="random", candidates=2, trial_epochs=1
    )
    searched = {p: p.read_bytes() for p in tmp_path.rglob("*.pt")}
    assert searched

    def trained(out: Path, **options: Any) -> Any:
        return fw.train(found.genotype, problem(48), out=out, **{**SHORT, **options})

    stop(trained, tmp_path, 4)
    trained(tmp_path, resume=True)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*.pt")} == searched


def test_arrays_that_are_changed_are_other_data(tmp_path: Path) -> None:
    stop(alone, tmp_path, 4)
    data = changed(problem(48), A=problem(48)["A"] + 1)
    with pytest.raises(fw.DiagnosticError, match="another `data`"):
        fw.train(NETWORK, data, out=tmp_path, resume=True, **SHORT)
