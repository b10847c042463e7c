"""ONNX files and their certificates: what is written, what is measured, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import save_file

import fusewright as fw
from fusewright.compiler.compile import to_program
from fusewright.compiler.program.weights import fitting, unread
from fusewright.compiler.targets.onnx import certificate
from fusewright.compiler.targets.onnx.file import OnnxFile
from fusewright.compiler.targets.onnx.options import OPSETS, Precision
from fusewright.compiler.targets.onnx.precision import with_precision
from fusewright.compiler.targets.onnx.session import open_session, run
from fusewright.compiler.targets.safetensors import read_weights

from ...support.onnx_files import DIFFERENCE, Change, in_torch, open_spec, weights_of, written
from ...support.running import FIXED, problem, spec

# Operator sets


IR_VERSIONS = {17: 8, 18: 8, 19: 9, 20: 9, 21: 10, 22: 10, 23: 11, 24: 12}
"""As the table of releases in onnx's `Versioning.md` has them."""


@pytest.mark.parametrize("inline", [False, True])
@pytest.mark.parametrize("opset", OPSETS)
def test_the_ir_version_matches_the_operator_set(opset: int, inline: bool) -> None:
    model = fw.compile(open_spec(), "onnx", opset=opset, inline=inline)
    assert model.ir_version == IR_VERSIONS[opset]
    assert {o.domain: o.version for o in model.opset_import}[""] == opset


# Names


def every_name(model: onnx.ModelProto) -> set[str]:
    """The names of all values of a model, in its functions too."""
    nodes = [*model.graph.node, *(n for f in model.functions for n in f.node)]
    return {t.name for t in model.graph.initializer}.union(*(n.output for n in nodes))


@pytest.mark.parametrize("inline", [False, True])
def test_a_feature_may_be_named_like_any_value(inline: bool) -> None:
    model = fw.compile(open_spec("feature"), "onnx", inline=inline)
    inputs = {i.name for i in model.graph.input}
    names = {n for n in every_name(model) - inputs if "feature" not in n and n != "logits"}
    assert len(names) > 20
    generator = np.random.default_rng(1)
    feature, other = (generator.normal(size=s).astype(np.float32) for s in ((3, 3, 5), (3, 4)))
    for name in sorted(names):
        renamed = fw.compile(open_spec(name), "onnx", inline=inline)
        arrays = {name: feature, "B": other, f"{name}.lengths": np.array([2, 5, 1])}
        found = run(open_session(renamed.SerializeToString()), arrays)
        assert np.allclose(found, fw.compile(open_spec(name), "numpy")(arrays), atol=1e-5)


def test_a_feature_may_not_be_named_like_the_output() -> None:
    model = fw.compile(open_spec("probabilities"), "onnx")
    assert model.graph.output[0].name == "logits"
    with pytest.raises(fw.DiagnosticError, match="named `probabilities`, as the output is"):
        fw.compile(open_spec("probabilities"), "onnx", probabilities=True)


# Lengths and fixed axes


def resampled(by: str, axes: str) -> fw.Spec:
    """A network whose output is one feature brought to two places, and nothing else."""
    return fw.loads(
        f"network n(C = 3, L = 2) modality m {{ A[{axes}, c 3] }} output A "
        f"role adapt(f) = resample(f, by = {by}) role combine(*h) = concat(*h) "
        "role head(h) = flatten(h) predict 6 values"
    )


@pytest.mark.parametrize("by", ["pool", "mean", "linear"])
@pytest.mark.parametrize("opset", OPSETS)
def test_an_empty_sample_counts_as_its_first_place(by: str, opset: int) -> None:
    network = resampled(by, "t *")
    array = np.random.default_rng(0).normal(size=(3, 6, 3)).astype(np.float32)
    inputs = {"A": array, "A.lengths": np.array([0, 1, 4])}
    alone = fw.compile(network, "numpy")({"A": array[:1, :1]})
    session = open_session(fw.compile(network, "onnx", opset=opset).SerializeToString())
    for found in (
        fw.compile(network, "numpy")(inputs),
        in_torch(network, {})(inputs),
        run(session, inputs),
    ):
        assert np.allclose(found[0], alone[0], atol=1e-6)


def test_a_certificate_tries_an_empty_sample() -> None:
    *_, (name, inputs) = certificate.cases(to_program(open_spec()))
    assert name == "of several lengths and partly absent"
    assert set(inputs["A.lengths"]) == {-1, 0, 1}


@pytest.mark.parametrize("by", ["mean", "linear"])
@pytest.mark.parametrize("opset", OPSETS)
def test_weights_of_a_fixed_axis_are_constant(opset: int, by: str) -> None:
    network = resampled(by, "t 5")
    model = fw.compile(network, "onnx", opset=opset, inline=True)
    assert not {n.op_type for n in model.graph.node} & {"Range", "Shape", "Cast", "Relu"}
    array = np.random.default_rng(0).normal(size=(3, 5, 3)).astype(np.float32)
    found = run(open_session(model.SerializeToString()), {"A": array})
    assert np.allclose(found, fw.compile(network, "numpy")({"A": array}), atol=1e-6)


