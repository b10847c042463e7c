"""Search, training, evaluation and prediction on small made-up data, and the run folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.targets.onnx.session import open_session
from fusewright.compiler.targets.onnx.session import run as run_onnx
from fusewright.runtime.data.dataset import load_data
from fusewright.runtime.data.files import read_arrays
from fusewright.runtime.settings import read_settings

from ..support.running import FIXED, QUICK, Arrays, as_npz, changed, command, problem, same, spec

# The whole way


@pytest.mark.parametrize(
    ("kind", "predict", "metric", "least"),
    [
        ("classes", "3 classes", "accuracy", 0.9),
        ("labels", "3 labels", "f1_weighted", 0.9),
        ("values", "1 values", "r2", 0.8),
    ],
)
def test_it_learns(kind: str, predict: str, metric: str, least: float) -> None:
    data, space = problem(kind=kind), spec(predict=predict)
    settings = QUICK.with_options(epochs=8)
    found = fw.search(space, data, settings=settings)
    trained = fw.train(found.genotype, data, settings=settings)
    metrics = fw.evaluate(found.genotype, data, weights=trained.weights)
    assert metrics[metric] >= least
    ranked = {"auroc", "map", "calibration_error"}
    searched, more = {
        "classes": ({"accuracy", "f1_weighted", "f1_macro"}, ranked),
        "labels": ({"f1_weighted", "f1_macro"}, ranked),
        "values": ({"r2", "mean_absolute_error"}, {"root_mean_squared_error"}),
    }[kind]
    assert metrics.keys() == searched | more
    assert [r["round"] for r in found.history] == list(range(1, 9))
    assert {f"validation_{name}" for name in searched} <= found.history[0].keys()
    assert trained.history[-1]["train_loss"] < trained.history[0]["train_loss"]


def test_metrics_are_those_of_the_predictions() -> None:
    data, network = problem(), spec(FIXED)
    weights = fw.train(network, data, settings=QUICK).weights
    logits = fw.predict(network, changed(data, labels=None, split=None), weights=weights)
    assert logits.shape == (90, 3)
    assert logits.dtype == np.float32
    test = data["split"] == 2
    right = logits[test].argmax(1) == data["labels"][test]
    metrics = fw.evaluate(network, data, weights=weights)
    assert metrics["accuracy"] == pytest.approx(right.mean())
    assert np.allclose(fw.predict(network, data, weights=weights, batch=7), logits, atol=1e-5)


def test_values_are_measured_by_their_squares_and_distances() -> None:
    data, network = problem(kind="values"), spec(FIXED, "1 values")
    weights = fw.train(network, data, settings=QUICK).weights
    test = data["split"] == 2
    difference = fw.predict(network, data, weights=weights)[test] - data["labels"][test]
    truth = data["labels"][test]
    metrics = fw.evaluate(network, data, weights=weights)
    r2 = 1 - (difference**2).sum() / ((truth - truth.mean()) ** 2).sum()
    assert metrics["r2"] == pytest.approx(r2, abs=1e-4)
    assert metrics["mean_absolute_error"] == pytest.approx(np.abs(difference).mean(), abs=1e-4)


def test_the_command_line_goes_the_whole_way(tmp_path: Path) -> None:
    data = problem()
    np.savez(tmp_path / "data.npz", **data)
    (tmp_path / "space.fuse").write_text(str(spec()), encoding="utf-8")
    options = ("--data", "data.npz", "--epochs", "3", "--seed", "5", "--batch", "16")
    found = command(
        tmp_path, "search", "space.fuse", "--out", "run", "--relax", "per_input", "--rule",
        "published", "--strategy", "darts", *options, "--json",
    )  # fmt: skip
    assert json.loads(found)["genotype"] == str(Path("run/genotype.fuse"))
    genotype = fw.load(tmp_path / "run/genotype.fuse")
    assert not checked(genotype).has_holes
    command(tmp_path, "train", "run/genotype.fuse", "--out", "trained", *options)
    shown = json.loads(command(tmp_path, "evaluate", "trained", "--data", "data.npz", "--json"))
    assert shown.pop("warnings") == []
    assert shown == fw.evaluate(tmp_path / "trained", tmp_path / "data.npz")
    assert 0 <= shown["accuracy"] <= 1
    command(tmp_path, "predict", "trained", "--data", "data.npz", "-o", "out.npz")
    logits = np.load(tmp_path / "out.npz")["logits"]
    weights = "trained/weights.safetensors"
    to_onnx = ("--weights", weights, "--to", "onnx", "-o", "net.onnx")
    command(tmp_path, "compile", "run/genotype.fuse", *to_onnx)
    session = open_session((tmp_path / "net.onnx").read_bytes())
    assert np.abs(run_onnx(session, data) - logits).max() <= 1e-5 * max(1, np.abs(logits).max())
    same_by_api = fw.search(
        spec(),
        data,
        strategy="darts",
        epochs=3,
        seed=5,
        batch=16,
        relax="per_input",
        rule="published",
    )
    assert same_by_api.genotype == genotype


# Files


def as_safetensors(arrays: Arrays, place: Path) -> Path:
    safetensors.numpy.save_file(arrays, place / "data.safetensors")
    return place / "data.safetensors"


def as_folder(arrays: Arrays, place: Path) -> Path:
    """One file for each feature, of both kinds, beside a file that is no data."""
    folder = place / "data"
    folder.mkdir()
    for name in ("A", "B"):
        np.savez(folder / f"{name}.npz", **{name: arrays[name]})
    others = {name: array for name, array in arrays.items() if name not in ("A", "B")}
    safetensors.numpy.save_file(others, folder / "others.safetensors")
    (folder / "notes.txt").write_text("no data", encoding="utf-8")
    return folder


@pytest.mark.parametrize("write", [as_npz, as_safetensors, as_folder])
def test_every_kind_of_file_is_the_same_data(
    write: Callable[[Arrays, Path], Path], tmp_path: Path
) -> None:
    arrays = problem(30)
    path = write(arrays, tmp_path)
    assert same(read_arrays(path), arrays)
    a = fw.train(spec(FIXED), path, settings=QUICK, out=tmp_path / "run")
    b = fw.train(spec(FIXED), arrays, settings=QUICK)
    assert same(a.weights, b.weights)
    record = json.loads((tmp_path / "run/train.json").read_text(encoding="utf-8"))
    assert record["data"]["source"] == str(path)
    assert all(len(f["sha256"]) == 64 for f in record["data"]["files"])


def test_a_folder_with_an_array_twice_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", A=np.zeros(3))
    np.savez(tmp_path / "b.npz", A=np.zeros(3))
    with pytest.raises(fw.DiagnosticError, match="`A` stands in two files"):
        read_arrays(tmp_path)


def float8(path: Path) -> None:
    tensors = {"A": torch.zeros(3, dtype=torch.float8_e4m3fn)}
    safetensors.torch.save_file(tensors, path)


def single_array(path: Path) -> None:
    with path.open("wb") as stream:
        np.save(stream, np.zeros(3))


def pickled(path: Path) -> None:
    np.savez(path, A=np.array([None], object))


def truncated(path: Path) -> None:
    np.savez(path, **problem(30))
    path.write_bytes(path.read_bytes()[:-300])


def corrupt(path: Path) -> None:
    np.savez(path, **problem(30))
    content = bytearray(path.read_bytes())
    content[200] ^= 255
    path.write_bytes(content)


def compressed_wrongly(path: Path) -> None:
    np.savez_compressed(path, A=np.zeros((30, 3)))
    content = path.read_bytes()
    start = content.index(b"A.npy") + len("A.npy") + 20
    path.write_bytes(content[:start] + b"\xff" * 8 + content[start + 8 :])


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.npz", lambda path: path.write_bytes(b"")),
        ("a.npz", lambda path: path.write_bytes(b"junk")),
        ("a.npz", single_array),
        ("a.npz", pickled),
        ("a.npz", truncated),
        ("a.npz", corrupt),
        ("a.npz", compressed_wrongly),
        ("a.npz", lambda path: path.mkdir()),
        ("a.safetensors", lambda path: path.write_bytes(b"junk")),
        ("a.safetensors", float8),
        ("a.csv", lambda path: path.write_bytes(b"1,2")),
        ("none.npz", lambda path: None),
        ("empty", lambda path: path.mkdir()),
    ],
)
def test_files_that_are_no_data_are_diagnosed(
    name: str, write: Callable[[Path], Any], tmp_path: Path
) -> None:
    write(tmp_path / name)
    with pytest.raises(fw.DiagnosticError) as caught:
        load_data(tmp_path / name, checked(spec()))
    assert [d.code for d in caught.value.diagnostics] == ["E504"]


# Repeating a run


@pytest.mark.parametrize("relax", ["shared", "per_input"])
def test_the_seed_decides_everything(relax: str) -> None:
    data = problem(45)

    def run(seed: int) -> tuple[fw.Spec, Mapping[str, Any], Mapping[str, Any]]:
        found = fw.search(spec(), data, settings=QUICK, seed=seed, relax=relax)
        torch.rand(3)  # what happens between must not matter
        trained = fw.train(spec(FIXED), data, settings=QUICK, seed=seed)
        return found.genotype, found.weights, trained.weights

    first, second, other = run(1), run(1), run(2)
    assert first[0] == second[0]
    assert same(first[1], second[1])
    assert same(first[2], second[2])
    assert not same(first[1], other[1])
    assert not same(first[2], other[2])


def test_the_random_numbers_of_the_caller_go_on_as_before() -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    fw.train(spec(FIXED), problem(30), settings=QUICK)
    assert torch.equal(torch.rand(2), expected)


def test_a_run_folder_holds_what_repeats_the_run(tmp_path: Path) -> None:
    data = as_npz(problem(45), tmp_path)
    run = tmp_path / "run"
    settings = QUICK.with_options(seed=4, relax="per_input", rule="published")
    found = fw.search(spec(), data, out=run, settings=settings)
    names = {"specification.fuse", "search.toml", "search.json", "genotype.fuse"}
    names |= {"found.safetensors", "history.jsonl", "checkpoint.pt", "data.json"}
    assert {f.name for f in run.iterdir()} == names
    assert fw.load(run / "genotype.fuse") == found.genotype
    assert read_settings(run / "search.toml") == settings
    assert same(safetensors.numpy.load_file(run / "found.safetensors"), found.weights)
    record = json.loads((run / "search.json").read_text(encoding="utf-8"))
    lines = (run / "history.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    assert [(r["stage"], r["round"]) for r in records] == [("search", 1), ("search", 2)]
    assert record["versions"]["torch"] == torch.__version__
    assert records[found.best_round - 1]["genotype"] == str(found.genotype)
    repeated = fw.search(
        fw.load(run / "specification.fuse"), data, settings=read_settings(run / "search.toml")
    )
    assert repeated.genotype == found.genotype
    assert same(repeated.weights, found.weights)
    trained = fw.train(found.genotype, data, out=run, settings=settings)
    names |= {"train.toml", "train.json", "weights.safetensors"}
    assert {f.name for f in run.iterdir()} == names
    assert same(safetensors.numpy.load_file(run / "weights.safetensors"), trained.weights)
    given = fw.evaluate(found.genotype, data, weights=trained.weights)
    assert fw.evaluate(run, data) == given


def test_the_best_round_is_the_last_of_the_best() -> None:
    found = fw.search(spec(), problem(45), settings=QUICK, epochs=5)
    scores = [record["validation_accuracy"] for record in found.history]
    best = max(range(5), key=lambda i: (scores[i], i))
    assert found.best_round == best + 1
    assert str(found.genotype) == found.history[best]["genotype"]


def test_reports_come_epoch_by_epoch() -> None:
    seen: list[dict[str, Any]] = []
    found = fw.train(spec(FIXED), problem(30), settings=QUICK, report=seen.append)
    assert tuple(seen) == found.history
