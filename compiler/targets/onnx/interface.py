"""What a model takes and gives: names, types and shapes, as it is written and as it is read."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ...network.network import Head
from ...program.program import Input

BATCH = "batch"


def input_info(item: Input) -> onnx.ValueInfoProto:
    """A feature is (batch, axes…) in float32; lengths and presence (batch,) or (1,)."""
    if item.kind == "feature":
        axes = [f"{item.name}.{a.name}" if a.size is None else a.size for a in item.type.axes]
        return helper.make_tensor_value_info(item.name, TensorProto.FLOAT, [BATCH, *axes])
    kind = TensorProto.INT64 if item.kind == "lengths" else TensorProto.FLOAT
    return helper.make_tensor_value_info(item.name, kind, [f"{item.name}.batch"])


def output_info(name: str, head: Head) -> onnx.ValueInfoProto:
    """Logits or probabilities, (batch, K)."""
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, [BATCH, head.count])


def default(item: Input) -> onnx.TensorProto:
    """What stands for lengths or presence that are left out, (1,)."""
    kind = np.int64 if item.kind == "lengths" else np.float32
    return numpy_helper.from_array(np.array([item.default], kind), item.name)
