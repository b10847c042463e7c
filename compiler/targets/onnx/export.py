"""A Program as a ModelProto, built directly.

The adapter of each feature and each Cell is a model-local function, and each Step a function that
its Cell calls, named as in the specification. Inputs, parameters and the output keep their names;
the batch is dynamic, and so is every axis that a feature declares `*`. Lengths and presence have
defaults, so they may be left out. What depends on parameters alone is computed here, once.

NOTE: functions cannot own initializers, so parameters are inputs of the functions that read them,
and numbers inside are Constant nodes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.inliner import inline_local_functions

from ...diagnostics import fail
from ...network import LOGITS, PROBABILITIES, Head, Network
from ...program import INPUT, PARAMETER, Input, Program, identifier
from ...specialise import specialise
from ...weights import SPEC_KEY
from .builder import OPSETS, GraphBuilder
from .functions import Outliner, opset_imports

OPSET = 23
BATCH = "batch"
CLASSES_KEY = "fusewright.classes"


def export(
    program: Program,
    network: Network,
    weights: Mapping[str, Any],
    *,
    opset: int = OPSET,
    inline: bool = False,
    probabilities: bool = False,
    metadata: Mapping[str, str] | None = None,
) -> onnx.ModelProto:
    """The checked model of a program with these weights, float32.

    Its inputs are the features as declared, its output is `logits` (batch, K), or with
    `probabilities` their softmax for classes and their sigmoid for labels. The specification
    stands in the metadata under `fusewright.spec`, the names of the classes as a JSON list under
    `fusewright.classes`. With `inline` there are no functions. Raises DiagnosticError for an
    operator set that models are not written at, and for probabilities of values.
    """
    if opset not in OPSETS:
        message = f"ONNX is not written at opset {opset}"
        raise fail("E506", message, help=f"opsets are {OPSETS[0]} to {OPSETS[-1]}")
    program, weights = specialise(program, weights)
    names, output = _names(program), PROBABILITIES if probabilities else LOGITS
    if not probabilities and program.values[program.output].primitive not in (INPUT, PARAMETER):
        names[program.output] = LOGITS
    functions: list[onnx.FunctionProto] = []
    body = GraphBuilder(program, names, opset)
    outliner = Outliner(program, names, network, functions, program.readers(), opset)
    outliner.emit(range(len(program.values)), (), body)
    _head(body, names[program.output], network.head, output)
    initializers = [
        numpy_helper.from_array(np.ascontiguousarray(weights[v.name], np.float32), name)
        for v, name in zip(program.values, names, strict=True)
        if v.primitive == PARAMETER
    ]
    initializers += [_default(item) for item in program.inputs if item.kind != "feature"]
    graph = helper.make_graph(
        body.nodes,
        network.name,
        [_input_info(item) for item in program.inputs],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, [BATCH, network.head.count])],
        initializers,
    )
    imports = opset_imports(opset)
    model = helper.make_model(
        graph,
        producer_name="fusewright",
        producer_version=version("fusewright"),
        ir_version=helper.find_min_ir_version_for(imports[:1]),
        opset_imports=imports,
        functions=functions,
    )
    about = {SPEC_KEY: str(network.spec), **(metadata or {})}
    if network.head.names:
        about[CLASSES_KEY] = json.dumps(network.head.names, ensure_ascii=False)
    helper.set_model_props(model, about)
    if inline:
        model = inline_local_functions(model)
    onnx.checker.check_model(model, full_check=True)
    return model


def _head(body: GraphBuilder, logits: str, head: Head, output: str) -> None:
    """The node that gives the output its name, unless it has it already."""
    if logits == LOGITS:
        return
    if output == LOGITS:
        body.node("Identity", [logits], [output])
    elif head.kind == "classes":
        body.node("Softmax", [logits], [output], axis=-1)
    elif head.kind == "labels":
        body.node("Sigmoid", [logits], [output])
    else:
        message = "a network that predicts values has no probabilities"
        raise fail("E506", message, help="leave out `--probabilities`")


def _names(program: Program) -> list[str]:
    """A name for every value: inputs keep theirs, and parameters that no input is named like."""
    inputs = {LOGITS, PROBABILITIES, *(item.name for item in program.inputs)}
    names = []
    for index, value in enumerate(program.values):
        if value.primitive == INPUT:
            names.append(value.name)
        elif value.primitive == PARAMETER:
            names.append(f"parameter:{value.name}" if value.name in inputs else value.name)
        else:
            names.append(f"{identifier(*value.scope)}/{value.primitive}_{index}")
    return names


def _input_info(item: Input) -> onnx.ValueInfoProto:
    if item.kind == "feature":
        axes = [f"{item.name}.{a.name}" if a.size is None else a.size for a in item.type.axes]
        return helper.make_tensor_value_info(item.name, TensorProto.FLOAT, [BATCH, *axes])
    kind = TensorProto.INT64 if item.kind == "lengths" else TensorProto.FLOAT
    return helper.make_tensor_value_info(item.name, kind, [f"{item.name}.batch"])


def _default(item: Input) -> onnx.TensorProto:
    kind = np.int64 if item.kind == "lengths" else np.float32
    return numpy_helper.from_array(np.array([item.default], kind), item.name)
