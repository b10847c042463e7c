"""Search, training, evaluation and prediction on small made-up data, and the run folder."""

from __future__ import annotations

import contextlib
import io
import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import fusewright as fw
from fusewright.cli import main
from fusewright.compiler.check.check import check, checked
from fusewright.compiler.network.fillings import fixed_choice
from fusewright.compiler.network.rules import admits
from fusewright.compiler.targets.onnx.file import open_session
from fusewright.compiler.targets.onnx.file import run as run_onnx
from fusewright.runtime.data.dataset import load_data
from fusewright.runtime.data.files import read_arrays
from fusewright.runtime.settings import read_settings

Arrays = dict[str, Any]
"""Arrays by name."""
QUICK = fw.Settings(
    strategy="darts",
    relax="shared",
    epochs=2,
    batch=16,
    max_learning_rate=0.02,
    arch_learning_rate=0.01,
)
FEATURES = "modality left { A[c 3] B[t 2, c 5] } modality right { D[c 4] }"
OPEN = "cell K[2](?, ?) { S = ?(x, y) }"
FIXED = "cell K(A, D) { S = ConcatFC(x, y) } output K, B"


def spec(
    cells: str = OPEN,
    predict: str = "3 classes",
    features: str = FEATURES,
    library: str = "bmnas",
    length: int = 2,
) -> fw.Spec:
    return fw.loads(
        f"network n(C = 8, L = {length}, dropout = 0.1) use {library} {features} "
        f"pool Sum, LinearGLU, ConcatFC {cells} predict {predict}"
    )