# Weights


def test_weights_beyond_float32_are_refused() -> None:
    weights = dict(weights_of(spec(FIXED)))
    weights["head.W"] = np.full(weights["head.W"].shape, 1e39)
    for target in ("onnx", "torch", "numpy"):
        with pytest.raises(fw.DiagnosticError, match=r"reaches 1e\+39, which float32 cannot hold"):
            fw.compile(spec(FIXED), target, weights=weights)


def test_what_is_computed_from_weights_may_not_leave_float32() -> None:
    network = fw.loads(DIFFERENCE.replace("(x @ W[C, C] + 1e6) - 1e6", "x * (s[C] * s * s)"))
    weights = weights_of(network) | {"K.S.Cancel.s": np.full(4, 1e20, np.float32)}
    with pytest.raises(fw.DiagnosticError, match="beyond float32"):
        fw.compile(network, "onnx", weights=weights)


def test_a_type_that_is_no_float_is_named(tmp_path: Path) -> None:
    save_file({"head.W": torch.zeros(2, dtype=torch.bfloat16)}, tmp_path / "w.safetensors")
    with pytest.raises(fw.DiagnosticError, match="the type BF16") as caught:
        read_weights(tmp_path / "w.safetensors")
    assert "not a safetensors file" not in str(caught.value)
    assert "save the weights in float32" in str(caught.value)
    weights = dict(weights_of(spec(FIXED)))
    weights["head.b"] = weights["head.b"].astype(bool)
    with pytest.raises(fw.DiagnosticError, match=r"`head.b` is of the type bool") as caught:
        fitting(to_program(spec(FIXED)), weights)
    assert "save the weights in float32" in str(caught.value)


def test_weights_that_nothing_reads_are_named() -> None:
    program, weights = to_program(spec(FIXED)), weights_of(spec(FIXED))
    assert unread(program, weights) == []
    more = {name: np.zeros(1) for name in ("Other.W", "Other.b")}
    assert unread(program, weights | more) == ["Other.W", "Other.b"]
    assert fitting(program, weights | more).keys() == weights.keys()


# Files from others


def retyped(kind: int) -> Change:
    def change(model: onnx.ModelProto) -> None:
        model.graph.input[0].type.tensor_type.elem_type = kind

    return change


def another_input(model: onnx.ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("extra", TensorProto.FLOAT, [1]))


def wrong_count(model: onnx.ModelProto) -> None:
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 7


def scalar(model: onnx.ModelProto) -> None:
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("logits", TensorProto.FLOAT, []))


def text(model: onnx.ModelProto) -> None:
    info = helper.make_tensor_value_info("logits", TensorProto.STRING, ["batch", 3])
    model.graph.output[0].CopyFrom(info)


