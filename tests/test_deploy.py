"""Files that are deployed: what is in them, that they are certified, and what is refused."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from safetensors.numpy import save_file

import fusewright as fw
from fusewright.compiler.compile import to_program
from fusewright.compiler.initial import initial_values
from fusewright.compiler.targets.onnx import certificate as onnx_certificate
from fusewright.compiler.targets.onnx.builder import OPSETS
from fusewright.compiler.targets.onnx.file import OnnxFile, open_session, run
from fusewright.runtime.deploy import deploy
from fusewright.runtime.settings import Settings

from .test_runtime import FIXED, command, problem, spec

NAMED = '3 classes { cat, `<script>alert(1)</script>`, `naïve, "quoted"` }'
WIDE = fw.loads("""
network n(C = 8, L = 2)
use fusion
modality a optional { A[c 3, t *] B[t 4, c 5] }
modality b { D[h *, w *, c 4] }
cell K(A, D) { S = MHA(x, y, heads = 2) T = GMU(S, y) }
cell M(K, B) { S = AoA(x, y) }
predict 3 labels { one, two, three }
""")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained run beside its data."""
    folder = tmp_path_factory.mktemp("trained")
    np.savez(folder / "data.npz", **problem())
    settings = Settings(epochs=6, batch=16)
    found = fw.search(spec(), problem(), settings=settings, out=folder / "run")
    fw.train(found.genotype, problem(), settings=settings, out=folder / "run")
    return folder


def arrays_of(path: Path) -> dict[str, Any]:
    with np.load(path) as file:
        return dict(file)


# What is in a file


def test_an_onnx_file_says_where_it_comes_from(trained: Path, tmp_path: Path) -> None:
    deploy(trained / "run", tmp_path / "net.onnx")
    file = OnnxFile(tmp_path / "net.onnx")
    genotype = fw.load(trained / "run" / "genotype.fuse")
    assert fw.load(tmp_path / "net.onnx") == genotype
    assert fw.loads(file.metadata["fusewright.space"]) == spec()
    last = json.loads((trained / "run/train.json").read_text(encoding="utf-8"))["epochs"][-1]
    assert file.as_json()["fusewright.metrics"] == last
    model = onnx.load(tmp_path / "net.onnx")
    assert (model.producer_name, model.producer_version) == ("fusewright", version("fusewright"))


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("inline", [False, True])
def test_cells_and_steps_are_functions_with_their_equations(opset: int, inline: bool) -> None:
    model = fw.compile(WIDE, "onnx", opset=opset, inline=inline)
    assert {o.domain: o.version for o in model.opset_import}[""] == opset
    functions = {f.name: f for f in model.functions}
    calls = [node.op_type for node in model.graph.node if node.domain == "fusewright"]
    if inline:
        assert not functions
        assert not calls
        return
    assert calls == ["A", "B", "D", "K", "M"]
    assert set(functions) == {"A", "B", "D", "K", "K.S", "K.T", "M", "M.S"}
    assert functions["A"].doc_string.startswith("A[c 3, t *]\nrole adapt(f)")
    assert "op GMU(x, y)" in functions["K.T"].doc_string
    assert functions["K.S"].doc_string.startswith("S = MHA (heads = 2)(x, y)")
    native = {node.op_type for f in model.functions for node in f.node} & {"Attention"}
    assert bool(native) == (opset >= 23)


def test_no_batch_norm_is_left_to_compute() -> None:
    model = fw.compile(spec(FIXED), "onnx", inline=True)
    names = [i.name for i in model.graph.initializer]
    assert not [n for n in names if n.endswith(("mean", "variance"))]
    assert not {n.op_type for n in model.graph.node} & {"Sqrt", "Div", "BatchNormalization"}


def test_the_batch_and_open_axes_are_dynamic() -> None:
    model = fw.compile(WIDE, "onnx")
    shapes = {
        item.name: [d.dim_param or d.dim_value for d in item.type.tensor_type.shape.dim]
        for item in (*model.graph.input, *model.graph.output)
    }
    assert shapes["A"] == ["batch", 3, "A.t"]
    assert shapes["D"] == ["batch", "D.h", "D.w", 4]
    assert shapes["logits"] == ["batch", 3]


def test_a_certificate_says_what_was_measured(tmp_path: Path) -> None:
    found = deploy(WIDE, tmp_path / "net.onnx")
    written = json.loads((tmp_path / "net.onnx.certificate.json").read_text(encoding="utf-8"))
    assert {"opset": 23, "functions": 8, "precision": "float32"}.items() <= written.items()
    kinds = [c["inputs"] for c in written["comparisons"]]
    assert kinds == [
        "random, batch 1",
        "random, batch 7",
        "zero",
        "large",
        "as short as can be",
        "long",
        "of several lengths and partly absent",
    ]
    assert found["relative"] == max(c["relative"] for c in written["comparisons"])
    assert all(c["relative"] >= 0 and c["torch"] is not None for c in written["comparisons"])
    (digest,) = written["files"].values()
    assert digest["bytes"] == (tmp_path / "net.onnx").stat().st_size


def test_a_float32_file_that_differs_is_not_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def disturbed(session: Any, inputs: Any) -> Any:
        return run(session, inputs) + 1e-3

    monkeypatch.setattr(onnx_certificate, "run", disturbed)
    with pytest.raises(fw.DiagnosticError, match="differs from the reference"):
        deploy(WIDE, tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())
    deploy(WIDE, tmp_path / "net.onnx", precision="float16")
    assert (tmp_path / "net.onnx").exists()


