"""Robustness: the metric along the share of samples that lack modalities, kept and reported."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest

import fusewright as fw
from fusewright.runtime.data.split import TEST
from fusewright.runtime.predict.comparison import intervals, scored
from fusewright.runtime.predict.robustness import MASKS, SHARES
from fusewright.runtime.report.build import report
from fusewright.runtime.runs.controls import Control, Controls
from fusewright.runtime.runs.missing import read_robustness
from fusewright.runtime.training.ensemble import train_ensemble
from fusewright.runtime.training.together import train_all

from ...support.ensembles import ensemble
from ...support.running import QUICK, Arrays, changed, command, problem, spec

FIXED = "cell K(A, D) { S = Sum(x, y) } output K, B"
ONE = "modality left { A[c 3] B[t *, c 5] } modality right optional { D[c 4] }"
BOTH = "modality left optional { A[c 3] B[t *, c 5] } modality right optional { D[c 4] }"
DATA: Arrays = {
    **problem(90), "left.present": np.random.default_rng(1).random(90) < 0.6,
    "B.lengths": np.arange(90) % 2 + 1, "groups": np.arange(90) // 2,
}  # fmt: skip
TESTED = np.flatnonzero(DATA["split"] == TEST)
SETTINGS = QUICK.with_options(epochs=8, modality_dropout=0.2)


def trained(place: Path, features: str, kind: str = "classes") -> Path:
    predict = {"classes": "3 classes", "labels": "3 labels", "values": "1 values"}[kind]
    network = spec(FIXED, features=features, predict=predict)
    fw.train(network, {**DATA, **problem(90, kind)}, out=place, settings=SETTINGS)
    return place


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("robust") / "run", BOTH)


def test_curves_begin_with_what_data_are_and_end_without_a_modality(run: Path) -> None:
    found = fw.robustness(run, DATA)
    assert [curve.modalities for curve in found.curves] == [
        ("left",),
        ("right",),
        ("left", "right"),
    ]
    assert (found.metric, found.samples, found.masks) == ("accuracy", len(TESTED), MASKS)
    whole = fw.evaluate(run, DATA)["accuracy"]
    for curve in found.curves:
        assert tuple(point.share for point in curve.points) == SHARES
        assert curve.points[0].score == pytest.approx(whole)
        absent = {f"{name}.present": np.zeros(90) for name in curve.modalities}
        without = fw.evaluate(run, {**DATA, **absent})["accuracy"]
        assert curve.points[-1].score == pytest.approx(without)
        assert all(point.low <= point.score <= point.high for point in curve.points)
    right = found.curves[1].points
    assert right[0].score > right[5].score > right[10].score
    assert fw.robustness(run, DATA) == found
    assert fw.robustness(run, DATA, seed=1) != found


def test_a_point_is_the_mean_of_networks_given_data_without_what_is_drawn(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both modalities lack by themselves: what is computed once is what it gives at a time."""
    monkeypatch.setattr("fusewright.runtime.predict.robustness.MASKS", 2)
    generator = np.random.default_rng(3)
    scores = list[float]()
    for _ in range(2):
        arrays = {**DATA, "right.present": np.ones(90, np.int64)}
        for name in ("left", "right"):
            present = np.array(arrays[f"{name}.present"], np.int64)
            there = np.flatnonzero(present[TESTED])
            order = generator.permutation(len(there))
            present[TESTED[there[(order + 0.5) / len(there) < 0.5]]] = 0
            arrays[f"{name}.present"] = present
        scores.append(fw.evaluate(run, arrays)["accuracy"])
    found = fw.robustness(run, DATA, seed=3)
    assert found.curves[-1].points[5].score == pytest.approx(np.mean(scores))


@pytest.mark.parametrize("kind", ["labels", "values"])
def test_every_kind_of_head_has_curves(tmp_path: Path, kind: str) -> None:
    arrays = {**DATA, **problem(90, kind)}
    run = trained(tmp_path / "run", ONE, kind)
    fw.deploy(run, tmp_path / "network.onnx")
    found, exported = (fw.robustness(m, arrays) for m in (run, tmp_path / "network.onnx"))
    (curve,) = found.curves
    assert found.needed == ("left",)
    assert curve.points[0].score == pytest.approx(fw.evaluate(run, arrays)[found.metric], rel=1e-4)
    for one, other in zip(curve.points, exported.curves[0].points, strict=True):
        assert one.score == pytest.approx(other.score, rel=1e-4)


