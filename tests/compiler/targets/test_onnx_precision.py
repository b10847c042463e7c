"""Models in less than float32: near to those in float32, smaller, and otherwise the same."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper
from onnx.inliner import inline_local_functions

from fusewright.compiler.check.check import checked
from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.compiler.diagnostics.text import shortened
from fusewright.compiler.documents.spellings import loads
from fusewright.compiler.language.spec import Spec
from fusewright.compiler.network.vocabulary import library, library_names
from fusewright.compiler.targets.onnx.export import compile_onnx
from fusewright.compiler.targets.onnx.options import PRECISIONS, OnnxOptions, Precision
from fusewright.compiler.targets.onnx.precision import with_precision
from fusewright.compiler.targets.onnx.session import open_session, run
from fusewright.compiler.targets.target import Subject

from ...support.paths import ROOT

EXAMPLES = (
    "ego1_genotype",
    "ntu1_genotype",
    "mmimdb1_genotype",
    "aoa",
    "late_fusion",
    "three_modalities",
    "systems/tef",
)
LOWER = tuple(p for p in PRECISIONS if p != "float32")
FARTHEST: Mapping[Precision, float] = {"float16": 2e-3, "int8": 0.05, "int8-static": 0.1}
"""The largest difference that is accepted, relative to the largest output."""
OPSETS = range(17, 25)
Inputs = Mapping[str, NDArray[Any]]


@cache
def example(name: str) -> onnx.ModelProto:
    text = (ROOT / "examples" / f"{name}.fuse").read_text(encoding="utf-8")
    return model_of(loads(text, f"{name}.fuse", "fuse"))


def model_of(spec: Spec | str, opset: int = 23) -> onnx.ModelProto:
    network = checked(loads(spec) if isinstance(spec, str) else spec)
    return compile_onnx(Subject(network), OnnxOptions(opset=opset))


def required(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    """The inputs that have no default: the features."""
    defaults = {tensor.name for tensor in model.graph.initializer}
    return [item for item in model.graph.input if item.name not in defaults]


def batch_of(model: onnx.ModelProto, batch: int, seed: int, time: int = 7) -> Inputs:
    """Normal features, of so many samples and so many steps in time."""
    generator = np.random.default_rng(seed)
    found = {}
    for item in required(model):
        axes = item.type.tensor_type.shape.dim[1:]
        shape = (batch, *(axis.dim_value or time for axis in axes))
        found[item.name] = generator.normal(size=shape).astype(np.float32)
    return found


def samples_of(model: onnx.ModelProto) -> list[Inputs]:
    return [batch_of(model, 16, seed, time=3 + seed) for seed in range(1, 5)]


def outputs(model: onnx.ModelProto, inputs: Inputs) -> NDArray[Any]:
    return run(open_session(model.SerializeToString()), inputs)


def distance(found: NDArray[Any], expected: NDArray[Any]) -> float:
    assert np.isfinite(found).all()
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def assert_near(model: onnx.ModelProto, precision: Precision) -> onnx.ModelProto:
    """The valid model in that precision, whose outputs differ, but little."""
    made = with_precision(model, precision, samples_of(model))
    onnx.checker.check_model(made, full_check=True)
    onnx.shape_inference.infer_shapes(made, check_type=True, strict_mode=True)
    inputs = batch_of(model, 16, seed=0)
    far = distance(outputs(made, inputs), outputs(model, inputs))
    assert 0 < far <= FARTHEST[precision]
    return made


def operators(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


# Examples


@pytest.mark.parametrize("precision", LOWER)
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_near_and_smaller(name: str, precision: Precision) -> None:
    model = example(name)
    made = assert_near(model, precision)
    share = made.ByteSize() / model.ByteSize()
    assert share <= (0.55 if precision == "float16" else 0.4)
    if model.ByteSize() > 1_000_000:
        assert share <= (0.51 if precision == "float16" else 0.3)
    inputs = batch_of(model, 64, seed=9)
    found, expected = outputs(made, inputs), outputs(model, inputs)
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.995
    assert (found.argmax(1) == expected.argmax(1)).mean() > 0.9


@pytest.mark.parametrize("precision", LOWER)
def test_what_is_no_node_or_weight_survives(precision: Precision) -> None:
    model = onnx.ModelProto()
    model.CopyFrom(example("three_modalities"))
    model.doc_string, model.domain, model.model_version = "a model", "org.example", 7
    model.graph.doc_string = "a graph"
    model.graph.input[0].doc_string = "words"
    before = model.SerializeToString()
    made = with_precision(model, precision, samples_of(model))
    assert model.SerializeToString() == before
    assert not made.functions
    assert [o for o in made.opset_import if not o.domain] == list(made.opset_import)
    for one in (model, made):
        one.ClearField("functions")
        one.ClearField("opset_import")
        for field in ("node", "initializer"):
            one.graph.ClearField(field)
    assert made.metadata_props
    assert made == model


def test_float32_is_the_model_itself() -> None:
    assert with_precision(example("aoa"), "float32") is example("aoa")


@pytest.mark.parametrize("precision", LOWER)
def test_lengths_and_presence_may_be_given_and_left_out(precision: Precision) -> None:
    model = example("three_modalities")
    made = with_precision(model, precision, samples_of(model))
    assert [item.name for item in required(made)] == ["Words", "Voice", "Face"]
    inputs = batch_of(model, 4, seed=1)
    absent = np.array([0.0, 1.0, 0.0, 1.0])
    for more in ({}, {"Words.lengths": np.array([1, 3, 7, -1]), "video.present": absent}):
        given = {**inputs, **more}
        far = distance(outputs(made, given), outputs(model, given))
        assert far <= FARTHEST[precision]


def test_samples_may_have_lengths_and_presence() -> None:
    model = example("three_modalities")
    lengths = {"Words.lengths": np.array([2.0] * 8), "video.present": np.array([True])}
    one = with_precision(model, "int8-static", [batch_of(model, 8, seed=1)])
    other = with_precision(model, "int8-static", [{**batch_of(model, 8, seed=1), **lengths}])
    assert one != other


@pytest.mark.parametrize("opset", [17, 23])
def test_linear_maps_are_quantised_and_nothing_else(opset: int) -> None:
    model = model_of(around("Attention", 2, "paper"), opset)
    maps = ["A.adapt.W", "B.adapt.W", "head.W"]
    assert {t.name for t in model.graph.initializer} >= set(maps)
    products = operators(inline_local_functions(model)).count("MatMul")
    assert products == len(maps) + (2 if opset < 23 else 0)
    dynamic = operators(with_precision(model, "int8"))
    assert dynamic.count("MatMulInteger") == len(maps)
    assert dynamic.count("MatMul") == products - len(maps)
    static = operators(with_precision(model, "int8-static", samples_of(model)))
    assert static.count("MatMul") == products
    assert static.count("QuantizeLinear") == len(maps)
    assert static.count("DequantizeLinear") == 2 * len(maps)


@pytest.mark.parametrize("precision", LOWER)
def test_the_same_model_comes_out_twice(precision: Precision) -> None:
    model = example("aoa")
    one, other = (with_precision(model, precision, samples_of(model)) for _ in range(2))
    assert one.SerializeToString(deterministic=True) == other.SerializeToString(deterministic=True)


# Operations and operator sets


FEATURES = ("A[c 40, t *]", "B[c 30, h 4, w 5]", "D[t 6, c 20]")


def around(operation: str, count: int, use: str) -> str:
    """A network of one Step that applies an operation to so many features."""
    return (
        f"network n(C = 32, L = 8, dropout = 0.2) use {use} role combine(*h) = concat(*h) "
        f"modality m {{ {' '.join(FEATURES[:count])} }} "
        f"cell K({', '.join('ABD'[:count])}) {{ S = {operation}({', '.join('xyz'[:count])}) }} "
        "predict 5 classes"
    )


OPERATIONS = [
    (name, definition.name, len(definition.inputs))
    for name in library_names()
    if name != "evidence"  # of logits, for heads: an example has them
    for definitions in library(name).operations.values()
    for definition in definitions
    if definition.name != "Zero"  # of which nothing depends on the input
]


@pytest.mark.parametrize("precision", LOWER)
@pytest.mark.parametrize(("use", "operation", "count"), OPERATIONS)
def test_an_operation_is_near(use: str, operation: str, count: int, precision: Precision) -> None:
    assert_near(model_of(around(operation, count, use)), precision)


EVERYTHING = """
network n(C = 32, L = 6, dropout = 0.2)
use fusion
role adapt(f) for words = layernorm(resample(f, by = linear) @ W[c, C] + b[C])
modality words { A[c 40, t *] }
modality image { B[c 30, h *, w *] }
modality sound optional { D[t *, c 20] }
cell K(A, B) { S = MHA(x, y, heads = 4) T = FiLM(S, x) }
cell M(K, D) { S = Max(x, y) }
predict 5 classes
"""


@pytest.mark.parametrize("precision", LOWER)
@pytest.mark.parametrize("opset", OPSETS)
def test_every_operator_set_works(opset: int, precision: Precision) -> None:
    made = assert_near(model_of(EVERYTHING, opset), precision)
    assert made.opset_import[0].version == opset


# What float16 cannot hold


@pytest.mark.parametrize("opset", [17, 23])
def test_float16_counts_long_times(opset: int) -> None:
    model = model_of(EVERYTHING, opset)
    made = with_precision(model, "float16")
    inputs = {
        **batch_of(model, 2, seed=1),
        "A": np.random.default_rng(1).normal(size=(2, 40, 5001)),
        "A.lengths": np.array([5001, 4097]),
    }
    assert distance(outputs(made, inputs), outputs(model, inputs)) <= FARTHEST["float16"]


@pytest.mark.parametrize("opset", [17, 23])
@pytest.mark.parametrize("operation", ["Attention", "LinearGLU"])
def test_float16_attends_to_large_features(operation: str, opset: int) -> None:
    model = model_of(around(operation, 2, "bmnas"), opset)
    made = with_precision(model, "float16")
    inputs = {name: 1e3 * array for name, array in batch_of(model, 4, seed=1).items()}
    assert distance(outputs(made, inputs), outputs(model, inputs)) <= 2e-2


def test_float16_keeps_masked_places_out() -> None:
    model = example("late_fusion")
    made = with_precision(model, "float16")
    inputs = {**batch_of(model, 2, seed=1), "Video_4.lengths": np.array([1, 2])}
    changed = {**inputs, "Video_4": inputs["Video_4"].copy()}
    changed["Video_4"][:, :, 2:] = 1e4
    assert np.array_equal(outputs(made, inputs), outputs(made, changed))


def test_a_weight_beyond_float16_is_named() -> None:
    model = onnx.ModelProto()
    model.CopyFrom(example("late_fusion"))
    weight = next(t for t in model.graph.initializer if t.name == "head.W")
    array = numpy_helper.to_array(weight).copy()
    array[0, 0] = -1e6
    weight.CopyFrom(numpy_helper.from_array(array, weight.name))
    assert "`head.W` reaches 1e+06" in refusal(model, "float16", code="E505")
    assert np.isfinite(outputs(with_precision(model, "int8"), batch_of(model, 2, seed=0))).all()


def test_a_number_beyond_float16_is_refused() -> None:
    own = "op Own(x, y) = x * 1e5 + tanh(y)"
    text = around("Own", 2, "fusion").replace("role combine", f"{own} role combine")
    assert "reaches 1e+05" in refusal(model_of(text), "float16", code="E505")


# What cannot be used


def refusal(
    model: onnx.ModelProto, precision: str, samples: Sequence[Inputs] = (), code: str = "E506"
) -> str:
    """The diagnostic of a conversion that must fail, with this code."""
    with pytest.raises(DiagnosticError) as caught:
        with_precision(model, precision, samples)  # type: ignore[arg-type]
    assert [d.code for d in caught.value.diagnostics] == [code]
    assert caught.value.diagnostics[0].help
    return str(caught.value)


@pytest.mark.parametrize("name", ["float61", "INT8", "", "float64", "int8_static", "x" * 10_000])
def test_an_unknown_precision_is_refused(name: str) -> None:
    assert f"unknown precision `{shortened(name)}`" in refusal(example("aoa"), name)


def test_a_misspelt_precision_is_suggested() -> None:
    assert "did you mean `float16`?" in refusal(example("aoa"), "float61")


def test_static_ranges_need_samples() -> None:
    assert "`int8-static` needs samples" in refusal(example("aoa"), "int8-static")


def test_a_sample_needs_every_feature() -> None:
    model = example("late_fusion")
    sample = batch_of(model, 2, seed=0)
    found = refusal(model, "int8-static", [sample, {"video_4": sample["Video_4"]}], "E501")
    assert "no array `Video_4`" in found
    assert "did you mean `video_4`?" in found


HOSTILE: Mapping[str, tuple[NDArray[Any], str]] = {
    "axes": (np.zeros((2, 2048)), "is (2, 2048), not (batch, 2048, Video_4.t)"),
    "size": (np.zeros((2, 7, 3)), "is (2, 7, 3), not (2, 2048, Video_4.t)"),
    "empty": (np.zeros((2, 2048, 0)), "is (2, 2048, 0), not (2, 2048, "),
    "batch": (np.zeros((3, 2048, 4)), "not (3, 512)"),
    "nan": (np.full((2, 2048, 4), np.nan), "not finite"),
    "too large": (np.full((2, 2048, 4), 1e300), "not finite"),
    "text": (np.full((2, 2048, 4), "a"), "not finite"),
    "objects": (np.full((2, 2048, 4), None), "not finite"),
    "complex": (np.full((2, 2048, 4), 1j), "not finite"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_sample_that_does_not_fit_is_refused(kind: str) -> None:
    model = example("late_fusion")
    array, message = HOSTILE[kind]
    sample = {**batch_of(model, 2, seed=0), "Video_4": array}
    assert message in refusal(model, "int8-static", [sample], "E502")


@pytest.mark.parametrize("lengths", [np.array([1, 2, 3]), np.array(1), np.array([[1, 2]])])
def test_lengths_that_do_not_fit_are_refused(lengths: NDArray[Any]) -> None:
    model = example("late_fusion")
    sample = {**batch_of(model, 2, seed=0), "Video_4.lengths": lengths}
    assert "`Video_4.lengths` of a sample" in refusal(model, "int8-static", [sample], "E502")


def test_samples_of_zeros_give_a_model_that_runs() -> None:
    model = example("late_fusion")
    zeros = {name: np.zeros_like(array) for name, array in batch_of(model, 2, seed=0).items()}
    made = with_precision(model, "int8-static", [zeros])
    assert np.isfinite(outputs(made, batch_of(model, 2, seed=0))).all()


# What a user must not see


@pytest.mark.parametrize("precision", LOWER)
def test_nothing_is_printed_or_left_behind(
    precision: Precision,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    here, temporary = tmp_path / "here", tmp_path / "temporary"
    here.mkdir()
    temporary.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    model = example("three_modalities")
    with_precision(model, precision, samples_of(model))
    assert not list(tmp_path.rglob("*.*"))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("precision", LOWER)
def test_the_tools_log_nothing_and_others_do(
    precision: Precision, caplog: pytest.LogCaptureFixture
) -> None:
    model = example("three_modalities")
    root = logging.getLogger()
    before = (root.handlers[:], root.filters[:], root.level)
    with caplog.at_level(logging.DEBUG):
        with_precision(model, precision, samples_of(model))
        logging.getLogger("mine").warning("heard")
    assert [record.message for record in caplog.records] == ["heard"]
    assert (root.handlers, root.filters, root.level) == before
    assert logging.getLogger("onnxruntime").propagate


SCRIPT = """
import logging, sys
for name in ("torch", "transformers", "sympy"):
    sys.modules[name] = None
import onnx
from fusewright.compiler.targets.onnx.precision import with_precision
model = onnx.load(sys.argv[1])
for precision in ("float16", "int8"):
    with_precision(model, precision)
assert not logging.getLogger().handlers
"""


def test_neither_torch_nor_sympy_is_needed(tmp_path: Path) -> None:
    onnx.save(example("late_fusion"), tmp_path / "n.onnx")
    found = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT, "n.onnx"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
    assert [path.name for path in tmp_path.iterdir()] == ["n.onnx"]
