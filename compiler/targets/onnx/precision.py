"""An ONNX model in less than float32, by the tools that ONNX Runtime ships.

- `float16`: weights and arithmetic, by `convert_float_to_float16`;
- `int8`: linear maps in 8 bits, by `quantize_dynamic`; the range of what they take is found anew
  whenever they run;
- `int8-static`: the same by `quantize_static`; the ranges are those found on samples.

In 8 bits every column of a weight has a scale of its own, and what is no linear map with a known
weight stays float32. Inputs and outputs are float32 in every precision.

NOTE: the tools do not look into functions, so the result has none. They take the default of an
input for a weight, so defaults are taken off before them and put back after.
NOTE: weights of 8 bits are unsigned. On processors without VNNI, products of unsigned with signed
numbers are summed in 16 bits, which overflow: the result would depend on where a model runs.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper
from onnx.inliner import inline_local_functions
from onnxruntime.quantization import (
    QuantFormat,
    QuantType,
    quant_pre_process,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.quantization.onnx_model import ONNXModel
from onnxruntime.transformers.float16 import convert_float_to_float16

from ....ops.types import NUMBERS
from ...diagnostics.diagnostic import did_you_mean, fail
from ...system.options import require_one
from .file import read_model
from .options import PRECISIONS, Precision

Sample: TypeAlias = Mapping[str, NDArray[Any]]
_LINEAR = "MatMul"
_ATTENTION = ("Attention", "Softmax")
"""What attention is made of, beside the products of two computed values."""
_LARGEST = float(np.finfo(np.float16).max)
_MESSAGE = (1 << 31) - (1 << 24)
"""The bytes of weights that the tools, which copy a model as one message, have room for."""
_TOOLS = Path(onnxruntime.__file__).parent


def with_precision(
    model: onnx.ModelProto, precision: Precision, samples: Sequence[Sample] = ()
) -> onnx.ModelProto:
    """The model in another precision, of the same inputs, outputs and metadata, without functions.

    `model` is float32, of any operator set that ONNX Runtime runs, and is left as it is; for
    `float32` it is returned itself. `samples` are batches of typical data for `int8-static`: each
    an array (batch, axes…) for every feature, of any number type; lengths and presence, (1,) or
    (batch,), may be left out.

    Raises DiagnosticError where the precision is unknown, where `int8-static` has no samples or
    they do not fit the inputs, where a weight or number is too large for `float16`, and where
    there are more than 2 GiB of weights.
    """
    require_one("precision", precision, PRECISIONS, "precisions are")
    if precision == "float32":
        return model
    if precision == "int8-static" and not samples:
        remedy = "give data to measure ranges on, or take `int8`, which needs none"
        raise fail("E506", "`int8-static` needs samples", help=remedy)
    if sum(len(t.raw_data) for t in model.graph.initializer) > _MESSAGE:
        message = f"ONNX Runtime's tools do not make `{precision}` of more than 2 GiB of weights"
        raise fail("E506", message, help="take `float32`")
    plain = _plain(model)
    with _quiet():
        if precision == "float16":
            result = _float16(plain)
        elif precision == "int8":
            result = _quantised(plain)
        else:
            result = _quantised(plain, [_feed(model, sample) for sample in samples])
    return _restored(model, result)


def _plain(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model without functions and without defaults of inputs."""
    plain = inline_local_functions(model)
    defaults = _defaults(plain.graph)
    initializers = [t for t in plain.graph.initializer if t.name not in defaults]
    plain.graph.ClearField("initializer")
    plain.graph.initializer.extend(initializers)
    return plain


