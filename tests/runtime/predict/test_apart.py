"""A file from raw inputs is run in a process of its own, which its limits end."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import ModelProto, helper
from typer.testing import CliRunner

import fusewright as fw
from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.compiler.targets.onnx.session import open_session, run
from tests.support.application import app
from tests.support.joint import joined
from tests.support.running import FIXED, problem, spec


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return saved(joined(), tmp_path)


def saved(model: ModelProto, folder: Path) -> Path:
    onnx.save(model, folder / "n.onnx")
    return folder / "n.onnx"


def beside(model: ModelProto, *nodes: onnx.NodeProto) -> ModelProto:
    """The model with what nodes make of nothing, `much`, added to what it gives, times 0."""
    for node in model.graph.node:
        node.output[:] = ["given" if name == "logits" else name for name in node.output]
    ends = [
        helper.make_node("ReduceMax", ["much"], ["most"], keepdims=0),
        helper.make_node("Min", ["most", "given"], ["least"]),
        helper.make_node("Max", ["least", "given"], ["logits"]),
    ]
    model.graph.node.extend([*nodes, *ends])
    return model


def zeros(*sizes: int) -> list[onnx.NodeProto]:
    """Zeros of a shape, `zeros`, which a file says in a few bytes."""
    shape = helper.make_node("Constant", [], ["shape"], value_ints=sizes)
    return [shape, helper.make_node("ConstantOfShape", ["shape"], ["zeros"])]


def endless(model: ModelProto) -> ModelProto:
    """Products of large matrices, one after the other."""
    names = ["zeros", *(f"product {n}" for n in range(200)), "much"]
    products = [
        helper.make_node("MatMul", [before, "zeros"], [after]) for before, after in pairwise(names)
    ]
    return beside(model, *zeros(3000, 3000), *products)


def large(model: ModelProto) -> ModelProto:
    """Zeros of 40 GB."""
    return beside(model, *zeros(10_000_000_000), helper.make_node("Identity", ["zeros"], ["much"]))


def looping(model: ModelProto) -> ModelProto:
    kind = onnx.TensorProto
    body = helper.make_graph(
        [helper.make_node("Identity", ["on"], ["further"])],
        "body",
        [
            helper.make_tensor_value_info("turn", kind.INT64, []),
            helper.make_tensor_value_info("on", kind.BOOL, []),
        ],
        [helper.make_tensor_value_info("further", kind.BOOL, [])],
    )
    model.graph.node.append(helper.make_node("Loop", ["", ""], [], body=body))
    return model


def foreign(model: ModelProto) -> ModelProto:
    model.graph.node.append(helper.make_node("FusedGemm", [], ["x"], domain="com.microsoft"))
    return model


def test_it_gives_what_the_model_gives(file: Path) -> None:
    data = problem(20)
    found = fw.predict(file, data, joint=True, batch=8)
    inputs = {name: data[name] for name in ("A", "B", "D")}
    assert np.allclose(found, run(open_session(file), inputs), atol=1e-6)


def test_it_is_evaluated_as_the_network_is(tmp_path: Path, file: Path) -> None:
    model = joined()
    del model.metadata_props[-1]
    plain = tmp_path / "plain.onnx"
    onnx.save(model, plain)
    assert fw.evaluate(file, problem(), joint=True) == fw.evaluate(plain, problem())


@pytest.mark.parametrize(
    ("changed", "options", "code", "message"),
    [
        (looping, {}, "E504", "`n.onnx` branches or repeats, by `Loop`"),
        (foreign, {}, "E504", "`n.onnx` has the operator `FusedGemm` of others"),
        (endless, {"seconds": 2}, "E504", "`n.onnx` has run for 2 s, and was ended"),
        (large, {"memory": "500MB"}, "E512", "the model takes more than 500 MB to run"),
        (joined, {"memory": "1kB"}, "E512", "handing the data over takes 4.08 KB, and there is"),
        (joined, {"device": "cuda"}, "E506", "an ONNX file is not run on `cuda`"),
    ],
)
def test_what_may_not_run_or_takes_too_much_is_ended(
    changed: Callable[..., ModelProto],
    options: dict[str, Any],
    code: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    saved(joined() if changed is joined else changed(joined()), tmp_path)
    np.savez(tmp_path / "data.npz", **problem(20))
    monkeypatch.chdir(tmp_path)
    given = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    command = ["predict", "n.onnx", "--joint", "--data", "data.npz", "-o", "out.csv", *given]
    result = CliRunner().invoke(app, command)
    assert isinstance(result.exception, DiagnosticError), result.output
    (diagnostic,) = result.exception.diagnostics
    assert diagnostic.code == code
    assert diagnostic.message.startswith(message)
    assert not Path("out.csv").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"A": None}, "the data has no array `A`"),
        ({"A": np.zeros((20, 4))}, "`A` is (20, 4) in the data, and the model takes (samples, 3)"),
        ({"A": np.full((20, 3), np.inf)}, "`A` is not of finite numbers"),
        ({"A": np.full((20, 3), "x")}, "`A` is not of finite numbers"),
        ({"D": np.zeros((19, 4))}, "arrays differ in their number of samples, or have none: "),
    ],
)
def test_data_that_do_not_fit_are_refused(
    changes: dict[str, Any], message: str, file: Path
) -> None:
    data = {k: v for k, v in (problem(20) | changes).items() if v is not None}
    with pytest.raises(DiagnosticError) as error:
        fw.predict(file, data, joint=True)
    assert error.value.diagnostics[0].message.startswith(message)


def test_files_without_backbones_are_refused_and_so_are_options_without_joint(
    tmp_path: Path,
) -> None:
    model = joined()
    del model.metadata_props[-1]
    file = saved(model, tmp_path)
    with pytest.raises(DiagnosticError, match="holds no backbones"):
        fw.predict(file, problem(20), joint=True)
    with pytest.raises(DiagnosticError, match="a run or an ONNX file has backbones"):
        fw.predict(spec(FIXED), problem(20), joint=True)
    for extra in (["--seconds", "3"], ["--backbone", "a=b:c"], ["--root", "x"]):
        result = CliRunner().invoke(
            app, ["predict", str(file), "--data", "d.npz", "-o", "o.csv", *extra]
        )
        assert f"`{extra[0]}` is for what runs with backbones" in str(result.exception)