def default_feature(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(numpy_helper.from_array(np.zeros((1, 3), np.float32), "A"))


def without_an_input(model: onnx.ModelProto) -> None:
    place = [i.name for i in model.graph.input].index("B")
    model.graph.initializer.append(numpy_helper.from_array(np.zeros((1, 2, 5), np.float32), "B"))
    del model.graph.input[place]


def with_holes(model: onnx.ModelProto) -> None:
    for item in model.metadata_props:
        if item.key == "fusewright.spec":
            item.value = str(spec())


def constant(value: NDArray[Any]) -> Change:
    """The output does not depend on the inputs."""

    def change(model: onnx.ModelProto) -> None:
        tensor = numpy_helper.from_array(value)
        del model.graph.node[:]
        model.graph.node.append(helper.make_node("Constant", [], ["logits"], value=tensor))

    return change


def failing(model: onnx.ModelProto) -> None:
    """A Reshape that cannot be done, which shows when the model runs."""
    model.graph.node[-1].output[0] = "before"
    shape = numpy_helper.from_array(np.array([7, 11]), "shape")
    model.graph.initializer.append(shape)
    model.graph.node.append(helper.make_node("Reshape", ["before", "shape"], ["logits"]))


FOREIGN: dict[str, tuple[Change, str]] = {
    "wrong K": (wrong_count, r"does not give logits \(batch, 3\) in float32"),
    "scalar": (scalar, "does not give logits"),
    "text": (text, "does not give logits"),
    "extra input": (another_input, "takes `extra`"),
    "missing input": (without_an_input, "does not take `B`"),
    "double": (retyped(TensorProto.DOUBLE), "does not take `A`"),
    "string": (retyped(TensorProto.STRING), "does not take `A`"),
    "default": (default_feature, "has a default of `A`"),
    "holes": (with_holes, "has holes"),
    "too few": (constant(np.zeros((2, 3), np.float32)), r"gives \(2, 3\) of float32, not"),
    "not finite": (constant(np.full((30, 3), np.nan, np.float32)), "not finite for 30 of 30"),
    "failing": (failing, "the model cannot be run"),
}  # fmt: skip


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_model_of_another_kind_is_refused(kind: str, tmp_path: Path) -> None:
    change, message = FOREIGN[kind]
    data = {n: a[:30] for n, a in problem().items()}
    with pytest.raises(fw.DiagnosticError, match=message) as caught:
        fw.predict(written(tmp_path, change), data)
    assert all(d.help for d in caught.value.diagnostics)


def test_an_optional_input_needs_its_default(tmp_path: Path) -> None:
    model = fw.compile(open_spec(), "onnx")
    for index, tensor in enumerate(model.graph.initializer):
        if tensor.name == "A.lengths":
            del model.graph.initializer[index]
            break
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(fw.DiagnosticError, match=r"lacks the default of `A\.lengths`"):
        _ = OnnxFile(tmp_path / "net.onnx").output


@pytest.mark.parametrize("precision", ["float32", "float16", "int8"])
@pytest.mark.parametrize("probabilities", [False, True])
def test_what_fusewright_writes_is_its_own(
    precision: Precision, probabilities: bool, tmp_path: Path
) -> None:
    model = fw.compile(open_spec(), "onnx", probabilities=probabilities)
    path = tmp_path / "net.onnx"
    path.write_bytes(with_precision(model, precision).SerializeToString())
    assert OnnxFile(path).output == ("probabilities" if probabilities else "logits")


EXTERNAL: dict[str, tuple[dict[str, str], str]] = {
    "negative offset": ({"location": "w", "offset": "-5"}, "does not lie in `w`"),
    "no number": ({"location": "w", "offset": "abc"}, "does not say where"),
    "negative length": ({"location": "w", "length": "-1"}, "does not lie in `w`"),
    "beyond the end": ({"location": "w", "offset": "8"}, "does not lie in `w`"),
    "NUL": ({"location": "w\0"}, "does not say where"),
    "overlong": ({"location": "w" * 5000}, "does not say where"),
    "empty": ({"location": ""}, "outside of its folder"),
    "address": ({"location": "*/_ORT_MEM_ADDR_/*", "offset": "4096"}, "outside of its folder"),
    "folder": ({"location": "."}, "are missing"),
}


@pytest.mark.parametrize("kind", EXTERNAL)
def test_external_weights_must_lie_where_a_file_says(kind: str, tmp_path: Path) -> None:
    entries, message = EXTERNAL[kind]
    (tmp_path / "w").write_bytes(bytes(12))

    def change(model: onnx.ModelProto) -> None:
        tensor = next(t for t in model.graph.initializer if t.name == "head.b")
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in ({"length": "12"} | entries).items():
            tensor.external_data.add(key=key, value=value)

    with pytest.raises(fw.DiagnosticError, match=message) as caught:
        OnnxFile(written(tmp_path, change))
    assert all(d.help for d in caught.value.diagnostics)


def test_a_key_may_not_stand_twice(tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(bytes(12))

    def change(model: onnx.ModelProto) -> None:
        tensor = next(t for t in model.graph.initializer if t.name == "head.b")
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for location in ("../w", "w"):
            tensor.external_data.add(key="location", value=location)

    with pytest.raises(fw.DiagnosticError, match="does not lie in"):
        OnnxFile(written(tmp_path, change))


@pytest.mark.parametrize("depth", [50, 200, 900, 100_000])
def test_deep_metadata_is_text(depth: int, tmp_path: Path) -> None:
    deep = "[" * depth + "]" * depth
    path = written(tmp_path, lambda m: None, metadata={"deep": deep, "lone": '"\\ud800"'})
    found = OnnxFile(path).as_json()
    assert (found["deep"] == deep) == (depth > 100)
    assert found["lone"] == '"\\ud800"'
    assert json.dumps(found, indent=2, ensure_ascii=False).encode()


@pytest.mark.parametrize("opset", OPSETS)
def test_attention_takes_a_scaled_query(opset: int) -> None:
    """ONNX Runtime's own fusions lose it where its scale stands before the product."""
    network = fw.loads(
        "network n(C = 4, L = 2) modality m { A[t 2, c 4] } "
        "op Own(x) { q = 0.5 * x return attention(q, attention(x, x, x), x) * q } "
        "cell K(A) { S = Own(x) } predict 2 classes"
    )
    reference = fw.compile(network, "numpy")
    inputs = {"A": np.random.default_rng(0).normal(size=(3, 2, 4)).astype(np.float32)}
    session = open_session(fw.compile(network, "onnx", opset=opset).SerializeToString())
    assert np.allclose(run(session, inputs), reference(inputs), atol=1e-5)