def problem(samples: int = 90, kind: str = "classes", seed: int = 0) -> Arrays:
    """An easy problem: three groups, each with means of its own in every feature."""
    generator = np.random.default_rng(seed)
    group = np.arange(samples) % 3
    arrays: Arrays = {}
    for name, shape in (("A", (3,)), ("B", (2, 5)), ("D", (4,))):
        means = 2 * np.random.default_rng([*name.encode()]).normal(size=(3, *shape))
        noise = generator.normal(size=(samples, *shape))
        arrays[name] = (means[group] + 0.3 * noise).astype(np.float32)
    one_hot = np.eye(3)[group]
    labels = {"classes": group, "labels": 1 - one_hot, "values": one_hot @ [[2.0], [0.0], [-2.0]]}
    return arrays | {"labels": labels[kind], "split": np.arange(samples) // 3 % 3}


def changed(arrays: Arrays, **changes: Any) -> Arrays:
    """The arrays with some replaced, or taken out where None is given."""
    return {k: v for k, v in (arrays | changes).items() if v is not None}


def same(a: Mapping[str, NDArray[Any]], b: Mapping[str, NDArray[Any]]) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def without_cost(history: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Records without what differs between equal runs: the seconds."""
    return [{k: v for k, v in record.items() if k != "cost"} for record in history]


def command(at: Path, *arguments: str) -> str:
    """The output of the command line, which must succeed, run in a folder."""
    output = io.StringIO()
    with (
        contextlib.chdir(at),
        patch.object(sys, "argv", ["fusewright", *arguments]),
        contextlib.redirect_stdout(output),
        pytest.raises(SystemExit) as exit,
    ):
        main()
    assert not exit.value.code
    return output.getvalue()


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
    expected = {
        "classes": {"accuracy", "f1_weighted", "f1_macro"},
        "labels": {"f1_weighted", "f1_macro"},
        "values": {"r2", "mean_absolute_error"},
    }
    assert metrics.keys() == expected[kind]
    assert [r["round"] for r in found.history] == list(range(1, 9))
    assert {f"validation_{name}" for name in metrics} <= found.history[0].keys()
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


def as_npz(arrays: Arrays, place: Path) -> Path:
    np.savez(place / "data.npz", **arrays)
    return place / "data.npz"


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


def bfloat16(path: Path) -> None:
    tensors = {"A": torch.zeros(3, dtype=torch.bfloat16)}
    safetensors.torch.save_file(tensors, path)


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
        ("a.safetensors", bfloat16),
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
    names |= {"found.safetensors", "history.jsonl", "checkpoint.pt"}
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


# Splits


@pytest.mark.parametrize("what", ["features", "labels"])
def test_the_test_split_influences_nothing(what: str) -> None:
    data = problem(45)
    test = data["split"] == 2
    other = {name: array.copy() for name, array in data.items()}
    for name in ("A", "B", "D") if what == "features" else ("labels",):
        other[name][test] = (other[name][test] * 100 + 7) if what == "features" else 0
    a, b = (fw.search(spec(), d, settings=QUICK) for d in (data, other))
    assert a.genotype == b.genotype
    assert same(a.weights, b.weights)
    assert without_cost(a.history) == without_cost(b.history)
    c, d = (fw.train(spec(FIXED), d, settings=QUICK) for d in (data, other))
    assert same(c.weights, d.weights)


@pytest.mark.parametrize(("part", "matters"), [(0, True), (1, True), (2, False)])
def test_training_reads_training_and_validation_samples(part: int, matters: bool) -> None:
    data = problem(45)
    kept = data["split"] != part
    fewer = {name: array[kept] for name, array in data.items()}
    a, b = (fw.train(spec(FIXED), d, settings=QUICK) for d in (data, fewer))
    assert same(a.weights, b.weights) is not matters


def test_a_search_takes_its_weights_from_training_and_its_holes_from_validation() -> None:
    """In the first epoch, weights have not met the validation samples when holes first do."""
    data = problem(45)
    other = {name: array.copy() for name, array in data.items()}
    other["labels"][data["split"] == 1] = 0
    a, b = (fw.search(spec(), d, settings=QUICK, epochs=1) for d in (data, other))
    holes = [name for name in a.weights if name.rsplit(".", 1)[-1] in ("alpha", "beta", "gamma")]
    trained = [name for name in a.weights if name not in holes]
    statistics = [n for n in trained if n.rsplit(".", 1)[-1] in ("mean", "variance")]
    weights = [n for n in trained if n not in statistics]
    assert holes
    assert weights
    assert all(np.array_equal(a.weights[n], b.weights[n]) for n in weights)
    assert not all(np.array_equal(a.weights[n], b.weights[n]) for n in holes)


def test_a_split_is_seeded_and_stratified() -> None:
    data = changed(problem(90), split=None)
    data["labels"] = np.repeat([0, 1, 2], (60, 20, 10))
    network = checked(spec())
    splits = [load_data(data, network, seed).split for seed in (0, 0, 1)]
    assert np.array_equal(splits[0], splits[1])
    assert not np.array_equal(splits[0], splits[2])
    for split in splits:
        for label, count in ((0, 60), (1, 20), (2, 10)):
            parts = np.bincount(split[data["labels"] == label], minlength=3)
            assert np.all(np.abs(parts - count * np.array([0.6, 0.2, 0.2])) <= 1)


@given(st.integers(1, 200), st.integers(0, 1000), st.sampled_from(("3 classes", "2 values")))
def test_a_split_of_any_size_is_near_its_shares(samples: int, seed: int, predict: str) -> None:
    labels = np.zeros((samples, 2)) if "values" in predict else np.zeros(samples, np.int64)
    data = changed(problem(samples), labels=labels, split=None)
    split = load_data(data, checked(spec(predict=predict)), seed).split
    parts = np.bincount(split, minlength=3)
    assert np.all(np.abs(parts - samples * np.array([0.6, 0.2, 0.2])) <= 1)


def test_a_run_evaluates_on_the_split_that_its_seed_made(tmp_path: Path) -> None:
    data = changed(problem(45), split=None)
    trained = fw.train(spec(FIXED), data, settings=QUICK, seed=9, out=tmp_path)
    test = load_data(data, checked(spec()), 9).split == 2
    logits = fw.predict(spec(FIXED), data, weights=trained.weights)
    accuracy = (logits[test].argmax(1) == data["labels"][test]).mean()
    assert fw.evaluate(tmp_path, data)["accuracy"] == pytest.approx(accuracy)


# Relaxations and rules


@pytest.mark.parametrize("relax", ["shared", "per_input"])
@pytest.mark.parametrize("rule", ["paper", "published", "distinct_pairs", "fresh_input"])
def test_a_search_keeps_the_rule(relax: str, rule: str) -> None:
    cells = "cell K(?, ?) { S[2] = ?(?, ?) } cell H(?, K) { S = {Sum | ConcatFC}(x, ?) }"
    space = spec(cells)
    found = fw.search(space, problem(45), settings=QUICK, relax=relax, rule=rule)
    genotype = checked(found.genotype)
    assert not genotype.has_holes
    named = {"paper": "distinct_pairs", "published": "fresh_input"}.get(rule, rule)
    under = checked(fw.loads(str(space) + f"require {named}"))
    choices = [fixed_choice(cell) for cell in genotype.cells]
    assert all(admits(under, i, c, choices[:i]) for i, c in enumerate(choices))
    if named == "fresh_input":
        assert {*choices[0], choices[1][0]} == {"A", "B", "D"}


def test_the_rule_of_the_settings_takes_the_place_of_the_specifications() -> None:
    space = fw.loads(str(spec("cell K[3](?, ?) { S = ?(x, y) }")) + "require fresh_input")
    assert [d.code for d in check(space)] == ["E401"]
    found = fw.search(space, problem(30), settings=QUICK, epochs=1, rule="paper")
    assert len(found.genotype.cells) == 3


def test_a_network_and_a_space_are_told_apart() -> None:
    with pytest.raises(fw.DiagnosticError, match="has no hole") as searched:
        fw.search(spec(FIXED), problem(30))
    with pytest.raises(fw.DiagnosticError, match="has holes") as trained:
        fw.train(spec(), problem(30))
    for caught in (searched, trained):
        assert [d.code for d in caught.value.diagnostics] == ["E403"]


def test_holes_that_the_output_does_not_reach_are_filled_all_the_same() -> None:
    space = spec(OPEN + " output A, D")
    found = fw.search(space, problem(30), settings=QUICK)
    assert not checked(found.genotype).has_holes


def test_a_network_without_parameters_is_measured() -> None:
    text = """
    network n(C = 3, L = 1) modality m { A[c 3] } predict 3 classes
    role adapt(f) = resample(f)  role head(h) = flatten(h)  output A
    """
    network = fw.loads(text)
    trained = fw.train(network, problem(30), settings=QUICK)
    assert trained.weights == {}
    assert fw.evaluate(network, problem(30), weights={}).keys() >= {"accuracy"}


# The schedule


def test_learning_rates_anneal_and_restart() -> None:
    """One, two, then four epochs of five batches, each from the highest rate to the lowest."""
    rates: list[float] = []

    def step(self: torch.optim.Adam, *_: Any) -> None:
        rates.append(self.param_groups[0]["lr"])

    data = changed(problem(60), split=np.repeat([0, 1, 2], (40, 10, 10)))
    with patch.object(torch.optim.Adam, "step", step):
        fw.train(
            spec(FIXED), data, epochs=7, batch=10, max_learning_rate=0.1, min_learning_rate=0.001
        )
    expected = [
        0.001 + 0.5 * (0.1 - 0.001) * (1 + math.cos(math.pi * i / (5 * epochs)))
        for epochs in (1, 2, 4)
        for i in range(5 * epochs)
    ]
    assert rates == pytest.approx(expected)
    restarts = [i for i, (a, b) in enumerate(pairwise(rates), start=1) if b > a]
    assert restarts == [5, 15]


def test_architecture_parameters_have_a_rate_of_their_own() -> None:
    seen: list[tuple[float, tuple[float, float], float]] = []
    create = torch.optim.Adam.__init__

    def init(self: torch.optim.Adam, *arguments: Any, **options: Any) -> None:
        create(self, *arguments, **options)
        group = self.param_groups[0]
        seen.append((group["lr"], group["betas"], group["weight_decay"]))

    with patch.object(torch.optim.Adam, "__init__", init):
        fw.search(
            spec(),
            problem(30),
            strategy="darts",
            epochs=1,
            arch_learning_rate=0.02,
            arch_weight_decay=0.03,
        )
    assert seen == [(1e-3, (0.9, 0.999), 1e-4), (0.02, (0.5, 0.999), 0.03)]


# Settings


@st.composite
def settings(draw: st.DrawFn) -> fw.Settings:
    rates = st.floats(1e-9, 999, allow_nan=False)
    decays = st.one_of(st.just(0), st.just(0.0), st.floats(0, 999))
    counts = st.integers(1, 10**9)
    return fw.Settings(
        seed=draw(st.integers(0, 2**63 - 1)),
        epochs=draw(counts),
        batch=draw(counts),
        max_learning_rate=draw(rates),
        min_learning_rate=draw(decays),
        weight_decay=draw(decays),
        first_restart=draw(counts),
        restart_multiplier=draw(counts),
        arch_learning_rate=draw(rates),
        arch_weight_decay=draw(decays),
        relax=draw(st.sampled_from(("shared", "per_input"))),
        rule=draw(st.sampled_from(("", "paper", "published", "distinct_pairs", "fresh_input"))),
        device=draw(st.sampled_from(("cpu", "cuda", "cuda:1"))),
    )


@pytest.mark.parametrize("device", ['"', "\\", "a\nb", "é", "😀"])
def test_a_text_of_any_kind_goes_through_toml(device: str, tmp_path: Path) -> None:
    given_settings = fw.Settings(device=device)
    (tmp_path / "run.toml").write_text(given_settings.to_toml(), encoding="utf-8")
    assert read_settings(tmp_path / "run.toml") == given_settings


@given(settings())
def test_settings_go_through_toml(given_settings: fw.Settings) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "run.toml"
        path.write_text(given_settings.to_toml(), encoding="utf-8")
        assert read_settings(path) == given_settings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch = 3", "unknown setting `epoch`"),
        ("epochs = 0", "`epochs` is 0"),
        ("epochs = 2.5", "`epochs` is 2.5"),
        ("epochs = true", "`epochs` is True"),
        ('batch = "many"', "`batch` is 'many'"),
        ("max_learning_rate = 0", "`max_learning_rate` is 0"),
        ("max_learning_rate = nan", "`max_learning_rate` is nan"),
        ("weight_decay = inf", "`weight_decay` is inf"),
        ("weight_decay = -1", "`weight_decay` is -1"),
        ('relax = "sharde"', "unknown relax `sharde`"),
        ('rule = "none"', "unknown rule `none`"),
        ('strategy = "luck"', "unknown strategy `luck`"),
        ("seed = -1", "`seed` is -1"),
        ("seed = 36893488147419103232", "`seed` is 36893488147419103232"),
        ("[epochs]", "`epochs` is {}"),
        ("epochs 3", "is not TOML"),
        ("\xff", "is not TOML"),
    ],
)
def test_bad_settings_are_diagnosed(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(fw.DiagnosticError) as caught:
        read_settings(path)
    (found,) = caught.value.diagnostics
    assert found.code == "E506"
    assert message in found.message


def test_options_come_after_the_file_and_the_file_after_defaults(tmp_path: Path) -> None:
    as_npz(problem(30), tmp_path)
    (tmp_path / "run.toml").write_text("epochs = 1\nbatch = 7\n", encoding="utf-8")
    (tmp_path / "net.fuse").write_text(str(spec(FIXED)), encoding="utf-8")
    options = ("--data", "data.npz", "--out", "run", "--config", "run.toml", "--batch", "9")
    command(tmp_path, "train", "net.fuse", *options)
    expected = fw.Settings(epochs=1, batch=9)
    assert read_settings(tmp_path / "run/train.toml") == expected


# Lengths and presence

PADDED = "modality left { A[c 3] B[t *, c 5] } modality right { D[c 4] }"
PARTIAL = "modality left { A[c 3] B[t 2, c 5] } modality right optional { D[c 4] }"


def test_what_stands_behind_a_samples_length_is_not_read() -> None:
    data = problem(45)
    lengths = np.arange(45) % 4 + 1
    longer = np.concatenate([data["B"], data["B"][:, ::-1]], axis=1)
    other = longer.copy()
    for sample, length in zip(other, lengths, strict=True):
        sample[length:] = 1e3
    network = spec(FIXED, features=PADDED)
    a, b = (changed(data, B=x) | {"B.lengths": lengths} for x in (longer, other))
    trained = [fw.train(network, d, settings=QUICK).weights for d in (a, b)]
    assert same(*trained)
    first, second = (fw.predict(network, d, weights=trained[0]) for d in (a, b))
    assert np.array_equal(first, second)
    whole = fw.predict(network, changed(data, B=longer), weights=trained[0])
    assert not np.allclose(whole, first)


def test_what_an_absent_modality_holds_is_not_read() -> None:
    data = problem(45)
    present = np.arange(45) % 3 > 0
    other = data["D"].copy()
    other[~present] = 1e3
    network = spec("cell K(A, D) { S = Sum(x, y) }", features=PARTIAL, library="paper")
    a, b = (changed(data, D=d) | {"right.present": present} for d in (data["D"], other))
    trained = [fw.train(network, d, settings=QUICK).weights for d in (a, b)]
    assert same(*trained)
    assert np.abs(trained[0]["D.absent"]).max() > 0
    first, second = (fw.predict(network, d, weights=trained[0]) for d in (a, b))
    assert np.array_equal(first, second)


# Data that does not fit


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"A": None}, "E501"),
        ({"labels": None}, "E501"),
        ({"A": np.zeros((30, 4))}, "E502"),
        ({"A": np.zeros((29, 3))}, "E502"),
        ({"A": np.float32(3)}, "E502"),
        ({"A": np.full((30, 3), np.inf)}, "E502"),
        ({"A": np.full((30, 3), 1e300)}, "E502"),
        ({"A": np.full((30, 3), "x")}, "E502"),
        ({"A": np.full((30, 3), None)}, "E502"),
        ({"A": np.full((30, 3), 1j)}, "E502"),
        ({"A": np.zeros((0, 3)), "B": np.zeros((0, 2, 5)), "D": np.zeros((0, 4))}, "E502"),
        ({"B": np.zeros((30, 0, 5))}, "E502"),
        ({"B.lengths": np.full(30, 3)}, "E502"),
        ({"B.lengths": np.full(30, 0)}, "E502"),
        ({"B.lengths": np.full(30, 1.5)}, "E502"),
        ({"B.lengths": np.full(29, 1)}, "E502"),
        ({"B.lengths": np.array(1)}, "E502"),
        ({"right.present": np.full((30, 1), 1)}, "E502"),
        ({"labels": np.full(30, 3)}, "E503"),
        ({"labels": np.full(30, -1)}, "E503"),
        ({"labels": np.full(30, 0.5)}, "E503"),
        ({"labels": np.full(30, np.nan)}, "E503"),
        ({"labels": np.full(30, "walk")}, "E503"),
        ({"labels": np.full(30, None)}, "E503"),
        ({"labels": np.zeros((30, 3))}, "E503"),
        ({"labels": np.zeros(29, np.int64)}, "E503"),
        ({"split": np.full(30, 3)}, "E503"),
        ({"split": np.full(30, "train")}, "E503"),
        ({"split": np.zeros(29)}, "E503"),
        ({"split": np.zeros(30)}, "E503"),
    ],
    ids=lambda v: "-".join(f"{k}_{x}"[:20] for k, x in v.items()) if isinstance(v, dict) else v,
)
def test_data_that_does_not_fit_is_diagnosed(change: dict[str, Any], code: str) -> None:
    features = "modality left { A[c 3] B[t *, c 5] } modality right optional { D[c 4] }"
    data = changed(problem(30), **change)
    with pytest.raises(fw.DiagnosticError) as caught:
        fw.search(spec(features=features), data, settings=QUICK)
    assert {d.code for d in caught.value.diagnostics} == {code}


@pytest.mark.parametrize("predict", ["2 labels", "2 values"])
@pytest.mark.parametrize(
    "labels",
    [np.zeros(30), np.full((30, 2), np.nan), np.full((30, 2), "x"), np.full((30, 2), 1j)],
    ids=["shape", "nan", "text", "complex"],
)
def test_labels_that_do_not_fit_are_diagnosed(predict: str, labels: NDArray[Any]) -> None:
    with pytest.raises(fw.DiagnosticError) as caught:
        fw.train(spec(FIXED, predict), changed(problem(30), labels=labels), settings=QUICK)
    assert {d.code for d in caught.value.diagnostics} == {"E503"}


def test_everything_that_is_wrong_with_data_comes_at_once() -> None:
    data = changed(problem(30), A=None, B=np.zeros((30, 5, 2)), labels=None)
    with pytest.raises(fw.DiagnosticError) as caught:
        fw.train(spec(FIXED), data)
    assert [d.code for d in caught.value.diagnostics] == ["E501", "E501", "E502"]
    assert "write its axes in the data's order: c 5, t 2" in str(caught.value)


@pytest.mark.parametrize(
    ("predict", "labels"),
    [
        ("1 classes", np.zeros(30, np.int64)),
        ("1 labels", np.arange(30) % 2),
        ("1 values", np.arange(30.0)),
        ("2 labels", np.eye(2)[np.arange(30) % 2]),
        ("2 classes", np.arange(30) % 2 == 0),
    ],
)
def test_heads_of_any_size_are_searched_and_trained(predict: str, labels: NDArray[Any]) -> None:
    data = changed(problem(30), labels=labels)
    fw.search(spec(predict=predict), data, settings=QUICK)
    trained = fw.train(spec(FIXED, predict), data, settings=QUICK)
    metrics = fw.evaluate(spec(FIXED, predict), data, weights=trained.weights)
    assert all(math.isfinite(value) for value in metrics.values())


@pytest.mark.parametrize("single", [0, 1, 2], ids=["train", "validation", "test"])
@pytest.mark.parametrize("predict", ["3 classes", "3 labels", "3 values"])
@pytest.mark.parametrize("length", [1, 2])
def test_a_split_of_one_sample_is_used_or_diagnosed(single: int, predict: str, length: int) -> None:
    split = np.full(30, (single + 1) % 3)
    split[:10] = (single + 2) % 3
    split[4] = single
    labels = np.arange(30) % 3
    data = changed(
        problem(30), split=split, labels=labels if "classes" in predict else np.eye(3)[labels]
    )
    used_or_diagnosed(lambda: fw.search(spec(predict=predict, length=length), data, settings=QUICK))
    network = spec(FIXED, predict, length=length)
    weights = fw.train(network, data, epochs=1).weights
    used_or_diagnosed(lambda: fw.evaluate(network, data, weights=weights))


def test_batches_of_one_sample_are_used_or_diagnosed() -> None:
    used_or_diagnosed(lambda: fw.train(spec(FIXED, length=1), problem(30), batch=1, epochs=1))


def used_or_diagnosed(run: Callable[[], object]) -> None:
    try:
        run()
    except fw.DiagnosticError as error:
        assert all(d.code in ("E503", "E506") for d in error.diagnostics)


def test_a_loss_that_is_not_finite_is_diagnosed() -> None:
    data = problem(30, "values")
    data["A"] *= 1e30
    with pytest.raises(fw.DiagnosticError) as caught:
        fw.train(spec(FIXED, "1 values", library="paper"), data, settings=QUICK)
    assert [d.code for d in caught.value.diagnostics] == ["E508"]


@pytest.mark.parametrize(
    "change",
    [
        lambda w: {k: v for k, v in w.items() if k != "A.adapt.W"},
        lambda w: {**w, "A.adapt.W": w["A.adapt.W"].T},
        lambda w: {**w, "A.adapt.W": w["A.adapt.W"] * np.nan},
        lambda w: {**w, "A.adapt.W": w["A.adapt.W"].astype(str)},
    ],
    ids=["missing", "shape", "nan", "text"],
)
def test_weights_that_do_not_fit_are_diagnosed(change: Callable[[Any], Any]) -> None:
    weights = fw.compile(spec(FIXED)).arrays()
    with pytest.raises(fw.DiagnosticError) as caught:
        fw.evaluate(spec(FIXED), problem(30), weights=change(weights))
    assert [d.code for d in caught.value.diagnostics] == ["E505"]


def test_weights_of_a_hypernet_serve_its_genotype() -> None:
    data = problem(30)
    found = fw.search(spec(), data, settings=QUICK)
    metrics = fw.evaluate(found.genotype, data, weights=found.weights)
    assert 0 <= metrics["accuracy"] <= 1


@pytest.mark.parametrize("number", [np.float16, np.float64, np.int8, np.uint16, np.bool_])
def test_features_of_any_number_type_are_read(number: type) -> None:
    data = changed(problem(30), A=np.ones((30, 3), number))
    weights = fw.train(spec(FIXED), data, settings=QUICK).weights
    assert all(array.dtype == np.float32 for array in weights.values())


def test_arrays_are_left_as_they_were() -> None:
    data = problem(30)
    before = {name: array.copy() for name, array in data.items()}
    for array in data.values():
        array.flags.writeable = False
    fw.search(spec(), data, settings=QUICK)
    fw.train(spec(FIXED), data, settings=QUICK)
    assert same(data, before)


def test_a_run_that_lacks_something_is_diagnosed(tmp_path: Path) -> None:
    data = problem(30)
    fw.search(spec(), data, out=tmp_path, settings=QUICK, epochs=1)
    with pytest.raises(fw.DiagnosticError) as caught:
        fw.evaluate(tmp_path, data)
    assert [d.code for d in caught.value.diagnostics] == ["E507"]


def test_a_search_says_which_budget_cannot_be_kept() -> None:
    space = fw.loads(str(spec()) + "require parameters < 10")
    with pytest.raises(fw.DiagnosticError, match="no network of `n` keeps within") as caught:
        fw.search(space, problem(30))
    (found,) = caught.value.diagnostics
    assert found.span is not None