def _restored(model: onnx.ModelProto, made: onnx.ModelProto) -> onnx.ModelProto:
    """The model with the nodes and weights of `made`, and all else as it was."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    graph, used = result.graph, {node.domain for node in made.graph.node}
    defaults = _defaults(graph).values()
    for field in ("node", "initializer", "value_info"):
        graph.ClearField(field)
    for field in ("functions", "opset_import"):
        result.ClearField(field)
    graph.node.extend(made.graph.node)
    graph.initializer.extend([*made.graph.initializer, *defaults])
    result.opset_import.extend(o for o in made.opset_import if not o.domain or o.domain in used)
    return result


def _defaults(graph: onnx.GraphProto) -> dict[str, onnx.TensorProto]:
    """The values of the inputs that may be left out."""
    inputs = {item.name for item in graph.input}
    tensors = {}
    for tensor in graph.initializer:
        if tensor.name in inputs:
            tensors[tensor.name] = onnx.TensorProto()
            tensors[tensor.name].CopyFrom(tensor)
    return tensors


@contextmanager
def _quiet() -> Generator[None, None, None]:
    """Keeps what the tools log to themselves, and them from setting logging up.

    They log to the root and to loggers of their own; what others log meanwhile is let through.
    """
    root, own = logging.getLogger(), logging.getLogger(onnxruntime.__name__)
    nothing, propagates = logging.NullHandler(), own.propagate

    def is_foreign(record: logging.LogRecord) -> bool:
        return not Path(record.pathname).is_relative_to(_TOOLS)

    root.addFilter(is_foreign)
    root.addHandler(nothing)
    own.addHandler(nothing)
    own.propagate = False
    try:
        yield
    finally:
        own.propagate = propagates
        own.removeHandler(nothing)
        root.removeHandler(nothing)
        root.removeFilter(is_foreign)


# float16


def _float16(plain: onnx.ModelProto) -> onnx.ModelProto:
    """Everything in float16 but what would be wrong in it.

    NOTE: the tool casts each value between two nodes left in float32 to float16 and back, unless
    the value is not described to it.
    """
    for tensor in plain.graph.initializer:
        _require_float16(tensor.name, tensor)
    for node in plain.graph.node:
        for attribute in node.attribute:
            _require_float16(node.name, attribute.t)
    inferred = onnx.shape_inference.infer_shapes(plain)
    nodes = _kept(inferred.graph)
    within = {value for node in nodes for value in node.output} - _read(inferred.graph, nodes)
    described = [v for v in inferred.graph.value_info if v.name not in within]
    inferred.graph.ClearField("value_info")
    inferred.graph.value_info.extend(described)
    result: onnx.ModelProto = convert_float_to_float16(
        inferred,
        keep_io_types=True,
        disable_shape_infer=True,
        node_block_list=[node.name for node in nodes],
    )
    ONNXModel(result).topological_sort()
    return result


def _require_float16(name: str, tensor: onnx.TensorProto) -> None:
    if tensor.data_type != TensorProto.FLOAT:
        return
    values = np.abs(numpy_helper.to_array(tensor))
    largest = float(values.max(initial=0.0, where=np.isfinite(values)))
    if largest > _LARGEST:
        message = f"`{name}` reaches {largest:.3g}, and float16 ends at {_LARGEST:.0f}"
        raise fail("E505", message, help="take `float32` or `int8`")


def _kept(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The nodes that stay in float32: those of counts and of attention.

    A count is a whole number cast to float, as of a length, and what constants make of it; float16
    does not tell one from the next above 2048. Scores of attention soon exceed its range.
    """
    kinds = {v.name: v.type.tensor_type.elem_type for v in (*graph.input, *graph.value_info)}
    constants = [node for node in graph.node if node.op_type == "Constant"]
    constant_names = {"", *(n.output[0] for n in constants), *(t.name for t in graph.initializer)}
    counts: set[str] = set()
    nodes = []
    for node in graph.node:
        begins = node.op_type == "Cast" and kinds.get(node.input[0]) == TensorProto.INT64
        goes_on = any(i in counts for i in node.input)
        if begins or (goes_on and all(i in counts or i in constant_names for i in node.input)):
            counts.update(node.output)
            nodes.append(node)
        elif node.op_type in _ATTENTION or (
            node.op_type == _LINEAR and node.input[1] not in constant_names
        ):
            nodes.append(node)
    elsewhere = _read(graph, nodes)
    return nodes + [node for node in constants if node.output[0] not in elsewhere]


