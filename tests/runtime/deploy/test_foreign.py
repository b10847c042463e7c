"""ONNX files that were not written here: what could take long or much is refused before it runs."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.targets.onnx.file import OnnxFile
from fusewright.compiler.targets.onnx.options import OPSETS
from fusewright.compiler.targets.onnx.precision import with_precision
from fusewright.runtime.data.dataset import load_features
from fusewright.runtime.predict.teach import soft_targets
from fusewright.runtime.settings import Settings

from ...support.onnx_files import Change, open_spec, written
from ...support.running import FIXED, problem, spec

SECONDS = 2.0
"""What a refusal may take of a processor."""
HUGE = 1 << 40


def prepend(*nodes: onnx.NodeProto) -> Change:
    """Puts nodes before all others, of which nothing is read."""

    def change(model: onnx.ModelProto) -> None:
        others = list(model.graph.node)
        model.graph.ClearField("node")
        model.graph.node.extend([*nodes, *others])

    return change


def constant(name: str, numbers: Sequence[int] | int | np.ndarray[Any, Any]) -> onnx.NodeProto:
    array = np.asarray(numbers)
    array = array.astype(np.int64 if array.dtype.kind == "i" else np.float32)
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(array))


def graph_of(*nodes: onnx.NodeProto) -> onnx.GraphProto:
    outputs = [helper.make_tensor_value_info("o", TensorProto.BOOL, [])]
    return helper.make_graph(list(nodes), "body", [], outputs)


def looped() -> Change:
    """A loop of 2^62 turns."""
    condition = helper.make_tensor_value_info("c", TensorProto.BOOL, [])
    turn = helper.make_tensor_value_info("i", TensorProto.INT64, [])
    body = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["o"])],
        "body",
        [turn, condition],
        [helper.make_tensor_value_info("o", TensorProto.BOOL, [])],
    )
    return prepend(constant("turns", 1 << 62), helper.make_node("Loop", ["turns"], [], body=body))


def branched() -> Change:
    branch = graph_of(helper.make_node("Identity", ["yes"], ["o"]))
    node = helper.make_node("If", ["yes"], ["z"], then_branch=branch, else_branch=branch)
    return prepend(helper.make_node("Not", ["no"], ["yes"]), node)


def scanned() -> Change:
    body = graph_of(helper.make_node("Identity", ["s"], ["o"]))
    node = helper.make_node("Scan", ["A"], ["z"], num_scan_inputs=1, body=body)
    return prepend(node)


def nested(model: onnx.ModelProto) -> None:
    """Functions that each call the next twice: 2^40 nodes."""
    imports = list(model.opset_import)
    model.opset_import.append(helper.make_opsetid("fusewright", 1))
    for number in range(40):
        called = [
            helper.make_node(f"f{number + 1}", ["x"], [name], domain="fusewright") for name in "yz"
        ]
        nodes = called if number < 39 else [helper.make_node("Identity", ["x"], ["y"])]
        function = helper.make_function("fusewright", f"f{number}", ["x"], ["y"], nodes, imports)
        model.functions.append(function)
    prepend(helper.make_node("f0", ["A"], ["z"], domain="fusewright"))(model)


def wide(model: onnx.ModelProto) -> None:
    """As `nested`, but only five deep, of 100 calls each: 10^10 nodes."""
    imports = list(model.opset_import)
    model.opset_import.append(helper.make_opsetid("fusewright", 1))
    for number in range(5):
        inner = ("Identity", "") if number == 4 else (f"f{number + 1}", "fusewright")
        nodes = [helper.make_node(inner[0], ["x"], [f"y{i}"], domain=inner[1]) for i in range(100)]
        function = helper.make_function("fusewright", f"f{number}", ["x"], ["y0"], nodes, imports)
        model.functions.append(function)
    prepend(helper.make_node("f0", ["A"], ["z"], domain="fusewright"))(model)


def recursive(model: onnx.ModelProto) -> None:
    model.opset_import.append(helper.make_opsetid("fusewright", 1))
    call = helper.make_node("f", ["x"], ["y"], domain="fusewright")
    imports = list(model.opset_import)
    model.functions.append(helper.make_function("fusewright", "f", ["x"], ["y"], [call], imports))
    prepend(helper.make_node("f", ["A"], ["z"], domain="fusewright"))(model)


def filled() -> Change:
    value = numpy_helper.from_array(np.zeros(1, np.float32))
    return prepend(
        constant("s", [HUGE]), helper.make_node("ConstantOfShape", ["s"], ["z"], value=value)
    )


def expanded() -> Change:
    return prepend(
        constant("x", np.zeros(1)), constant("s", [HUGE]), helper.make_node("Expand", "xs", ["z"])
    )


def tiled() -> Change:
    return prepend(
        constant("x", np.zeros(1)), constant("s", [HUGE]), helper.make_node("Tile", "xs", ["z"])
    )


def counted() -> Change:
    """2^40 whole numbers."""
    ends = [constant(name, number) for name, number in (("a", 0), ("b", HUGE), ("c", 1))]
    return prepend(*ends, helper.make_node("Range", "abc", ["z"]))


def doubled(operator: str, **attributes: Any) -> Change:
    """A value that a node doubles the size of, or the axes, 40 times over."""
    nodes = [constant("v0", np.zeros((1, 1), np.int64) if operator == "Gather" else np.zeros(2))]
    for number in range(40):
        name = f"v{number}"
        nodes.append(helper.make_node(operator, [name, name], [f"v{number + 1}"], **attributes))
    return prepend(*nodes)


def multiplied() -> Change:
    """Products of a column with a row, whose result is larger than they are."""
    return prepend(
        constant("x", np.zeros((1 << 20, 1))),
        constant("y", np.zeros((1, 1 << 20))),
        helper.make_node("MatMul", "xy", ["z"]),
    )


def divided() -> Change:
    """The division of whole numbers that ends a process: the least of them by -1."""
    least = constant("x", [-(2**63)])
    return prepend(least, constant("y", [-1]), helper.make_node("Div", "xy", ["z"]))


def by_data() -> Change:
    """A size that only the data say."""
    return prepend(
        helper.make_node("Flatten", ["A"], ["f"], axis=0),
        helper.make_node("Cast", ["f"], ["n"], to=TensorProto.INT64),
        helper.make_node("Squeeze", ["n"], ["s"]),
        constant("x", np.zeros(1)),
        helper.make_node("Expand", ["x", "s"], ["z"]),
    )


def elsewhere(model: onnx.ModelProto) -> None:
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    prepend(helper.make_node("Gelu", ["A"], ["z"], domain="com.microsoft"))(model)


def at_opset(version: int) -> Change:
    def change(model: onnx.ModelProto) -> None:
        model.opset_import[0].version = version

    return change


def hollow(model: onnx.ModelProto) -> None:
    """A weight that says that it is large, and holds nothing."""
    model.graph.initializer.add(name="w", data_type=TensorProto.FLOAT, dims=[HUGE])


def many_axes(model: onnx.ModelProto) -> None:
    model.graph.initializer.add(name="w", data_type=TensorProto.FLOAT, dims=[HUGE] * 100_000)


BOMBS: dict[str, tuple[Change, str]] = {
    "a loop": (looped(), "`Loop`"),
    "a branch": (branched(), "`If`"),
    "a scan": (scanned(), "`Scan`"),
    "functions that call two": (nested, "more than 8 deep"),
    "functions that call many": (wide, "nodes"),
    "a function that calls itself": (recursive, "more than 8 deep"),
    "ConstantOfShape": (filled(), "`ConstantOfShape`"),
    "Expand": (expanded(), "more than its specification needs"),
    "Tile": (tiled(), "`Tile`"),
    "Range": (counted(), "more than its specification needs"),
    "Concat": (doubled("Concat", axis=0), "more than its specification needs"),
    "Gather": (doubled("Gather"), "axes"),
    "MatMul": (multiplied(), "more than its specification needs"),
    "Div": (divided(), "what may be zero"),
    "a size in the data": (by_data(), "size cannot be known"),
    "another domain": (elsewhere, r"com.microsoft.Gelu"),
    "an operator set of long ago": (at_opset(7), "opset 7"),
    "an operator set to come": (at_opset(1 << 40), "opset"),
    "a hollow weight": (hollow, "not as large as it says"),
    "an attribute that is none": (
        prepend(helper.make_node("Identity", ["A"], ["z"], odd=1)),
        "where it cannot stand",
    ),
    "an output too many": (
        prepend(helper.make_node("Identity", ["A"], ["z", "zz"])),
        "where it cannot stand",
    ),
    "no output": (
        prepend(helper.make_node("Constant", [], [], value_int=1)),
        "without an output",
    ),
    "a weight of many axes": (many_axes, "does not write"),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_what_could_take_long_or_much_is_not_run(bomb: str, tmp_path: Path) -> None:
    change, message = BOMBS[bomb]
    path = written(tmp_path, change)
    start = process_time()
    with pytest.raises(fw.DiagnosticError, match=message) as caught:
        fw.predict(path, problem())
    assert process_time() - start < SECONDS
    assert caught.value.diagnostics[0].code == "E504"


def test_nothing_runs_a_loop(tmp_path: Path) -> None:
    path = written(tmp_path, looped())
    with pytest.raises(fw.DiagnosticError, match="`Loop`"):
        fw.evaluate(path, problem())
    with pytest.raises(fw.DiagnosticError, match="`Loop`"):
        soft_targets(path, spec(FIXED), problem(), Settings())


@pytest.mark.parametrize("content", [b"", b"\0", b"\x08\x07", b"graph" * 1000])
def test_what_is_no_model_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(content)
    with pytest.raises(fw.DiagnosticError, match=r"is not an ONNX file"):
        fw.predict(tmp_path / "net.onnx", problem())


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "net.onnx").open("wb") as file:
        file.truncate(HUGE)
    with pytest.raises(fw.DiagnosticError, match="is longer than"):
        fw.load(tmp_path / "net.onnx")


@pytest.mark.parametrize("seed", range(3))
def test_damaged_files_are_refused_or_run(seed: int, tmp_path: Path) -> None:
    path = written(tmp_path, lambda model: None)
    whole, generator = path.read_bytes(), random.Random(seed)
    outcomes: list[bool] = []
    for _ in range(30):
        content = bytearray(whole)
        for _ in range(generator.choice((1, 3, 30))):
            content[generator.randrange(len(content))] = generator.randrange(256)
        path.write_bytes(content)
        try:
            fw.predict(path, problem())
            outcomes.append(True)
        except fw.DiagnosticError:
            outcomes.append(False)
    assert False in outcomes


# What was written here


def shapes_of(network: fw.Spec, data: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    return {n: a.shape for n, a in load_features(data, checked(network)).features.items()}


def resampled(by: str) -> fw.Spec:
    return fw.loads(
        "network n(C = 1, L = 5) modality m { A[t *, c 1] B[h *, w *, c 1] } output A, B "
        f"role adapt(f) = resample(f, by = {by}) predict 2 values"
    )


def long(batch: int) -> dict[str, Any]:
    return {"A": np.zeros((batch, 300, 1)), "B": np.zeros((batch, 9, 30, 1))}


OPEN_DATA: dict[str, Any] = {"A": np.zeros((2, 3, 50)), "B": np.zeros((2, 4))}
WRITTEN: dict[str, Callable[[], tuple[fw.Spec, dict[str, Any]]]] = {
    "fixed": lambda: (spec(FIXED), problem()),
    "open": lambda: (open_spec(), OPEN_DATA),
    "lengths": lambda: (open_spec(), OPEN_DATA | {"A.lengths": np.array([5, 50])}),
    "pool": lambda: (resampled("pool"), long(3)),
    "mean": lambda: (resampled("mean"), long(3)),
    "linear": lambda: (resampled("linear"), long(3)),
}


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("opset", OPSETS)
def test_what_is_written_is_within_bounds(name: str, opset: int, tmp_path: Path) -> None:
    network, data = WRITTEN[name]()
    model = fw.compile(network, "onnx", opset=opset)
    for precision in ("float32", "float16", "int8") if opset in (17, 21, 24) else ("float32",):
        made = with_precision(model, precision)
        (tmp_path / "net.onnx").write_bytes(made.SerializeToString())
        OnnxFile(tmp_path / "net.onnx").require_bounded(shapes_of(network, data))
        assert np.isfinite(fw.predict(tmp_path / "net.onnx", data)).all()
