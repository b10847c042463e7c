"""Ensembles as files: one model of all members, which gives the mean of what they predict."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray

import fusewright as fw
from fusewright.compiler.network.network import Head
from fusewright.compiler.program.join import member_name
from fusewright.compiler.targets.ensemble import EnsembleSubject
from fusewright.compiler.targets.numpy.network import NumpyNetwork, probabilities_of
from fusewright.compiler.targets.onnx.export import compile_onnx
from fusewright.compiler.targets.onnx.file import OnnxFile
from fusewright.compiler.targets.onnx.options import OPSETS, OnnxOptions
from fusewright.compiler.targets.onnx.session import open_session, run
from fusewright.runtime.runs.ensemble import read_ensemble
from fusewright.runtime.training.ensemble import train_ensemble

from ...support.ensembles import BRIEF, PREDICTED, ensemble, trained
from ...support.running import as_npz, command, problem


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained ensemble `e` beside its data."""
    place = tmp_path_factory.mktemp("ensemble")
    as_npz(problem(), place)
    train_ensemble(ensemble(), problem(), out=place / "e", **BRIEF)
    return place


@cache
def subject(kind: str = "classes") -> EnsembleSubject:
    return EnsembleSubject.of(ensemble(kind), trained(kind).weights)


def inputs(kind: str = "classes") -> dict[str, NDArray[Any]]:
    return {name: array for name, array in problem(kind=kind).items() if name in "ABD"}


def mean_of_members(kind: Any) -> NDArray[np.float64]:
    """What each member gives alone, averaged: probabilities, or values."""
    total: Any = 0.0
    for name, one in ensemble(kind).named.items():
        prefix = member_name(name, "")
        own = {n.removeprefix(prefix): a for n, a in trained(kind).weights.items() if prefix in n}
        logits = fw.predict(one.genotype, problem(kind=kind), weights=own).astype(np.float64)
        total += one.weight * probabilities_of(logits, Head(3, kind, None))
    return np.asarray(total)


@pytest.mark.parametrize("kind", PREDICTED)
def test_an_ensemble_gives_the_mean_of_its_members(kind: Any, tmp_path: Path) -> None:
    data = problem(kind=kind)
    train_ensemble(ensemble(kind), data, out=tmp_path / "e", **BRIEF)
    facts = fw.deploy(tmp_path / "e", tmp_path / "e.onnx")
    assert all(c["verdict"] == "passes" for c in facts["comparisons"])
    logits = fw.predict(tmp_path / "e.onnx", data)
    found = probabilities_of(logits.astype(np.float64), Head(3, kind, None))
    assert np.abs(found - mean_of_members(kind)).max() < 1e-5
    assert np.abs(logits - fw.predict(tmp_path / "e", data)).max() < 1e-5
    scores = [fw.evaluate(tmp_path / model, data) for model in ("e", "e.onnx")]
    assert scores[0] == pytest.approx(scores[1], abs=1e-5)


@pytest.mark.parametrize("kind", PREDICTED)
@pytest.mark.parametrize("opset", OPSETS)
def test_every_opset_gives_the_mean(kind: Any, opset: int) -> None:
    model = compile_onnx(subject(kind), OnnxOptions(opset=opset, inline=opset % 2 == 0))
    expected = NumpyNetwork(subject(kind).program, subject(kind).arrays)(inputs(kind))
    found = run(open_session(model.SerializeToString()), inputs(kind))
    assert np.abs(found - expected).max() < 1e-5 * max(1, np.abs(expected).max())


@pytest.mark.parametrize("kind", ["classes", "labels"])
def test_probabilities_are_the_mean(kind: Any) -> None:
    model = compile_onnx(subject(kind), OnnxOptions(probabilities=True))
    found = run(open_session(model.SerializeToString()), inputs(kind))
    assert np.abs(found - mean_of_members(kind)).max() < 1e-6


@pytest.mark.parametrize("kind", ["classes", "labels"])
def test_no_probability_is_too_small(kind: Any) -> None:
    """Where every member is certain, the logits of the mean are finite, and as far apart."""
    certain = {
        name: 200 * a if ".head." in name else a for name, a in trained(kind).weights.items()
    }
    one = EnsembleSubject.of(ensemble(kind), certain)
    expected = NumpyNetwork(one.program, one.arrays)(inputs(kind))
    assert np.abs(expected).max() > 200
    found = run(open_session(compile_onnx(one).SerializeToString()), inputs(kind))
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()


