"""The embedding is an output of ONNX files on request, and their certificates cover it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from onnx import helper

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.network.names import EMBEDDING
from fusewright.compiler.targets.onnx.embedding import embedding_of
from fusewright.compiler.targets.onnx.export import compile_onnx
from fusewright.compiler.targets.onnx.options import OnnxOptions
from fusewright.compiler.targets.onnx.session import open_session, outputs
from fusewright.compiler.targets.target import Subject

from ...support.programs import random_inputs, specs

NETWORK = fw.loads(
    """network n(C = 4, L = 2) use bmnas modality m { A[c 3] B[t 2, c 5] }
    cell K(A, B) { S = Sum(x, y) T = ConcatFC(x, S) } predict 3 classes"""
)


def features() -> dict[str, Any]:
    generator = np.random.default_rng(0)
    shapes = {"A": (5, 3), "B": (5, 2, 5)}
    return {n: generator.normal(size=s).astype(np.float32) for n, s in shapes.items()}


@pytest.mark.parametrize("options", [{}, {"inline": True}, {"probabilities": True}], ids=str)
def test_a_file_gives_the_embedding_and_is_certified_with_it(
    options: dict[str, Any], tmp_path: Path
) -> None:
    facts = fw.deploy(NETWORK, tmp_path / "n.onnx", initial=True, embedding=True, **options)
    names = [one["inputs"] for one in facts["comparisons"]]
    assert names[:2] == ["random, batch 1", "random, batch 1: embedding"]
    assert facts["verdict"].startswith("passes: ")
    session = open_session(tmp_path / "n.onnx")
    assert [o.name for o in session.get_outputs()][1:] == ["embedding"]
    module = fw.compile(NETWORK, "torch").eval()
    with torch.no_grad():
        expected = module.embed({n: torch.from_numpy(a) for n, a in features().items()}).numpy()
    assert np.allclose(outputs(session, features(), EMBEDDING), expected, atol=1e-6)
    predicted = fw.predict(tmp_path / "n.onnx", features())
    assert np.array_equal(predicted, outputs(session, features()))


def test_a_wrong_embedding_is_not_certified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def moved(subject: Subject) -> Any:
        return lambda features: embedding_of(subject)(features) + 0.01

    monkeypatch.setattr("fusewright.runtime.deploy.onnx.embedding_of", moved)
    with pytest.raises(fw.DiagnosticError, match="on inputs that are random, batch 1: embedding"):
        fw.deploy(NETWORK, tmp_path / "n.onnx", initial=True, embedding=True)
    assert list(tmp_path.iterdir()) == []


def test_less_precise_files_measure_it(tmp_path: Path) -> None:
    fw.deploy(NETWORK, tmp_path / "n.onnx", initial=True, embedding=True, precision="float16")
    certificate = json.loads((tmp_path / "n.onnx.certificate.json").read_text(encoding="utf-8"))
    of_embedding = [c for c in certificate["comparisons"] if c["inputs"].endswith(": embedding")]
    assert all(0 < c["relative"] < 0.01 or c["inputs"].startswith("zero") for c in of_embedding)


def test_an_ensemble_and_a_feature_of_the_name_have_none() -> None:
    named = fw.loads(str(NETWORK).replace("A[", "embedding[").replace("(A", "(embedding"))
    with pytest.raises(fw.DiagnosticError, match="a feature is named `embedding`"):
        fw.compile(named, "onnx", embedding=True)


def test_a_file_with_another_second_output_is_foreign(tmp_path: Path) -> None:
    model = fw.compile(NETWORK, "onnx", embedding=True)
    model.graph.output[1].CopyFrom(
        helper.make_tensor_value_info("embedding", onnx.TensorProto.FLOAT, ["batch", 3])
    )
    onnx.save(model, tmp_path / "n.onnx")
    with pytest.raises(fw.DiagnosticError, match="gives more than its specification says"):
        fw.predict(tmp_path / "n.onnx", features())


@settings(max_examples=12)
@given(specs(holes=False))
def test_the_embedding_of_every_network_is_that_of_its_module(spec: fw.Spec) -> None:
    if spec.heads:
        with pytest.raises(fw.DiagnosticError, match="each of several heads"):
            compile_onnx(Subject(checked(spec)), OnnxOptions(embedding=True))
        return
    subject = Subject(checked(spec))
    model = compile_onnx(subject, OnnxOptions(embedding=True))
    module = fw.compile(spec, "torch").eval()
    inputs = random_inputs(subject.program, 3, 0)
    with torch.no_grad():
        expected = module.embed({n: torch.from_numpy(a) for n, a in inputs.items()}).numpy()
    found = outputs(open_session(model.SerializeToString()), inputs, EMBEDDING)
    assert np.abs(found - expected).max() <= 1e-4 * max(1.0, np.abs(expected).max())
