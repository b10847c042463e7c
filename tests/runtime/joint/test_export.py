"""One ONNX file from raw inputs: what it is, what it gives, and what was measured of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from typer.testing import CliRunner

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.compiler.targets.onnx.file import OnnxFile
from fusewright.compiler.targets.target import Subject
from fusewright.compiler.targets.torch.module import compile_torch
from fusewright.runtime.backbones.backbone import open_backbone
from fusewright.runtime.backbones.options import BackboneOptions
from fusewright.runtime.deploy.joint import deploy_joint
from fusewright.runtime.joint.modalities import Extractor, raw_modalities
from fusewright.runtime.runs.weights import weights_from
from tests.support.application import app
from tests.support.backbones import HERE, OPTIONS
from tests.support.joint import SPEC, raw_data

pytest.importorskip("onnxscript")
NAMED = [f"--backbone={name}={HERE}:{name}" for name in ("pictures", "texts")]


class Joint(NamedTuple):
    """A joint run, its ONNX file, and what was measured of that."""

    run: Path
    file: Path
    facts: dict[str, Any]


def called(*arguments: object) -> str:
    """What a command prints."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output + str(result.exception)
    return result.stdout


@pytest.fixture(scope="module")
def joint(tmp_path_factory: pytest.TempPathFactory) -> Joint:
    """Trained and compiled by command."""
    folder = tmp_path_factory.mktemp("joint")
    (folder / "n.fuse").write_text(str(SPEC), encoding="utf-8")
    np.savez(folder / "raw.npz", **raw_data())
    quick = ("--epochs", 1, "--batch", 16, "--backbone-learning-rate", 1e-3)
    run, file = folder / "run", folder / "joint.onnx"
    called(
        "train",
        folder / "n.fuse",
        "--joint",
        "--data",
        folder / "raw.npz",
        "--out",
        run,
        *quick,
        *NAMED,
    )
    facts = json.loads(called("compile", run, "--joint", "-o", file, "--json", *NAMED))
    return Joint(run, file, facts)


def in_torch(run: Path, inputs: dict[str, NDArray[Any]]) -> NDArray[Any]:
    """What the trained network gives for raw inputs, by torch."""
    spec = fw.load(run / "genotype.fuse")
    references = ("module:pictures", "module:texts")
    trained = [f"{name}={run / 'backbones.safetensors'}" for name in references]
    options = OPTIONS.with_options(pretrained=trained)
    network = checked(spec)
    extractor = Extractor(raw_modalities(spec, options, network)).eval()
    module = compile_torch(Subject(network, weights_from(run / "weights.safetensors"))).eval()
    tensors = {name: torch.from_numpy(array) for name, array in inputs.items()}
    with torch.no_grad():
        logits: NDArray[Any] = module({**tensors, **extractor(tensors)}).numpy()
    return logits


def test_it_gives_what_torch_gives_from_raw_inputs(joint: Joint) -> None:
    data = raw_data(5, seed=3)
    inputs = {n: a for n, a in data.items() if n not in ("labels", "split")}
    inputs["image.present"] = inputs["image.present"].astype(np.float32)
    session: Any = onnxruntime.InferenceSession(joint.file)
    given = {i.name for i in (*session.get_inputs(), *session.get_overridable_initializers())}
    assert given == set(inputs)
    (logits,) = session.run(None, inputs)
    np.testing.assert_allclose(logits, in_torch(joint.run, inputs), atol=1e-5)
    few = {n: a for n, a in inputs.items() if n in ("image", "text", "D")}
    (whole,) = session.run(None, few)
    np.testing.assert_allclose(whole, in_torch(joint.run, few), atol=1e-5)
    assert np.abs(whole - logits).max() > 1e-3


def test_it_is_certified_on_raw_inputs(joint: Joint) -> None:
    beside = json.loads(Path(f"{joint.file}.certificate.json").read_text(encoding="utf-8"))
    assert beside["comparisons"] == joint.facts["comparisons"]
    verdicts = {c["inputs"]: c["verdict"] for c in joint.facts["comparisons"]}
    assert len(verdicts) == 7
    assert set(verdicts.values()) <= {"passes", "passes by the margin"}
    assert joint.facts["backbone of image"] == "module:pictures, given"
    assert joint.facts["functions"] == 7


