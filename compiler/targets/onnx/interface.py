"""What a model takes and gives: names, types and shapes, as it is written and as it is read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ...network.names import LOGITS, PROBABILITIES, output_name
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


def outputs_of(head: Head, output: str) -> tuple[tuple[str, Head], ...]:
    """What a model gives of each head, by its name: `logits` or `probabilities`.

    One of several heads that predicts values has logits alone.
    """
    if not head.parts:
        return ((output, head),)
    pairs = ((LOGITS if part.kind == "values" else output, part) for part in head.parts)
    return tuple((output_name(part.name, what), part) for what, part in pairs)


def output_infos(head: Head, output: str) -> list[onnx.ValueInfoProto]:
    """Logits or probabilities of each head, (batch, K)."""
    return [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [BATCH, part.count])
        for name, part in outputs_of(head, output)
    ]


def given(names: Sequence[str], head: Head) -> str | None:
    """Whether outputs of these names are logits or probabilities of a head, or neither."""
    for output in (LOGITS, PROBABILITIES):
        if [name for name, _ in outputs_of(head, output)] == [*names]:
            return output
    return None


def default(item: Input) -> onnx.TensorProto:
    """What stands for lengths or presence that are left out, (1,)."""
    kind = np.int64 if item.kind == "lengths" else np.float32
    return numpy_helper.from_array(np.array([item.default], kind), item.name)