def test_members_are_functions_with_their_cells_and_steps() -> None:
    model = compile_onnx(subject())
    called = {f.name: [n.op_type for n in f.node] for f in model.functions}
    assert [n.op_type for n in model.graph.node][:3] == ["member_1", "member_2", "member_3"]
    assert {"member_3.K", "member_3.M", "member_3.A"} <= {*called["member_3"]}
    assert {"member_3.K.S", "member_3.K.T"} <= {*called["member_3.K"]}
    assert {i.name for i in model.graph.input} == {"A", "B", "D"}


def test_equal_weights_stand_once_and_what_they_compute_is_shared() -> None:
    weights = dict(trained().weights)
    for name in [name for name in weights if name.startswith("member_3.A.")]:
        weights[name] = weights[name.replace("member_3", "member_1")]
    one = EnsembleSubject.of(ensemble(), weights)
    model = compile_onnx(one)
    assert "member_3.A" in {f.name for f in compile_onnx(subject()).functions}
    assert "member_3.A" not in {f.name for f in model.functions}
    assert not [i.name for i in model.graph.initializer if i.name.startswith("member_3.A")]
    apart = NumpyNetwork(EnsembleSubject.of(ensemble()).program, weights)(inputs())
    found = run(open_session(model.SerializeToString()), inputs())
    assert np.abs(found - apart).max() < 1e-5


def test_an_ensemble_is_a_torch_program(folder: Path, tmp_path: Path) -> None:
    fw.deploy(folder / "e", tmp_path / "e.pt2")
    about = {"fusewright.ensemble": ""}
    program = torch.export.load(tmp_path / "e.pt2", extra_files=about).module()
    tensors = {name: torch.from_numpy(array) for name, array in inputs().items()}
    found = program(tensors).detach().numpy()
    assert np.abs(found - fw.predict(folder / "e", problem())).max() < 1e-5
    assert len(json.loads(about["fusewright.ensemble"])["members"]) == 3


@pytest.mark.parametrize("precision", ["float16", "int8", "int8-static"])
def test_an_ensemble_is_made_smaller(precision: str, folder: Path, tmp_path: Path) -> None:
    data = folder / "data.npz"
    facts = fw.deploy(folder / "e", tmp_path / "e.onnx", precision=precision, data=data)
    assert facts["finite"] == 1
    assert facts["metrics"][precision]["accuracy"] > 0.8


@pytest.mark.parametrize("ending", ["py", "safetensors"])
def test_what_takes_no_ensemble_says_so(ending: str, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(fw.DiagnosticError, match="takes no ensemble"):
        fw.deploy(folder / "e", tmp_path / f"e.{ending}")
    assert not [*tmp_path.iterdir()]


def test_a_file_says_which_ensemble_it_was_compiled_from(folder: Path, tmp_path: Path) -> None:
    command(folder, "compile", "e", "-o", str(tmp_path / "e.onnx"))
    assert OnnxFile(tmp_path / "e.onnx").ensemble == read_ensemble(folder / "e")
    shown = command(folder, "load", str(tmp_path / "e.onnx"))
    assert shown.startswith("# member_1: 50 %\nnetwork n(")
    assert shown.count("predict 3 classes") == 3
    with pytest.raises(fw.DiagnosticError, match="holds an ensemble of 3 networks"):
        fw.load(tmp_path / "e.onnx")


@pytest.mark.parametrize("text", ["", "[]", '{"members": [{"genotype": "x", "weight": 2}]}'])
def test_an_ensemble_that_a_file_does_not_say_is_diagnosed(
    text: str, folder: Path, tmp_path: Path
) -> None:
    fw.deploy(folder / "e", tmp_path / "e.onnx", verify=False)
    model = onnx.load(tmp_path / "e.onnx")
    for item in model.metadata_props:
        item.value = text if item.key == "fusewright.ensemble" else item.value
    onnx.save(model, tmp_path / "e.onnx")
    with pytest.raises(fw.DiagnosticError, match="holds no ensemble that can be read"):
        fw.predict(tmp_path / "e.onnx", problem())


def test_other_members_than_those_of_a_file_are_diagnosed(folder: Path, tmp_path: Path) -> None:
    fw.deploy(folder / "e", tmp_path / "e.onnx", verify=False)
    model = onnx.load(tmp_path / "e.onnx")
    for item in model.metadata_props:
        item.value = item.value.replace("D[c 4]", "D[c 9]")
    onnx.save(model, tmp_path / "e.onnx")
    with pytest.raises(fw.DiagnosticError, match="does not take `D`"):
        fw.predict(tmp_path / "e.onnx", problem())
