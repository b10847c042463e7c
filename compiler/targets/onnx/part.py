"""A part of a network as a model by itself, to be measured: the adapter of a feature, say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ...program.program import INPUT, PARAMETER, Program
from ...program.specialise import specialise, unused
from .builder import GraphBuilder
from .export import parameter_tensor, value_names
from .functions import opset_imports
from .interface import BATCH, default, input_info
from .options import OPSET


def export_part(program: Program, weights: Mapping[str, Any]) -> onnx.ModelProto:
    """The model of a program that gives any shape, (batch, axes…)."""
    program, weights = specialise(program, weights)
    taken = set[str]()
    names = value_names(program, taken)
    output = unused("output", taken)
    body = GraphBuilder(program, names, OPSET, taken)
    for index, value in enumerate(program.values):
        if value.primitive not in (INPUT, PARAMETER):
            body.value(index)
    body.node("Identity", [names[program.output]], [output])
    parameters = [
        parameter_tensor(weights[v.name], name)
        for v, name in zip(program.values, names, strict=True)
        if v.primitive == PARAMETER
    ]
    axes = [a.size for a in program.values[program.output].type.axes]
    return _model(program, body.nodes, parameters, output, [BATCH, *axes])


def export_nothing(program: Program) -> onnx.ModelProto:
    """A model that takes what a program takes, and computes nothing."""
    taken = {item.name for item in program.inputs}
    zero, output = unused("zero", taken), unused("output", taken)
    constant = numpy_helper.from_array(np.zeros(1, np.float32), zero)
    node = helper.make_node("Identity", [zero], [output])
    return _model(program, [node], [constant], output, [1])


def _model(
    program: Program,
    nodes: Sequence[onnx.NodeProto],
    parameters: Sequence[onnx.TensorProto],
    output: str,
    sizes: Sequence[int | str | None],
) -> onnx.ModelProto:
    result = helper.make_tensor_value_info(output, TensorProto.FLOAT, list(sizes))
    defaults = [default(i) for i in program.inputs if i.kind != "feature"]
    inputs = [input_info(item) for item in program.inputs]
    graph = helper.make_graph(nodes, "part", inputs, [result], [*parameters, *defaults])
    imports = opset_imports(OPSET)[:1]
    version = helper.find_min_ir_version_for(imports)
    return helper.make_model(graph, opset_imports=imports, ir_version=version)
