"""Backbones and fusion network are trained together, as the settings say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.compiler.system.options import Limits, option
from fusewright.runtime.backbones.specification import with_shapes
from fusewright.runtime.deploy.joint import deploy_joint
from fusewright.runtime.joint.modalities import Extractor, raw_modalities
from fusewright.runtime.joint.settings import JointSettings
from fusewright.runtime.joint.train import JointResult, train_joint
from fusewright.runtime.training.train import train
from tests.support.backbones import OPTIONS
from tests.support.joint import ONE_BACKBONE, SPEC, raw_data

QUICK: dict[str, Any] = {"epochs": 2, "batch": 16, "max_learning_rate": 1e-2}
WEIGHT = "module:pictures/stages.0.convolution.weight"
MEAN = "module:pictures/stages.0.norm.running_mean"


def trained(**options: Any) -> JointResult:
    """A short joint training with two backbones of our own."""
    given: dict[str, Any] = {**QUICK, "backbone_learning_rate": 1e-3, **options}
    return train_joint(SPEC, raw_data(), backbones=OPTIONS, **given)


@pytest.fixture(scope="module")
def usual() -> JointResult:
    return trained()


def extracted() -> dict[str, NDArray[Any]]:
    """The features of the raw data, as backbones that are not trained give them."""
    spec = with_shapes(SPEC, OPTIONS)
    data = raw_data()
    modalities = raw_modalities(spec, OPTIONS, checked(spec))
    given = {k: torch.from_numpy(v) for k, v in data.items() if k not in ("labels", "split")}
    with torch.no_grad():
        found = Extractor(modalities).silenced(given)
    others = ("D", "labels", "split", "image.present")
    return {k: t.numpy() for k, t in found.items()} | {k: data[k] for k in others}


def test_what_is_held_out_stops_it_early_and_the_best_is_kept(usual: JointResult) -> None:
    patient: dict[str, Any] = {"epochs": 12, "max_learning_rate": 0.1, "patience": 2}
    found = trained(**patient)
    losses = [record["validation_loss"] for record in found.history]
    best = found.history[-1]["best_epoch"]
    assert int(np.argmin(losses)) + 1 == best
    assert len(losses) == best + 2 < 12
    short = trained(**{**patient, "epochs": best})
    assert found.identities == short.identities != usual.identities
    for one, other in ((found.weights, short.weights), (found.backbones, short.backbones)):
        assert all(np.array_equal(array, other[name]) for name, array in one.items())


def test_patience_without_moving_backbones_is_that_of_training_on_features() -> None:
    options: dict[str, Any] = {**QUICK, "epochs": 4, "patience": 1}
    joint = trained(backbone_learning_rate=0.0, **options)
    apart = train(with_shapes(SPEC, OPTIONS), extracted(), **options)
    for name in ("validation_loss", "best_epoch"):
        one, other = ([record[name] for record in r.history] for r in (joint, apart))
        assert one == pytest.approx(other, rel=1e-4)


@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_backbones_that_stay_as_they_are_give_what_training_on_features_gives(
    dropout: float,
) -> None:
    """The same numbers, whether features are stored or backbones stand in the loop."""
    joint = trained(backbone_learning_rate=0.0, modality_dropout=dropout)
    spec = with_shapes(SPEC, OPTIONS)
    apart = train(spec, extracted(), modality_dropout=dropout, **QUICK)
    losses = [[h["train_loss"] for h in run.history] for run in (joint, apart)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    for name, array in apart.weights.items():
        np.testing.assert_allclose(joint.weights[name], array, atol=1e-5)


def test_both_are_learned_and_statistics_stay(usual: JointResult) -> None:
    still = trained(backbone_learning_rate=0.0)
    assert usual.history[-1]["train_loss"] < usual.history[0]["train_loss"]
    assert not np.array_equal(usual.backbones[WEIGHT], still.backbones[WEIGHT])
    assert np.array_equal(usual.backbones[MEAN], np.zeros(4))
    assert str(usual.genotype) == str(with_shapes(SPEC, OPTIONS))


def test_statistics_run_where_that_is_asked_for() -> None:
    running = trained(batch_norm="running")
    assert np.abs(running.backbones[MEAN]).min() > 0


def test_computing_layers_twice_changes_no_number(usual: JointResult) -> None:
    again = trained(checkpointing=True)
    assert again.history == usual.history
    assert np.array_equal(again.backbones[WEIGHT], usual.backbones[WEIGHT])


def test_less_precision_is_near(usual: JointResult) -> None:
    lower = trained(precision="bfloat16")
    assert lower.history != usual.history
    assert lower.history[-1]["train_loss"] == pytest.approx(
        usual.history[-1]["train_loss"], rel=0.1
    )


def test_the_average_of_weights_is_of_backbones_too(usual: JointResult) -> None:
    averaged = trained(averaging=0.9)
    assert not np.array_equal(averaged.backbones[WEIGHT], usual.backbones[WEIGHT])
    assert np.array_equal(averaged.backbones[MEAN], np.zeros(4))


def test_samples_lack_modalities_while_backbones_learn(usual: JointResult) -> None:
    without = trained(modality_dropout=0.4)
    assert not np.array_equal(without.backbones[WEIGHT], usual.backbones[WEIGHT])


# What does not fit


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": None}, "the data has no array `image` for `module:pictures`"),
        ({"image": np.zeros((48, 3, 8, 8))}, "`image` is (48, 3, 8, 8) in the data, and "),
        ({"image": np.full((48, 3, 16, 16), np.nan)}, "`image` is not of finite numbers"),
        ({"text": np.full((48, 6), 32)}, "`text` is not of whole numbers below 32"),
        ({"text": np.zeros((48, 6))}, "`text` is not of whole numbers below 32"),
        ({"text.lengths": np.full(48, 7)}, "`text.lengths` is not (samples,) whole numbers from"),
        ({"D": np.zeros((47, 4))}, "arrays differ in their number of samples"),
        ({"labels": np.full(48, 3)}, "`labels` are whole numbers from 3 to 3"),
    ],
)
def test_raw_data_that_do_not_fit_are_refused(changes: dict[str, Any], message: str) -> None:
    data = {name: array for name, array in {**raw_data(), **changes}.items() if array is not None}
    with pytest.raises(DiagnosticError) as error:
        train_joint(SPEC, data, backbones=OPTIONS, **QUICK)
    assert error.value.diagnostics[0].message.startswith(message)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_norm": "moving"}, "unknown batch norm `moving`"),
        (
            {"backbone_learning_rate": -1.0},
            "the setting `backbone_learning_rate` is -1.0, not from 0 ",
        ),
        ({"batch_norm": "running", "checkpointing": True}, "statistics that run would count "),
    ],
)
def test_settings_that_cannot_be_used_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(DiagnosticError) as error:
        trained(**options)
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "E506"
    assert diagnostic.message.startswith(message)


def test_every_setting_is_held_against_its_own_limits() -> None:
    @dataclass(frozen=True, kw_only=True)
    class More(JointSettings):
        share: float = option(0.5, "A share.", read_by=("train",), limits=Limits(0.1, 1))

    assert More().share == 0.5
    with pytest.raises(DiagnosticError, match=r"the setting `share` is 2\.0, not from 0\.1 to 1"):
        More(share=2.0)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (' optional from "module:pictures"', "", "the feature `A` has no shape"),
        ("modality image", "modality B", "`B` is declared twice"),
        ("modality image", "modality W", "`W` is declared twice"),
    ],
)
def test_specifications_that_cannot_be_joined_are_refused(
    before: str, after: str, message: str
) -> None:
    spec = fw.loads(str(SPEC).replace(before, after))
    with pytest.raises(DiagnosticError):
        train_joint(spec, raw_data(), backbones=OPTIONS, **QUICK)
    assert JointSettings().batch_norm == "frozen"
    assert message


def test_one_modality_is_not_taken() -> None:
    spec = fw.loads(ONE_BACKBONE.replace("picture", "pictures").replace('"0"', '"stages.0"'))
    spec = fw.loads(str(spec).replace('"3"', '"stages.1"'))
    data = {n: a for n, a in raw_data().items() if n in ("image", "labels", "split")}
    with pytest.raises(DiagnosticError, match="has one modality, which `modality_dropout` cannot"):
        train_joint(spec, data, backbones=OPTIONS, modality_dropout=0.5, **QUICK)


HEADS = """network heads(C = 4, L = 2)
modality image from "module:pictures" { A at "stages.0" }
modality more { D[c 4] }
output A, D
predict group 3 classes
predict size(A, weight = 2) 1 values
"""


@pytest.mark.filterwarnings("ignore::fusewright.DataWarning")
def test_several_heads_are_learned_with_backbones_and_given_by_one_file(tmp_path: Path) -> None:
    names, raw = ("image", "D", "labels", "split"), raw_data()
    data = {name: raw[name] for name in names}
    data["size.labels"] = 2.0 * raw["labels"] + raw["D"][:, 0]
    run = tmp_path / "run"
    given: dict[str, Any] = {"joint": True, "backbones": OPTIONS}
    result = train_joint(
        fw.loads(HEADS), data, out=run, backbones=OPTIONS, backbone_learning_rate=1e-3, **QUICK
    )
    assert result.history[-1]["train_loss"] < result.history[0]["train_loss"]
    assert {"group.accuracy", "size.r2", "score"} <= fw.evaluate(run, data, **given).keys()
    logits = fw.predict(run, data, **given)
    assert logits.shape == (len(raw["labels"]), 4)
    deploy_joint(run, tmp_path / "n.onnx", backbones=OPTIONS)
    assert np.allclose(fw.predict(tmp_path / "n.onnx", data, joint=True), logits, atol=1e-5)


def test_statistics_that_run_are_of_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fusewright.runtime.joint.train.joined", lambda: True)
    with pytest.raises(DiagnosticError, match="statistics that run are of one process"):
        trained(batch_norm="running")
