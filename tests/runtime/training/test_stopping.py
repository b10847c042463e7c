"""Early stopping: what is learned, when it ends, what is kept, and that it goes on as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import fusewright as fw
from fusewright.runtime.predict.teach import soft_targets
from fusewright.runtime.report.build import report
from fusewright.runtime.training.ensemble import train_ensemble
from fusewright.runtime.training.together import train_seeds
from tests.runtime.training.test_course import files, stop
from tests.support.ensembles import ensemble
from tests.support.running import FIXED, changed, command, problem, spec

NETWORK = spec(FIXED)
NOISE = np.random.default_rng(0).integers(0, 3, 90)
DATA = changed(problem(), labels=np.where(np.arange(90) % 4 == 0, NOISE, problem()["labels"]))
"""Some labels are by chance, so that what is learned of them is of no use to others."""
OVERFITTING: dict[str, Any] = {"epochs": 40, "batch": 16, "max_learning_rate": 0.03, "patience": 3}


def learned(out: Path | None = None, **options: Any) -> Any:
    return fw.train(NETWORK, DATA, out=out, **{**OVERFITTING, **options})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("stopped") / "run"
    learned(place, averaging=0.5)
    return place


def losses(result: Any) -> list[float]:
    return [record["validation_loss"] for record in result.history]


def test_it_ends_after_its_patience_and_keeps_the_best() -> None:
    result = learned()
    best = result.history[-1]["best_epoch"]
    assert len(result.history) == best + 3 < 40
    assert int(np.argmin(losses(result))) + 1 == best
    short = learned(epochs=best, patience=40)
    for name, array in short.weights.items():
        assert np.array_equal(array, result.weights[name]), name


def test_what_is_recorded_is_the_loss_of_what_is_kept() -> None:
    result = learned()
    at_best = result.history[result.history[-1]["best_epoch"] - 1]
    held = DATA["split"] == 1
    logits = fw.predict(NETWORK, DATA, weights=result.weights)[held]
    given, truth = torch.from_numpy(logits), torch.from_numpy(DATA["labels"][held])
    expected = float(torch.nn.functional.cross_entropy(given, truth))
    assert at_best["validation_loss"] == pytest.approx(expected, abs=1e-4)
    right = float((logits.argmax(1) == DATA["labels"][held]).mean())
    assert at_best["validation_accuracy"] == pytest.approx(right)


def test_validation_is_not_learned() -> None:
    """Other labels of validation samples change when it ends, and nothing else."""
    held = DATA["split"] == 1
    other = changed(DATA, labels=np.where(held, (DATA["labels"] + 1) % 3, DATA["labels"]))
    settings = fw.Settings().with_options(**OVERFITTING).with_options(epochs=2)
    first, second = (fw.train(NETWORK, data, settings=settings) for data in (DATA, other))
    assert [r["train_loss"] for r in first.history] == [r["train_loss"] for r in second.history]
    assert losses(first) != losses(second)


def test_it_goes_on_from_any_batch(run: Path, tmp_path: Path) -> None:
    whole = files(run)
    epochs = len(whole["history.jsonl"].splitlines())
    best = json.loads(whole["history.jsonl"].splitlines()[-1])["best_epoch"]
    for batches in (1, 2 * best + 1, 2 * epochs - 1):
        place = tmp_path / str(batches)
        stop(lambda out, **o: learned(out, averaging=0.5, **o), place, batches)
        learned(place, averaging=0.5, resume=True)
        assert files(place) == whole


@pytest.mark.parametrize("best", [0, 2, None, 1.5])
def test_a_checkpoint_without_its_best_is_diagnosed(best: Any, tmp_path: Path) -> None:
    stop(learned, tmp_path, 3)
    file = tmp_path / "training.pt"
    content = torch.load(file, weights_only=True)
    record = json.loads(content["state"]["history"])
    content["state"]["history"] = json.dumps({**record, "best_epoch": best}) + "\n"
    torch.save(content, file)
    with pytest.raises(fw.DiagnosticError) as error:
        learned(tmp_path, resume=True)
    assert error.value.diagnostics[0].code == "E507"


def test_a_teacher_is_learned_from_and_labels_are_judged_by(run: Path) -> None:
    settings = fw.Settings().with_options(**OVERFITTING).with_options(epochs=2)
    soft = soft_targets(run, NETWORK, DATA, settings)
    result = fw.train(NETWORK, DATA, settings=settings, soft=soft)
    assert result.history[0]["validation_accuracy"] * 18 == pytest.approx(
        round(result.history[0]["validation_accuracy"] * 18)
    )


def test_seeds_stop_each_for_itself() -> None:
    first, second = train_seeds(NETWORK, DATA, (0, 1), **OVERFITTING)
    assert first.history == learned().history
    assert second.history == learned(seed=1).history


def test_members_of_an_ensemble_stop_each_for_itself(tmp_path: Path) -> None:
    given, done = ensemble(), list[tuple[int, int]]()
    result = train_ensemble(
        given,
        DATA,
        out=tmp_path / "run",
        member_seeds=1,
        progress=lambda at, count: done.append((at, count)),
        **OVERFITTING,
    )
    alone = [fw.train(one.genotype, DATA, settings=patient()) for one in given.members]
    for name, one in zip(given.named, alone, strict=True):
        for weight, array in one.weights.items():
            assert np.array_equal(array, result.weights[f"{name}.{weight}"]), weight
    assert len(result.history) == max(len(one.history) for one in alone)
    assert len({len(one.history) for one in alone}) > 1
    kept = [one.history[one.history[-1]["best_epoch"] - 1] for one in alone]
    shares = [one.weight for one in given.members]
    for name in ("train_loss", "validation_loss", "validation_accuracy"):
        mean = np.average([one[name] for one in kept], weights=shares)
        assert result.history[-1][name] == pytest.approx(mean)
    assert done[-1] == (120, 120)
    assert "means over its members" in report([tmp_path / "run"]).page


def patient() -> fw.Settings:
    return fw.Settings().with_options(**OVERFITTING)


def test_the_report_shows_the_curve(run: Path, tmp_path: Path) -> None:
    page = report([run]).page
    assert "training and validation loss over epochs" in page
    assert "validation accuracy over epochs" in page
    np.savez(tmp_path / "data.npz", **DATA)
    (tmp_path / "n.fuse").write_text(str(NETWORK))
    given = "--data data.npz --out r --epochs 4 --patience 1 --json".split()
    told = json.loads(command(tmp_path, "train", "n.fuse", *given))
    assert {"best_epoch", "validation_loss", "validation_accuracy"} <= told.keys()


def test_it_is_refused_where_it_has_no_effect(tmp_path: Path) -> None:
    with pytest.raises(fw.DiagnosticError, match="`validation_weight` has no effect with"):
        fw.Settings(patience=2, validation_weight=3)