def test_a_value_that_does_not_vary_has_no_curve(tmp_path: Path) -> None:
    run, arrays = trained(tmp_path / "run", ONE, "values"), {**DATA, **problem(90, "values")}
    arrays["labels"] = np.where((DATA["split"] == TEST)[:, None], 1, arrays["labels"])
    with pytest.raises(fw.DiagnosticError, match="`r2` of the test split is no number") as caught:
        fw.robustness(run, arrays)
    assert [d.code for d in caught.value.diagnostics] == ["E503"]


def test_intervals_are_those_of_a_share() -> None:
    right = np.random.default_rng(0).random((3, 400)) < 0.7
    outputs, labels = np.eye(2)[right.astype(np.int64)], np.ones(400, np.int64)
    (one, other) = intervals([scored("classes", o, labels) for o in (outputs, outputs[:1])])
    assert one.mean == pytest.approx(right.mean())
    deviation = np.sqrt(right[0].mean() * (1 - right[0].mean()) / 400)
    assert other.high - other.low == pytest.approx(2 * 1.96 * deviation, rel=0.1)
    assert one.high - one.low < other.high - other.low
    pairs = [scored("classes", outputs, labels)]
    (grouped,) = intervals(pairs, np.arange(400) // 40)
    assert grouped.mean == pytest.approx(one.mean)


def test_an_ensemble_has_curves(tmp_path: Path) -> None:
    members = ensemble()
    together = type(members)(
        tuple(
            type(m)(fw.loads(str(m.genotype).replace("modality right", "modality right optional")),
                    m.weight)
            for m in members.members
        )
    )  # fmt: skip
    arrays = changed(DATA, **{"left.present": None})
    train_ensemble(together, arrays, out=tmp_path / "run", settings=QUICK)
    (curve,) = fw.robustness(tmp_path / "run", arrays).curves
    assert curve.points[0].score == pytest.approx(fw.evaluate(tmp_path / "run", arrays)["accuracy"])


def test_a_modality_that_the_network_does_not_take_is_said(tmp_path: Path) -> None:
    network = spec("cell K(A, B) { S = Sum(x, y) } output K", features=ONE)
    fw.train(network, DATA, out=tmp_path / "run", settings=QUICK)
    with pytest.warns(fw.DataWarning, match="the network takes no feature of `right`"):
        (curve,) = fw.robustness(tmp_path / "run", DATA).curves
    assert len({point.score for point in curve.points}) == 1


def test_what_is_not_optional_cannot_be_missing(tmp_path: Path) -> None:
    fw.train(spec(FIXED), problem(90), out=tmp_path / "run", settings=QUICK)
    with pytest.raises(fw.DiagnosticError, match="none is optional") as caught:
        fw.robustness(tmp_path / "run", problem(90))
    (found,) = caught.value.diagnostics
    assert (found.code, str(found.help)) == (
        "E506", "write `modality left optional { … }`, and train it anew",
    )  # fmt: skip


@pytest.fixture(scope="module")
def measured(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was evaluated where modalities are missing, beside its data."""
    place = tmp_path_factory.mktemp("measured")
    copytree(run, place / "run")
    np.savez(place / "data.npz", **DATA)
    shown = command(place, "evaluate", "run", "--data", "data.npz", "--missing")
    lines = shown.splitlines()
    start = lines.index("accuracy where samples lack modalities (95 % intervals):") + 2
    assert [line.split()[0] for line in lines[start:]] == [f"{share:.0%}" for share in SHARES]
    return place


def test_what_was_measured_is_kept_and_printed(measured: Path) -> None:
    found = read_robustness(measured / "run")
    assert found is not None
    assert (found.metric, len(found.curves), len(found.data)) == ("accuracy", 3, 64)
    printed = command(measured, "evaluate", "run", "--data", "data.npz", "--missing", "--json")
    assert json.loads(printed)["missing"] == json.loads(json.dumps(found.as_json()))
    again = read_robustness(measured / "run")
    assert again == found
    assert not (measured / "run/run.lock").exists()


def test_a_report_draws_it(measured: Path) -> None:
    made = report([measured / "run"])
    (facts,) = made.facts["missing"]
    assert facts["run"] == str(measured / "run")
    page = str(made.page)
    assert page.count("class='band c") == 3
    assert "without left or right" in page
    assert "line dashed" not in page


def test_controls_of_the_modality_that_is_left_stand_beside(run: Path, tmp_path: Path) -> None:
    place = tmp_path / "run"
    space = spec(features=BOTH)
    result = fw.search(space, DATA, out=place, settings=QUICK)
    fw.train(result.genotype, DATA, out=place, settings=SETTINGS)
    rows = tuple(
        Control(name, score, (score,), 1.0)
        for name, score in (("found genotype", 0.9), ("left alone", 0.61), ("right alone", 0.62))
    )
    Controls("accuracy", 2, 1.0, 0, rows).write(place)
    fw.robustness(place, DATA).keep(place)
    page = str(report([place]).page)
    assert "a network of left alone</bdi><span class='value'>0.6100" in page
    assert "a network of right alone</bdi><span class='value'>0.6200" in page


def test_what_is_measured_of_other_weights_is_refused(measured: Path, tmp_path: Path) -> None:
    copytree(measured / "run", tmp_path / "run")
    network = fw.load(tmp_path / "run/genotype.fuse")
    other = tmp_path / "other"
    fw.train(network, DATA, out=other, settings=SETTINGS.with_options(seed=5))
    (other / "missing.json").write_bytes((tmp_path / "run/missing.json").read_bytes())
    with pytest.raises(fw.DiagnosticError, match="is not of the run") as caught:
        report([other])
    assert "--missing" in str(caught.value.diagnostics[0].help)
    fw.train(network, DATA, out=tmp_path / "run", settings=SETTINGS, overwrite=True)
    assert not (tmp_path / "run/missing.json").exists()


@pytest.mark.parametrize("content", ["", "[]", '{"curves": []}', '{"metric": NaN}'])
def test_a_damaged_record_is_diagnosed(measured: Path, tmp_path: Path, content: str) -> None:
    copytree(measured / "run", tmp_path / "run")
    (tmp_path / "run/missing.json").write_text(content)
    with pytest.raises(fw.DiagnosticError, match="is damaged") as caught:
        report([tmp_path / "run"])
    assert [d.code for d in caught.value.diagnostics] == ["E507"]


def test_an_onnx_file_is_measured_and_nothing_is_kept(run: Path, tmp_path: Path) -> None:
    fw.deploy(run, tmp_path / "network.onnx")
    np.savez(tmp_path / "data.npz", **DATA)
    command(tmp_path, "evaluate", "network.onnx", "--data", "data.npz", "--missing")
    assert not [*tmp_path.rglob("missing.json")]


def test_networks_that_learn_without_modalities_do_better_without_them() -> None:
    """Two modalities that say the same, one of them less clearly: the mean over three seeds."""
    generator, labels = np.random.default_rng(0), np.arange(240) % 3
    arrays: Arrays = {"labels": labels, "split": np.arange(240) // 3 % 2 * 2}
    for name, clarity in (("A", 3.0), ("D", 0.8)):
        means = clarity * np.random.default_rng([*name.encode()]).normal(size=(3, 8))
        arrays[name] = (means[labels] + generator.normal(size=(240, 8))).astype(np.float32)
    network = fw.loads(
        "network n(C = 8, L = 1) use bmnas modality left optional { A[c 8] } "
        "modality right optional { D[c 8] } cell K(A, D) { S = ConcatFC(x, y) } predict 3 classes"
    )
    given = fw.Settings(epochs=20, batch=32, max_learning_rate=0.02, threads=1)
    scores: dict[float, list[float]] = {0.0: [], 0.3: []}
    for dropout, found in scores.items():
        each = [given.with_options(modality_dropout=dropout, seed=seed) for seed in range(3)]
        for result in train_all([network] * 3, arrays, each):
            left = fw.robustness(network, arrays, weights=result.weights).curves[0]
            found.append(left.points[SHARES.index(0.5)].score)
    assert np.mean(scores[0.3]) > np.mean(scores[0.0]) + 0.1
