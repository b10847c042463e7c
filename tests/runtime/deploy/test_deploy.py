"""Files that are deployed: what is in them, that they are certified, and what is refused."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from typer.testing import CliRunner

import fusewright as fw
from fusewright.compiler.targets.onnx import certificate as onnx_certificate
from fusewright.compiler.targets.onnx.file import OnnxFile
from fusewright.compiler.targets.onnx.options import OPSETS, PRECISIONS
from fusewright.compiler.targets.onnx.session import run
from fusewright.compiler.targets.target import file_targets
from fusewright.runtime.deploy.deploy import deploy
from tests.support.application import app

from ...support.deployed import refused
from ...support.running import FIXED, command, problem, spec

WIDE = fw.loads("""
network n(C = 8, L = 2)
use fusion
modality a optional { A[c 3, t *] B[t 4, c 5] }
modality b { D[h *, w *, c 4] }
cell K(A, D) { S = MHA(x, y, heads = 2) T = GMU(S, y) }
cell M(K, B) { S = AoA(x, y) }
predict 3 labels { one, two, three }
""")


# What is in a file


def test_an_onnx_file_says_where_it_comes_from(trained: Path, tmp_path: Path) -> None:
    deploy(trained / "run", tmp_path / "net.onnx")
    file = OnnxFile(tmp_path / "net.onnx")
    genotype = fw.load(trained / "run" / "genotype.fuse")
    assert fw.load(tmp_path / "net.onnx") == genotype
    assert fw.loads(file.metadata["fusewright.space"]) == spec()
    lines = (trained / "run/history.jsonl").read_text(encoding="utf-8").splitlines()
    last = {k: v for k, v in json.loads(lines[-1]).items() if k != "stage"}
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
    found = deploy(WIDE, tmp_path / "net.onnx", initial=True)
    written = json.loads((tmp_path / "net.onnx.certificate.json").read_text(encoding="utf-8"))
    assert {"opset": 23, "functions": 8, "precision": "float32"}.items() <= written.items()
    assert written["verdict"].startswith("passes: at most ")
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

    monkeypatch.setattr(onnx_certificate, "outputs", disturbed)
    with pytest.raises(fw.DiagnosticError, match="differs from the reference"):
        deploy(WIDE, tmp_path / "net.onnx", initial=True)
    assert not list(tmp_path.iterdir())
    deploy(WIDE, tmp_path / "net.onnx", precision="float16", initial=True)
    assert (tmp_path / "net.onnx").exists()


def test_weights_may_have_a_file_of_their_own(tmp_path: Path) -> None:
    found = deploy(WIDE, tmp_path / "net.onnx", external_data=True, initial=True)
    assert set(found["files"]) == {"net.onnx", "net.onnx.data"}
    deploy(WIDE, tmp_path / "one.onnx", initial=True)
    data = {"A": np.ones((2, 3, 5)), "B": np.ones((2, 4, 5)), "D": np.ones((2, 3, 3, 4))}
    assert np.array_equal(
        fw.predict(tmp_path / "net.onnx", data), fw.predict(tmp_path / "one.onnx", data)
    )
    modes = {f.stat().st_mode for f in tmp_path.iterdir() if f.name.startswith("net")}
    assert len(modes) == 1


def test_what_stands_beside_a_file_is_of_this_file(trained: Path, tmp_path: Path) -> None:
    place = tmp_path / "net.onnx"
    names: Callable[[], set[str]] = lambda: {f.name for f in tmp_path.iterdir()}  # noqa: E731
    deploy(trained / "run", place, external_data=True)
    assert names() == {"net.onnx", "net.onnx.data", "net.onnx.certificate.json"}
    deploy(trained / "run", place)
    assert names() == {"net.onnx", "net.onnx.certificate.json"}
    found = deploy(trained / "run", place, verify=False, data=trained / "data.npz")
    assert found["metrics"]["float32"] == fw.evaluate(place, trained / "data.npz")
    assert names() == {"net.onnx"}


def test_a_link_and_a_mode_stay(tmp_path: Path) -> None:
    (tmp_path / "real.onnx").touch(0o600)
    (tmp_path / "net.onnx").symlink_to("real.onnx")
    deploy(WIDE, tmp_path / "net.onnx", external_data=True, initial=True)
    assert (tmp_path / "net.onnx").is_symlink()
    names = ("real.onnx", "real.onnx.certificate.json", "real.onnx.data")
    assert sorted(f.name for f in tmp_path.iterdir()) == ["net.onnx", *names]
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in names} == {0o600}


# The other targets


def test_torch_weights_carry_their_specification(trained: Path, tmp_path: Path) -> None:
    command(tmp_path, "compile", str(trained / "run"), "-o", "net.safetensors")
    found = fw.load(tmp_path / "net.safetensors")
    assert found == fw.load(trained / "run" / "genotype.fuse")
    logits = fw.predict(found, problem(), weights=tmp_path / "net.safetensors")
    assert np.array_equal(logits, fw.predict(trained / "run", problem()))
    assert command(tmp_path, "load", "net.safetensors") == str(found)


def test_a_torch_program_runs_without_fusewright(tmp_path: Path) -> None:
    deploy(WIDE, tmp_path / "net.pt2", initial=True)
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
    assert fw.load(tmp_path / "net.pt2") == WIDE
    assert command(tmp_path, "load", "net.pt2") == str(WIDE)
    (tmp_path / "net.pt2").write_bytes((tmp_path / "net.pt2").read_bytes()[:1000])
    assert "`net.pt2` is no torch program" in refused(tmp_path, "load", "net.pt2")


def test_python_runs_without_fusewright(trained: Path, tmp_path: Path) -> None:
    command(tmp_path, "compile", str(trained / "run"), "-o", "net.py")
    command(tmp_path, "compile", str(trained / "run"), "-o", "net.safetensors")
    data = str(trained / "data.npz")
    code = (
        "import sys; sys.modules['fusewright'] = None; import net, numpy, torch; "
        "from safetensors.torch import load_file; network = net.N().eval(); "
        "network.load_state_dict(load_file('net.safetensors')); "
        f"data = numpy.load({data!r}); "
        "given = {name: torch.from_numpy(data[name]) for name in 'ABD'}; "
        "numpy.save('logits', network(given).detach().numpy())"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    found = np.load(tmp_path / "logits.npy")
    assert np.allclose(found, fw.predict(trained / "run", data), atol=1e-5)


# What is compiled


def test_weights_come_from_the_file_that_holds_the_specification(
    trained: Path, tmp_path: Path
) -> None:
    deploy(trained / "run", tmp_path / "net.safetensors")
    command(tmp_path, "compile", "net.safetensors", "-o", "net.onnx")
    found = fw.predict(tmp_path / "net.onnx", problem())
    assert np.allclose(found, fw.predict(trained / "run", problem()), atol=1e-5)


def test_only_what_is_asked_for_has_initial_weights(tmp_path: Path) -> None:
    (tmp_path / "net.fuse").write_text(str(spec(FIXED)), encoding="utf-8")
    for output in ("net.onnx", "net.safetensors", "net.pt2"):
        assert "error[E505]: the network has no weights" in refused(
            tmp_path, "compile", "net.fuse", "-o", output
        )
    assert [f.name for f in tmp_path.iterdir()] == ["net.fuse"]
    shown = command(tmp_path, "compile", "net.fuse", "--initial", "-o", "net.onnx")
    assert "parameters have their initial values" in shown
    command(tmp_path, "compile", "net.fuse", "-o", "net.py")


def test_an_onnx_file_is_not_compiled_again(tmp_path: Path) -> None:
    deploy(spec(FIXED), tmp_path / "net.onnx", verify=False, initial=True)
    for output in ("other.onnx", "other.py", "other.safetensors"):
        assert "compiled already" in refused(tmp_path, "compile", "net.onnx", "-o", output)


def test_a_model_that_is_none_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(fw.DiagnosticError, match=r"neither a run folder nor a `.safetensors`"):
        deploy(tmp_path / "none", tmp_path / "net.py")
    with pytest.raises(fw.DiagnosticError, match="neither a run folder nor an ONNX file"):
        fw.predict(tmp_path / "none", problem())


DAMAGED = {
    "cut short": b'{"stage": "tra',
    "a list": b"[]",
    "no text": b"\xff",
    "another stage": b'{"stage": "search"}',
    "no record": b"3",
    "gone": None,
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_run_whose_record_is_damaged_is_deployed(
    content: bytes | None, trained: Path, tmp_path: Path
) -> None:
    run = shutil.copytree(trained / "run", tmp_path / "run")
    (run / "history.jsonl").unlink()
    if content is not None:
        (run / "history.jsonl").write_bytes(content)
    deploy(run, tmp_path / "net.py")
    deploy(run, tmp_path / "net.onnx", verify=False)
    assert "fusewright.metrics" not in OnnxFile(tmp_path / "net.onnx").metadata


def test_a_record_that_the_system_does_not_give_is_not_left_out(
    trained: Path, tmp_path: Path
) -> None:
    run = shutil.copytree(trained / "run", tmp_path / "run")
    (run / "history.jsonl").unlink()
    (run / "history.jsonl").mkdir()
    with pytest.raises(fw.DiagnosticError, match=r"history\.jsonl` cannot be read"):
        deploy(run, tmp_path / "net.onnx", verify=False)
    assert not (tmp_path / "net.onnx").exists()


def test_a_run_with_other_weights_says_nothing_of_its_own(trained: Path, tmp_path: Path) -> None:
    weights = trained / "run" / "weights.safetensors"
    deploy(trained / "run", tmp_path / "net.onnx", weights=weights, verify=False)
    assert set(OnnxFile(tmp_path / "net.onnx").metadata) == {"fusewright.spec"}


# Options


@pytest.mark.parametrize(
    ("output", "options", "message"),
    [
        ("net.foo", (), "names no target"),
        ("net.onnx", ("--opset", "9"), "not written at opset 9"),
        ("net.py", ("--inline",), "the target `python` takes no option `inline`"),
        ("net.py", ("--opset", "0"), "the target `python` takes no option `opset`"),
        ("net.py", ("--data", "none.npz"), "the target `python` takes no option `data`"),
        ("net.py", ("--no-verify",), "the target `python` takes no option `verify`"),
        ("net.py", ("--weights", "none"), "the target `python` takes no option `weights`"),
        ("net.py", ("--initial",), "the target `python` takes no option `initial`"),
        ("net.pt2", ("--precision", "int8"), "the target `pt2` takes no option `precision`"),
        ("net.onnx", ("--set", "C=16"), "`--set` does not apply"),
        ("net.onnx", ("--initial",), "the network has weights"),
        ("net.onnx", ("--opset", "0"), "not written at opset 0"),
        ("net.onnx", ("--precision", "int9"), "unknown precision `int9`"),
        ("net", ("--to", "onxx"), "unknown target `onxx`"),
        (".", ("--to", "onnx"), "is a folder"),
        (f"{'a' * 250}.onnx", (), "file name too long"),
        ("none/net.onnx", (), "does not exist"),
        ("net.onnx", ("--precision", "int8-static"), "needs samples"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    output: str, options: tuple[str, ...], message: str, trained: Path, tmp_path: Path
) -> None:
    found = refused(tmp_path, "compile", str(trained / "run"), "-o", output, *options)
    assert message in found
    assert " = help: " in found or "E504" in found
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("target", "options", "message"),
    [
        ("torch", {"probabilities": True, "nonsense": 1}, "no option `probabilities`"),
        ("torch", {"sead": 1}, "did you mean `seed`"),
        ("python", {"weights": "no such file"}, "no option `weights`"),
        ("python", {"seed": 1}, "no option `seed`"),
        ("onnx", {"nonsense": 1}, "no option `nonsense`"),
        ("numpy", {"opset": 23}, "no option `opset`"),
        ("onxx", {}, "did you mean `onnx`"),
    ],
)
def test_the_api_refuses_options_that_do_not_fit(
    target: str, options: dict[str, Any], message: str
) -> None:
    compile: Any = fw.compile
    with pytest.raises(fw.DiagnosticError, match=message) as caught:
        compile(spec(FIXED), target, **options)
    assert [d.code for d in caught.value.diagnostics] == ["E506"]


def test_the_help_names_every_target_ending_and_precision() -> None:
    shown = CliRunner().invoke(app, ["compile", "--help"], env={"COLUMNS": "200"}).output
    names = set(re.findall(r"[\w.-]+\w", shown))
    assert {target.ending for target in file_targets().values()} - {".onnx"} <= names
    assert {"FILE.onnx", *file_targets(), *PRECISIONS} <= names


def test_values_have_no_probabilities(tmp_path: Path) -> None:
    with pytest.raises(fw.DiagnosticError, match="no probabilities"):
        deploy(spec(FIXED, "2 values"), tmp_path / "net.onnx", probabilities=True, initial=True)
