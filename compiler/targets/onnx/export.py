"""A Program as a ModelProto, built directly.

The adapter of each feature and each Cell is a model-local function, and each Step a function that
its Cell calls, named as in the specification. Inputs, parameters and the output keep their names;
the batch is dynamic, and so is every axis that a feature declares `*`. Lengths and presence have
defaults, so they may be left out. What depends on parameters alone is computed here, once.

NOTE: functions cannot own initializers, so parameters are inputs of the functions that read them,
and numbers inside are Constant nodes.
NOTE: the tools of onnx copy a model as one message, which 2 GiB is the limit of. So the model is
inlined and checked while its parameters are inputs, and gets their values last.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnx.inliner import inline_local_functions

from ...diagnostics.diagnostic import fail
from ...network.names import EMBEDDING, LOGITS, PROBABILITIES, identifier
from ...network.network import Head
from ...passes import optimise
from ...program.program import INPUT, PARAMETER, Program
from ...program.specialise import specialise, unused
from ..target import Subject
from .builder import GraphBuilder
from .embedding import embedding_in, embedding_info, require_embedding
from .functions import Outliner, documented, opset_imports
from .interface import default, input_info, output_infos, outputs_of
from .options import DEFAULTS, OnnxOptions

CLASSES_KEY = "fusewright.classes"


def compile_onnx(subject: Subject, options: OnnxOptions = DEFAULTS) -> onnx.ModelProto:
    """The checked model of a network or an ensemble, after the passes of inference."""
    return export(optimise(subject.program, "inference"), subject, subject.arrays, options)


def export(
    program: Program,
    subject: Subject,
    weights: Mapping[str, Any],
    options: OnnxOptions = DEFAULTS,
) -> onnx.ModelProto:
    """The checked model of a program of a subject with these weights, float32.

    Its inputs are the features as declared, its output is `logits` (batch, K), or with
    `probabilities` their softmax for classes and their sigmoid for labels; where heads have names,
    `NAME.logits` or `NAME.probabilities` of each. What the subject says that it is stands in the
    metadata, and the names of the classes as JSON under `fusewright.classes`: a list, or such by
    the names of heads. With `inline` there are no functions, and with `embedding` what the head
    takes is a further output, (batch, L·channels). Raises DiagnosticError for probabilities of
    values, for the embedding of an ensemble, and where a feature is named as an output is, or a
    number is beyond float32.
    """
    opset, probabilities, network = options.opset, options.probabilities, subject.network
    output = PROBABILITIES if probabilities else LOGITS
    given = outputs_of(network.head, output)
    _require_free([name for name, _ in given], program)
    if options.embedding:
        require_embedding(subject)
        _require_free([EMBEDDING], program)
    program, weights = specialise(program, weights)
    taken = {LOGITS, PROBABILITIES, EMBEDDING, *(name for name, _ in given)}
    names = value_names(program, taken)
    alone = not network.head.parts
    if (
        alone
        and not probabilities
        and program.values[program.output].primitive not in (INPUT, PARAMETER)
    ):
        names[program.output] = LOGITS
    functions: list[onnx.FunctionProto] = []
    body = GraphBuilder(program, names, opset, taken)
    places, readers = documented(subject.networks), program.readers()
    outliner = Outliner(program, names, places, functions, readers, opset, taken)
    logits = program.values[program.output].arguments if len(given) > 1 else (program.output,)
    computed = len(program.values) - (len(given) > 1)  # what joins several heads is the last
    outliner.emit(range(computed), (), body)
    for place, (name, head) in zip(logits, given, strict=True):
        _head(body, names[place], head, name, probabilities)
    results = output_infos(network.head, output)
    if options.embedding:
        body.node("Flatten", [names[embedding_in(program)]], [EMBEDDING], axis=1)
        results.append(embedding_info(network))
    parameters = [
        parameter_tensor(weights[v.name], name)
        for v, name in zip(program.values, names, strict=True)
        if v.primitive == PARAMETER
    ]
    inputs = [input_info(item) for item in program.inputs]
    infos = [helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in parameters]
    graph = helper.make_graph(body.nodes, network.name, inputs + infos, results)
    model = _model(graph, functions, opset)
    helper.set_model_props(model, {**(options.metadata or {}), **_described(subject)})
    if options.inline:
        model = inline_local_functions(model)
    onnx.checker.check_model(model, full_check=True)
    del model.graph.input[len(inputs) :]
    model.graph.initializer.extend(parameters)
    model.graph.initializer.extend(default(i) for i in program.inputs if i.kind != "feature")
    return model


def _model(
    graph: onnx.GraphProto, functions: list[onnx.FunctionProto], opset: int
) -> onnx.ModelProto:
    imports = opset_imports(opset)
    return helper.make_model(
        graph,
        producer_name="fusewright",
        producer_version=version("fusewright"),
        ir_version=helper.find_min_ir_version_for(imports[:1]),
        opset_imports=imports,
        functions=functions,
    )


def _described(subject: Subject) -> dict[str, str]:
    """What a model says of its network: the specification, and the names of classes."""
    about, head = subject.about, subject.network.head
    names = {part.name: part.names for part in head.parts if part.names} or head.names
    if names:
        about[CLASSES_KEY] = json.dumps(names, ensure_ascii=False)
    return about


def _require_free(outputs: Sequence[str], program: Program) -> None:
    """Raises DiagnosticError where a feature is named like an output."""
    output = next((item.name for item in program.inputs if item.name in outputs), None)
    if output is not None:
        message = f"a feature is named `{output}`, as the output is"
        raise fail("E506", message, help="rename the feature")


def parameter_tensor(values: Any, name: str) -> onnx.TensorProto:
    """A weight in float32; raises DiagnosticError where what was computed from weights is more."""
    with np.errstate(over="ignore"):
        array = np.ascontiguousarray(values, np.float32)
    if not np.isfinite(array).all():
        message = f"`{name}`, which weights alone decide, is beyond float32"
        raise fail("E505", message, help="train again with a lower learning rate")
    return numpy_helper.from_array(array, name)


def _head(body: GraphBuilder, logits: str, head: Head, output: str, probabilities: bool) -> None:
    """The node that gives the output its name, unless it has it already."""
    if logits == output:
        return
    if not probabilities or (head.name is not None and head.kind == "values"):
        body.node("Identity", [logits], [output])
    elif head.kind == "classes":
        body.node("Softmax", [logits], [output], axis=-1)
    elif head.kind == "labels":
        body.node("Sigmoid", [logits], [output])
    else:
        message = "a network that predicts values has no probabilities"
        raise fail("E506", message, help="leave out `--probabilities`")


def value_names(program: Program, taken: set[str]) -> list[str]:
    """A name of its own for every value, added to those taken; inputs and, where no input has the
    same, parameters keep theirs."""
    taken.update(item.name for item in program.inputs)
    own = {v.name: unused(v.name, taken) for v in program.values if v.primitive == PARAMETER}
    names = []
    for index, value in enumerate(program.values):
        if value.primitive == INPUT:
            names.append(value.name)
        elif value.primitive == PARAMETER:
            names.append(own[value.name])
        else:
            names.append(unused(f"{identifier(*value.scope)}/{value.primitive}_{index}", taken))
    return names
