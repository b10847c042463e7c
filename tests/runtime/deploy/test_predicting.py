"""Predicting from files of models, what data is measured on, and files from strangers."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from safetensors.numpy import save_file

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.compile import to_program
from fusewright.compiler.program.initial import initial_values
from fusewright.compiler.targets.onnx import precision as onnx_precision
from fusewright.compiler.targets.onnx.file import OnnxFile
from fusewright.compiler.targets.onnx.session import open_session
from fusewright.runtime.data.dataset import load_data
from fusewright.runtime.data.split import TEST
from fusewright.runtime.deploy.deploy import deploy
from fusewright.runtime.predict.outputs import as_csv, predictions
from fusewright.runtime.runs.metadata import settings_of
from fusewright.runtime.settings import Settings

from ...support.deployed import NAMED, arrays_of, refused
from ...support.running import FIXED, changed, command, problem, spec

# Predicting from a file


@pytest.mark.parametrize("probabilities", [False, True])
def test_an_onnx_file_predicts_and_is_measured_as_its_run(
    probabilities: bool, trained: Path, tmp_path: Path
) -> None:
    deploy(trained / "run", tmp_path / "net.onnx", probabilities=probabilities)
    logits = torch.from_numpy(fw.predict(trained / "run", problem()))
    expected = torch.softmax(logits, 1) if probabilities else logits
    found = fw.predict(tmp_path / "net.onnx", problem(), batch=7)
    assert np.allclose(found, expected.numpy(), atol=1e-5)
    measured = fw.evaluate(tmp_path / "net.onnx", problem())
    assert measured == pytest.approx(fw.evaluate(trained / "run", problem()))


@pytest.mark.parametrize("kind", ["classes", "labels"])
def test_names_come_out_with_the_predictions(kind: str, tmp_path: Path) -> None:
    network = spec(FIXED, NAMED.replace("classes", kind))
    np.savez(tmp_path / "data.npz", **problem(kind=kind))
    deploy(network, tmp_path / "net.onnx", probabilities=True, initial=True)
    assert network.predict is not None
    names = network.predict.names
    assert names is not None
    assert OnnxFile(tmp_path / "net.onnx").as_json()["fusewright.classes"] == list(names)
    for name in ("out.npz", "out.csv"):
        command(tmp_path, "predict", "net.onnx", "--data", "data.npz", "-o", name)
    arrays = arrays_of(tmp_path / "out.npz")
    rows = list(csv.reader((tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()))
    shares = arrays["probabilities"]
    columns = dict(zip(rows[0], zip(*rows[1:], strict=True), strict=True))
    shown = [[float(v) for v in columns[f"probabilities {n}"]] for n in names]
    assert np.allclose(np.transpose(shown), shares)
    if kind == "classes":
        assert np.allclose(shares.sum(1), 1, atol=1e-6)
        assert columns["predicted"] == tuple(names[i] for i in shares.argmax(1))
        assert arrays["predicted_name"].tolist() == list(columns["predicted"])
    else:
        assert np.array_equal(arrays["predicted"], shares > 0.3)
        chosen = [[int(v) for v in columns[f"predicted {n}"]] for n in names]
        assert np.array_equal(np.transpose(chosen), shares > 0.3)


def test_values_are_called_values(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", **problem(kind="values"))
    deploy(spec(FIXED, "1 values"), tmp_path / "net.onnx", verify=False, initial=True)
    for name in ("out.npz", "out.csv"):
        command(tmp_path, "predict", "net.onnx", "--data", "data.npz", "-o", name)
    assert set(arrays_of(tmp_path / "out.npz")) == {"values"}
    assert (tmp_path / "out.csv").read_text(encoding="utf-8").startswith("sample,values 0\n")


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "plain", "a; b"])
def test_no_name_becomes_a_formula(name: str) -> None:
    head = checked(spec(FIXED, f"2 classes {{ `{name}`, other }}")).head
    found = predictions(head, "logits", np.array([[2.0, -3.0]], np.float32))
    first = as_csv(head, found).decode().splitlines()[1].split(",")
    assert first == ["0", name if name[0] in "pa" else f"'{name}", "2.0", "-3.0"]


def test_predicting_from_onnx_needs_no_torch(trained: Path, tmp_path: Path) -> None:
    deploy(trained / "run", tmp_path / "net.onnx")
    data = str(trained / "data.npz")
    code = (
        "import sys; sys.modules['torch'] = None; from fusewright.cli import main; "
        f"sys.argv = ['fusewright', 'predict', 'net.onnx', '--data', {data!r}, '-o', 'out.npz']; "
        "main()"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    found = arrays_of(tmp_path / "out.npz")["logits"]
    assert np.allclose(found, fw.predict(trained / "run", data), atol=1e-5)


@pytest.mark.parametrize(
    "arguments",
    [
        ("evaluate", "{run}", "--data", "{data}"),
        ("evaluate", "net.onnx", "--data", "{data}"),
        ("predict", "{run}", "--data", "{data}", "-o", "out.csv"),
        ("compile", "{run}", "-o", "other.onnx", "--data", "{data}"),
        ("compile", "{run}", "-o", "other.pt2"),
        ("train", "{run}/genotype.fuse", "--data", "{data}", "--out", "other"),
        ("search", "{run}/specification.fuse", "--data", "{data}", "--out", "other"),
        ("demo", "--out", "other"),
    ],
    ids=" ".join,
)
def test_a_command_that_needs_torch_says_so(
    arguments: tuple[str, ...], trained: Path, tmp_path: Path
) -> None:
    deploy(trained / "run", tmp_path / "net.onnx", verify=False)
    paths = {"run": trained / "run", "data": trained / "data.npz"}
    found = refused(tmp_path, *(a.format(**paths) for a in arguments), blocked=("torch",))
    assert found.startswith("error[E509]: `torch` is needed for this")
    assert [f.name for f in tmp_path.iterdir()] == ["net.onnx"]


# What data is measured on


def test_a_file_is_measured_on_what_its_run_was_not_trained_on(
    trained: Path, tmp_path: Path
) -> None:
    data = changed(problem(), split=None)
    network = checked(fw.load(trained / "run" / "genotype.fuse"))
    splits = [load_data(data, network, seed).indices(TEST).tolist() for seed in (0, 7)]
    assert splits[0] != splits[1]
    settings = Settings(epochs=1, batch=16, split_seed=7)
    fw.train(network.spec, data, settings=settings, out=tmp_path / "run")
    expected = fw.evaluate(tmp_path / "run", data)
    found = deploy(tmp_path / "run", tmp_path / "net.onnx", data=data, verify=False)
    assert found["metrics"]["float32"] == pytest.approx(expected)
    assert OnnxFile(tmp_path / "net.onnx").as_json()["fusewright.run"] == {"split_seed": 7}
    assert fw.evaluate(tmp_path / "net.onnx", data) == pytest.approx(expected)
    other = fw.evaluate(tmp_path / "net.onnx", data, split_seed=0)
    assert other == pytest.approx(fw.evaluate(tmp_path / "run", data, split_seed=0))


@pytest.mark.parametrize(
    "text", ["", "[]", "3", '{"split_seed": "x"}', '{"split_seed": -1}', "{}", "[" * 100_000]
)
def test_what_a_file_says_of_its_run_may_be_wrong(text: str) -> None:
    assert settings_of({"fusewright.run": text}) == settings_of({}) == Settings()


@pytest.mark.parametrize(
    ("left_out", "what"),
    [
        ((), "30 samples of the training split"),
        (("split",), "54 samples of the training split"),
        (("labels",), "30 samples of the training split"),
        (("labels", "split"), "90 samples of all, since there are no labels to split them by"),
    ],
)
def test_ranges_are_measured_on_training_samples(
    left_out: tuple[str, ...],
    what: str,
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    genotype = fw.load(trained / "run" / "genotype.fuse")
    run = tmp_path / "run"
    fw.train(genotype, problem(), out=run, epochs=1, split_seed=7)
    samples: list[Any] = []

    def kept(model: Any, precision: str, given: Any) -> Any:
        samples.extend(given)
        return model

    monkeypatch.setattr(onnx_precision, "with_precision", kept)
    data = {name: array for name, array in problem().items() if name not in left_out}
    found = deploy(run, tmp_path / "net.onnx", precision="int8-static", data=data, verify=False)
    assert found["calibration"] == what
    expected = np.arange(90)
    if "split" in data:
        expected = np.flatnonzero(data["split"] == 0)
    elif "labels" in data:
        network = checked(fw.load(run / "genotype.fuse"))
        expected = load_data(data, network, 7).indices(0)
    assert np.array_equal(np.concatenate([s["A"] for s in samples]), data["A"][expected])
    assert ("metrics" in found) == ("labels" in data)


@pytest.mark.parametrize("labels", [True, False])
def test_a_split_of_two_axes_is_diagnosed(labels: bool, trained: Path, tmp_path: Path) -> None:
    data = changed(problem(), split=np.zeros((90, 2)), **({} if labels else {"labels": None}))
    with pytest.raises(
        fw.DiagnosticError, match=r"`split` is \(90, 2\), not one value for each of 90 samples"
    ):
        deploy(trained / "run", tmp_path / "net.onnx", precision="int8-static", data=data)
    assert not list(tmp_path.iterdir())


def test_data_to_measure_on_has_labels(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(fw.DiagnosticError, match="no array `labels`"):
        deploy(trained / "run", tmp_path / "net.onnx", data=changed(problem(), labels=None))


@pytest.mark.parametrize("precision", ["float16", "int8", "int8-static"])
def test_less_precise_files_say_what_that_costs(
    precision: str, trained: Path, tmp_path: Path
) -> None:
    data = str(trained / "data.npz")
    options = ("--precision", precision, "--data", data, "--json")
    found = json.loads(command(tmp_path, "compile", str(trained / "run"), "-o", "n.onnx", *options))
    assert found["metrics"]["float32"] == pytest.approx(fw.evaluate(trained / "run", data))
    assert found["metrics"][precision] == fw.evaluate(tmp_path / "n.onnx", data)
    assert found["relative"] > 1e-5
    assert {f.name for f in tmp_path.iterdir()} == {"n.onnx", "n.onnx.certificate.json"}
    assert fw.load(tmp_path / "n.onnx") == fw.load(trained / "run" / "genotype.fuse")


# Untrusted input


def damaged(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    weights: dict[str, Any] = dict(initial_values(to_program(spec(FIXED))))
    change(weights)
    return weights


BAD_WEIGHTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "lack": lambda w: w.pop("head.b"),
    "not": lambda w: w.update({"head.b": np.zeros(7, np.float32)}),
    "not finite": lambda w: w.update({"head.b": np.full(3, np.nan, np.float32)}),
}


@pytest.mark.parametrize("message", BAD_WEIGHTS)
@pytest.mark.parametrize("output", ["net.onnx", "net.safetensors", "net.pt2"])
def test_weights_that_do_not_fit_write_nothing(message: str, output: str, tmp_path: Path) -> None:
    place = tmp_path / "out"
    place.mkdir()
    with pytest.raises(fw.DiagnosticError, match=message):
        deploy(spec(FIXED), place / output, weights=damaged(BAD_WEIGHTS[message]))
    assert not list(place.iterdir())


def test_weights_of_a_hypernet_may_be_more_than_is_needed(tmp_path: Path) -> None:
    weights = damaged(lambda w: w.update({"Other.W": np.zeros(2, np.float32)}))
    deploy(spec(FIXED), tmp_path / "net.onnx", weights=weights, verify=False)
    names = {i.name for i in onnx.load(tmp_path / "net.onnx").graph.initializer}
    assert "Other.W" not in names


def test_truncated_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "net.fuse").write_text(str(spec(FIXED)), encoding="utf-8")
    save_file(damaged(lambda w: None), tmp_path / "w.safetensors")
    deploy(spec(FIXED), tmp_path / "net.onnx", verify=False, initial=True)
    for name in ("w.safetensors", "net.onnx"):
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: len(content) // 2])
    np.savez(tmp_path / "data.npz", **problem())
    before = {f.name for f in tmp_path.iterdir()}
    refused(tmp_path, "compile", "net.fuse", "--weights", "w.safetensors", "-o", "other.onnx")
    refused(tmp_path, "predict", "net.onnx", "--data", "data.npz", "-o", "out.npz")
    refused(tmp_path, "load", "net.onnx")
    refused(tmp_path, "load", "w.safetensors")
    assert {f.name for f in tmp_path.iterdir()} == before


def external(path: Path, location: str) -> Iterator[onnx.TensorProto]:
    """Lets the weights of a model say that they lie elsewhere."""
    model = onnx.load(path)
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", location
        length = tensor.external_data.add()
        length.key, length.value = "length", str(array.nbytes)
    path.write_bytes(model.SerializeToString())
    yield from model.graph.initializer


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "link", "missing", "a/../../x"])
def test_weights_outside_of_the_folder_are_not_read(location: str, tmp_path: Path) -> None:
    place = tmp_path / "model"
    place.mkdir()
    (tmp_path / "secret").write_bytes(bytes(100_000))
    (place / "link").symlink_to(tmp_path / "secret")
    deploy(spec(FIXED), place / "net.onnx", verify=False, initial=True)
    assert list(external(place / "net.onnx", location))
    with pytest.raises(fw.DiagnosticError, match=r"outside of its folder|are missing"):
        fw.predict(place / "net.onnx", problem())


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({}, "holds no specification"),
        ({"fusewright.spec": "<script>alert(1)</script>"}, "unexpected"),
        ({"fusewright.spec": "network n(C = 4, L = 2)"}, None),
        ({"fusewright.spec": "\0"}, "NUL"),
    ],
)
def test_metadata_is_untrusted(
    metadata: dict[str, str], message: str | None, tmp_path: Path
) -> None:
    model = fw.compile(spec(FIXED), "onnx")
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, metadata)
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(fw.DiagnosticError, match=message):
        fw.predict(tmp_path / "net.onnx", problem())


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    model = fw.compile(spec(FIXED), "onnx")
    model.graph.output[0].name = "other"
    model.graph.node[-1].output[0] = "other"
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(fw.DiagnosticError, match="does not give logits"):
        fw.predict(tmp_path / "net.onnx", problem())


def test_a_network_with_holes_is_not_deployed(tmp_path: Path) -> None:
    with pytest.raises(fw.DiagnosticError, match="has holes"):
        deploy(spec(), tmp_path / "net.onnx")


def test_sessions_are_opened_from_bytes_too() -> None:
    session = open_session(fw.compile(spec(FIXED), "onnx").SerializeToString())
    assert [o.name for o in session.get_outputs()] == ["logits"]