def test_functions_are_kept_and_nothing_is_said_of_where_it_was_made(joint: Joint) -> None:
    model = onnx.load(joint.file)
    assert {"K", "K.S", "A", "T"} <= {function.name for function in model.functions}
    assert len(model.opset_import) == 2
    content = joint.file.read_bytes()
    assert b"/work" not in content
    assert str(Path(__file__).parents[3]).encode() not in content
    told = OnnxFile(joint.file).as_json()["fusewright.joint"]
    assert told["image"]["shape"] == [3, 16, 16]
    assert told["image"]["transform"]["mean"] == [0.5, 0.5, 0.5]
    assert told["text"]["below"] == 32
    assert len(told["text"]["identity"]["weights"]) == 64


def test_it_predicts_apart_as_torch_does(joint: Joint, tmp_path: Path) -> None:
    data, out = joint.run.parent / "raw.npz", tmp_path / "out.npz"
    called("predict", joint.file, "--joint", "--data", data, "-o", out)
    inputs = {n: a for n, a in raw_data().items() if n not in ("labels", "split")}
    inputs["image.present"] = inputs["image.present"].astype(np.float32)
    found = np.load(out)["logits"]
    np.testing.assert_allclose(found, in_torch(joint.run, inputs), atol=1e-5)


@pytest.mark.parametrize("kind", [np.bool_, np.float64])
def test_tensors_of_other_types_that_backbones_have_are_run(
    kind: type[np.generic], joint: Joint, tmp_path: Path
) -> None:
    model = onnx.load(joint.file)
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.ones(3, kind), "text/new_ones"))
    onnx.save(model, tmp_path / "joint.onnx")
    data, out = joint.run.parent / "raw.npz", tmp_path / "out.npz"
    called("predict", tmp_path / "joint.onnx", "--joint", "--data", data, "-o", out)
    assert np.isfinite(np.load(out)["logits"]).all()


def test_the_specification_is_inside_and_it_is_run_where_that_is_said_alone(
    joint: Joint,
) -> None:
    assert called("load", joint.file) == str(fw.load(joint.run / "genotype.fuse"))
    with pytest.raises(DiagnosticError) as error:
        fw.predict(joint.file, raw_data(4))
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "E504"
    assert "holds backbones" in diagnostic.message


def test_weights_of_a_joint_run_are_those_of_its_backbones(joint: Joint) -> None:
    file = joint.run / "backbones.safetensors"
    given = OPTIONS.with_options(pretrained=[f"module:pictures={file}"])
    opened = open_backbone("module:pictures", given)
    weights = weights_from(file)
    name = "stages.0.convolution.weight"
    assert np.array_equal(
        opened.module.get_parameter(name).detach().numpy(), weights[f"module:pictures/{name}"]
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"precision": "float16"}, "a model with backbones is written in float32"),
        ({"opset": 17}, "a model with backbones is not written at opset 17"),
        ({"backbones": BackboneOptions()}, "`module:pictures` is a function that was not named"),
        ({"output": "n.pt2"}, "`n.pt2` is no name of an ONNX file"),
    ],
)
def test_what_cannot_be_written_is_refused(
    options: dict[str, Any], message: str, joint: Joint, tmp_path: Path
) -> None:
    given: dict[str, Any] = {"backbones": OPTIONS, "output": tmp_path / "n.onnx", **options}
    with pytest.raises(DiagnosticError) as error:
        deploy_joint(joint.run, **given)
    assert error.value.diagnostics[0].message.startswith(message)
    assert not list(tmp_path.iterdir())


def test_options_of_backbones_go_with_joint_alone(joint: Joint) -> None:
    result = CliRunner().invoke(app, ["compile", str(joint.run), "-o", "n.onnx", *NAMED])
    assert isinstance(result.exception, DiagnosticError)
    assert "`--backbone` is for what runs with backbones" in str(result.exception)