def _read(graph: onnx.GraphProto, nodes: Sequence[onnx.NodeProto]) -> set[str]:
    """The values that are read elsewhere than in these nodes."""
    names = {node.name for node in nodes}
    others = (node.input for node in graph.node if node.name not in names)
    return {item.name for item in graph.output}.union(*others)


# 8 bits


def _quantised(plain: onnx.ModelProto, feeds: Sequence[Sample] | None = None) -> onnx.ModelProto:
    """The linear maps in 8 bits; the ranges of their inputs as found on `feeds`, if given."""
    weights = {tensor.name for tensor in plain.graph.initializer}
    options: dict[str, Any] = {
        "op_types_to_quantize": [_LINEAR],
        "nodes_to_exclude": [
            node.name
            for node in plain.graph.node
            if node.op_type == _LINEAR and node.input[1] not in weights
        ],
        "per_channel": True,
        "weight_type": QuantType.QUInt8,
    }
    ranges: dict[str, Any] = {
        "calibration_data_reader": _Reader(feeds or ()),
        "quant_format": QuantFormat.QDQ,
        "activation_type": QuantType.QUInt8,
        "extra_options": {"OpTypesToExcludeOutputQuantization": [_LINEAR]},
    }
    with TemporaryDirectory(prefix="fusewright-") as folder:
        prepared, output = Path(folder, "prepared.onnx"), Path(folder, "made.onnx")
        quant_pre_process(plain, prepared, skip_optimization=True, skip_symbolic_shape=True)
        if feeds is None:
            quantize_dynamic(prepared, output, **options)
        else:
            quantize_static(prepared, output, **options, **ranges)
        return read_model(output)


class _Reader:
    """Gives the tool one batch after another; a `CalibrationDataReader`."""

    def __init__(self, feeds: Sequence[Sample]) -> None:
        self._feeds = iter(feeds)

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        feed = next(self._feeds, None)
        return None if feed is None else dict(feed)


# Samples


def _feed(model: onnx.ModelProto, sample: Sample) -> dict[str, NDArray[Any]]:
    """The sample as the model's inputs, with defaults for what it leaves out."""
    defaults = _defaults(model.graph)
    sizes: dict[str, int] = {}
    feed = {}
    for item in model.graph.input:
        if item.name in sample:
            feed[item.name] = _array(item, sample[item.name], sizes)
        elif item.name in defaults:
            feed[item.name] = numpy_helper.to_array(defaults[item.name])
        else:
            remedy = did_you_mean(item.name, sample) or "give every feature in every sample"
            raise fail("E501", f"a sample has no array `{item.name}`", help=remedy)
    batch = next((len(feed[i.name]) for i in model.graph.input if i.name not in defaults), 1)
    for name in defaults:
        if len(feed[name]) not in (1, batch):
            message = f"`{name}` of a sample has {len(feed[name])} values for a batch of {batch}"
            raise fail("E502", message, help="give one for each, or one for all")
    return feed


def _array(item: onnx.ValueInfoProto, given: NDArray[Any], sizes: dict[str, int]) -> NDArray[Any]:
    """The array as the input takes it; `sizes` are those of the axes that earlier ones gave."""
    array = np.asarray(given)
    axes = item.type.tensor_type.shape.dim
    fits = array.ndim == len(axes) and all(
        n >= 1 and n == (axis.dim_value or sizes.setdefault(axis.dim_param, n))
        for axis, n in zip(axes, array.shape, strict=True)
    )
    if not fits:
        shown = ", ".join(str(a.dim_value or sizes.get(a.dim_param) or a.dim_param) for a in axes)
        message = f"`{item.name}` of a sample is {array.shape}, not ({shown})"
        raise fail("E502", message, help="samples are batches of the data, as the network takes it")
    kind = onnx.helper.tensor_dtype_to_np_dtype(item.type.tensor_type.elem_type)
    with np.errstate(all="ignore"):
        converted = array.astype(kind) if array.dtype.kind in NUMBERS else array
    if converted.dtype != kind or not (np.isfinite(array) & np.isfinite(converted)).all():
        message = f"`{item.name}` of a sample has values that are not finite numbers"
        raise fail("E502", message, help="replace NaN and infinity in the data")
    return converted
