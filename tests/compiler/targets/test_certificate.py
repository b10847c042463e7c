"""Certificates of ONNX files, and weights that one message does not hold."""

from __future__ import annotations

import json
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.targets.onnx import certificate, export
from fusewright.compiler.targets.onnx import precision as onnx_precision
from fusewright.compiler.targets.onnx.certificate import Certificate, Comparison, certify
from fusewright.compiler.targets.onnx.options import Precision
from fusewright.compiler.targets.onnx.precision import with_precision

from ...support.onnx_files import DIFFERENCE, in_torch, open_spec, weights_of

# Weights beyond what one message holds


@pytest.mark.parametrize("inline", [False, True])
def test_tools_that_copy_a_model_see_no_weights(
    inline: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def watch(place: Any, name: str) -> None:
        tool = getattr(place, name)

        def watched(model: onnx.ModelProto, *arguments: Any, **options: Any) -> Any:
            seen.append(len(model.graph.initializer))
            return tool(model, *arguments, **options)

        monkeypatch.setattr(place, name, watched)

    watch(onnx.checker, "check_model")
    watch(export, "inline_local_functions")
    model = fw.compile(open_spec(), "onnx", inline=inline)
    assert seen == [0] * (1 + inline)
    names = {t.name for t in model.graph.initializer}
    assert {"head.W", "A.lengths", "a.present"} <= names
    assert {i.name for i in model.graph.input} == {"A", "A.lengths", "B", "a.present"}
    monkeypatch.undo()
    onnx.checker.check_model(model, full_check=True)


def test_more_than_the_tools_take_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_precision, "_MESSAGE", 100)
    with pytest.raises(fw.DiagnosticError, match="more than 2 GiB"):
        with_precision(fw.compile(open_spec(), "onnx"), "int8")


def test_weights_in_a_file_of_their_own_are_not_loaded_to_be_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = fw.compile(open_spec(), "onnx")
    path = tmp_path / "net.onnx"
    onnx.save_model(model, path, save_as_external_data=True, location="w", size_threshold=0)
    monkeypatch.setattr(onnx, "load_external_data_for_model", None)
    found = certify(path, checked(open_spec()).head, fw.compile(open_spec(), "numpy"))
    assert found.relative <= 1e-5


# The certificate


def certified(
    network: fw.Spec, folder: Path, scale: float, precision: Precision = "float32"
) -> Certificate:
    """The certificate of a network whose weights are multiplied by `scale`."""
    weights, path = weights_of(network, scale), folder / "net.onnx"
    model = with_precision(fw.compile(network, "onnx", weights=weights), precision)
    path.write_bytes(model.SerializeToString())
    reference = fw.compile(network, "numpy", weights=weights)
    return certify(path, checked(network).head, reference, in_torch(network, weights), precision)


def measured(**changes: Any) -> Comparison:
    nothing = Comparison("zero", 0.0, 0.0, 0.0, 0.0, 1.0, 1.0)
    return replace(nothing, **changes)


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "passes"),
        ({"torch": None, "between": None}, "passes"),
        ({"relative": 1e-5}, "passes"),
        ({"relative": 2e-5}, "fails"),
        ({"relative": 2e-5, "torch": None}, "fails"),
        ({"relative": 2e-5, "torch": 3e-6}, "passes by the margin"),
        ({"relative": 9e-4, "torch": 9e-4}, "passes by the margin"),
        ({"relative": 2e-3, "torch": 9e-4}, "fails"),
        ({"relative": inf, "torch": 0.0}, "fails"),
        ({"relative": 0.0, "torch": 2e-3}, "not comparable"),
        ({"relative": 0.99, "torch": 0.99}, "not comparable"),
        ({"relative": inf, "torch": inf}, "not comparable"),
        ({"compared": 0.0}, "not comparable"),
    ],
)
def test_a_verdict_is_no_kinder_than_the_margin(changes: dict[str, Any], verdict: str) -> None:
    assert measured(**changes).verdict == verdict


def test_a_number_that_a_model_does_not_give_is_infinitely_far(tmp_path: Path) -> None:
    model = fw.compile(open_spec(), "onnx", inline=True)
    last = model.graph.node[-1]
    last.output[0] = "before"
    nan = numpy_helper.from_array(np.array(np.nan, np.float32), "nan")
    model.graph.initializer.append(nan)
    model.graph.node.append(helper.make_node("Add", ["before", "nan"], ["logits"]))
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    head, reference = checked(open_spec()).head, fw.compile(open_spec(), "numpy")
    found = certify(tmp_path / "net.onnx", head, reference, precision="float16")
    written = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert (written["absolute"], written["relative"], written["finite"]) == (*["infinity"] * 2, 0)
    assert all(c["relative"] == "infinity" for c in written["comparisons"])
    assert not any("verdict" in c for c in written["comparisons"])
    with pytest.raises(fw.DiagnosticError, match="differs from the reference by inf"):
        certify(tmp_path / "net.onnx", head, reference)


def test_half_precision_that_overflows_says_so(tmp_path: Path) -> None:
    found = certified(open_spec(), tmp_path, 1e4, "float16").as_json()
    assert (found["relative"], found["finite"]) == ("infinity", 0)


def test_weights_too_large_for_float32_do_not_pass(tmp_path: Path) -> None:
    with pytest.raises(fw.DiagnosticError, match="float32 cannot compute"):
        certified(open_spec(), tmp_path, 1e5)


def test_the_model_is_compared_with_torch_directly(tmp_path: Path) -> None:
    found = certified(open_spec(), tmp_path, 1.0).as_json()
    for comparison in found["comparisons"]:
        sides = comparison["relative"] + comparison["torch"]
        assert 0 <= comparison["between"] <= sides + 1e-12
        assert (comparison["finite"], comparison["compared"]) == (1, 1)
    assert {c["verdict"] for c in found["comparisons"]} == {"passes"}


def test_a_network_that_float32_cannot_compute_does_not_pass(tmp_path: Path) -> None:
    with pytest.raises(fw.DiagnosticError, match="float32 cannot compute"):
        certified(fw.loads(DIFFERENCE), tmp_path, 1.0)


def test_extremes_that_float32_cannot_compute_are_not_comparable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificate, "LARGE", 1e30)
    network = fw.loads(DIFFERENCE.replace("(x @ W[C, C] + 1e6) - 1e6", "x * (x @ W[C, C])"))
    found = certified(network, tmp_path, 1.0).as_json()
    verdicts = {c["inputs"]: c["verdict"] for c in found["comparisons"]}
    assert verdicts.pop("large") == "not comparable"
    assert set(verdicts.values()) == {"passes"}