def test_weights_may_have_a_file_of_their_own(tmp_path: Path) -> None:
    found = deploy(WIDE, tmp_path / "net.onnx", external_data=True)
    assert set(found["files"]) == {"net.onnx", "net.onnx.data"}
    deploy(WIDE, tmp_path / "one.onnx")
    data = {"A": np.ones((2, 3, 5)), "B": np.ones((2, 4, 5)), "D": np.ones((2, 3, 3, 4))}
    assert np.array_equal(
        fw.predict(tmp_path / "net.onnx", data), fw.predict(tmp_path / "one.onnx", data)
    )
    modes = {f.stat().st_mode for f in tmp_path.iterdir() if f.name.startswith("net")}
    assert len(modes) == 1


# The other targets


def test_torch_weights_carry_their_specification(trained: Path, tmp_path: Path) -> None:
    command(tmp_path, "compile", str(trained / "run"), "-o", "net.safetensors")
    found = fw.load(tmp_path / "net.safetensors")
    assert found == fw.load(trained / "run" / "genotype.fuse")
    logits = fw.predict(found, problem(), weights=tmp_path / "net.safetensors")
    assert np.array_equal(logits, fw.predict(trained / "run", problem()))
    assert command(tmp_path, "load", "net.safetensors") == str(found)


def test_a_torch_program_runs_without_fusewright(tmp_path: Path) -> None:
    deploy(WIDE, tmp_path / "net.pt2")
    inputs: dict[str, torch.Tensor] = {
        "A": torch.randn(5, 3, 6), "B": torch.randn(5, 4, 5), "D": torch.randn(5, 2, 7, 4),
    }  # fmt: skip
    module = fw.compile(WIDE, "torch").eval()
    given = inputs | {
        i.name: torch.full((5,), i.default) for i in module.program.inputs if i.name not in inputs
    }
    torch.save({"inputs": given, "logits": module(inputs).detach()}, tmp_path / "case.pt")
    code = (
        "import sys, torch; sys.modules['fusewright'] = None; case = torch.load('case.pt'); "
        "found = torch.export.load('net.pt2').module()(case['inputs']); "
        "assert torch.allclose(found, case['logits'], atol=1e-6)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


def test_python_is_written_and_runs(trained: Path, tmp_path: Path) -> None:
    command(tmp_path, "compile", str(trained / "run"), "-o", "net.py")
    assert "class K_1(nn.Module):" in (tmp_path / "net.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("output", "options", "message"),
    [
        ("net.foo", (), "names no target"),
        ("net.onnx", ("--opset", "9"), "not written at opset 9"),
        ("net.py", ("--inline",), "options of ONNX do not apply"),
        ("net.pt2", ("--precision", "int8"), "options of ONNX do not apply"),
        ("none/net.onnx", (), "does not exist"),
        ("net.onnx", ("--precision", "int8-static"), "needs samples"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    output: str, options: tuple[str, ...], message: str, trained: Path, tmp_path: Path
) -> None:
    found = refused(tmp_path, "compile", str(trained / "run"), "-o", output, *options)
    assert message in found
    assert not list(tmp_path.iterdir())


def test_values_have_no_probabilities(tmp_path: Path) -> None:
    with pytest.raises(fw.DiagnosticError, match="no probabilities"):
        deploy(spec(FIXED, "2 values"), tmp_path / "net.onnx", probabilities=True)


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
    deploy(network, tmp_path / "net.onnx", probabilities=True)
    assert network.predict is not None
    names = network.predict.names
    assert names is not None
    assert OnnxFile(tmp_path / "net.onnx").as_json()["fusewright.classes"] == list(names)
    for name in ("out.npz", "out.csv"):
        command(tmp_path, "predict", "net.onnx", "--data", "data.npz", "-o", name)
    arrays = arrays_of(tmp_path / "out.npz")
    rows = list(csv.reader((tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()))
    shares = arrays["probabilities"]
    assert rows[0] == ["sample", "predicted", *(f"probabilities {n}" for n in names)]
    assert len(rows) == 1 + len(shares)
    if kind == "classes":
        assert np.allclose(shares.sum(1), 1, atol=1e-6)
        assert [r[1] for r in rows[1:]] == [names[i] for i in shares.argmax(1)]
        assert arrays["predicted_name"].tolist() == [r[1] for r in rows[1:]]
    else:
        assert np.array_equal(arrays["predicted"], shares > 0.3)
        chosen = [[n for n, p in zip(names, row, strict=True) if p > 0.3] for row in shares]
        assert [r[1] for r in rows[1:]] == ["; ".join(c) for c in chosen]


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


def refused(at: Path, *arguments: str) -> str:
    """The diagnostic of a command that must fail without a traceback."""
    code = f"import sys; sys.argv = {['fusewright', *arguments]!r}; " + (
        "from fusewright.cli import main; main()"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=at, capture_output=True, text=True, check=False
    )
    assert found.returncode == 1, found.stderr
    assert "Traceback" not in found.stderr
    assert "error[E" in found.stderr
    return found.stderr


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
    deploy(spec(FIXED), tmp_path / "net.onnx", verify=False)
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
    deploy(spec(FIXED), place / "net.onnx", verify=False)
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
