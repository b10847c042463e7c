"""An ONNX model run in ONNX Runtime against the numpy reference on random inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from ...ops.types import TensorType
from ..diagnostics import fail
from ..program import Program
from .numpy import NumpyNetwork

TOLERANCE = 1e-5
BATCHES = (1, 7)
_ERRORS_ONLY = 3


@dataclass(frozen=True, slots=True)
class Verification:
    """The largest differences seen; `relative` is max|a − b| / max(1, max|b|)."""

    opset: int
    bytes: int
    absolute: float
    relative: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def verify(model: onnx.ModelProto, reference: NumpyNetwork) -> Verification:
    """Compares model and reference; raises DiagnosticError above `TOLERANCE`, relative."""
    content = model.SerializeToString()
    session = open_session(content)
    absolute = relative = 0.0
    for batch in BATCHES:
        inputs = random_inputs(reference.program, batch, seed=batch)
        expected = reference(inputs)
        found = run(session, inputs)
        if not np.isfinite(found).all() or not np.isfinite(expected).all():
            message = "the network gives values that are not finite on random inputs"
            raise fail("E508", message, help="look for a division by zero or an overflow")
        difference = float(np.abs(found - expected).max())
        absolute = max(absolute, difference)
        relative = max(relative, difference / max(1.0, float(np.abs(expected).max())))
    if relative > TOLERANCE:
        message = f"the ONNX model differs from the reference by {relative:.2e}, relative"
        remedy = "the weights may be too large for float32; nothing was written"
        raise fail("E508", message, help=remedy)
    return Verification(model.opset_import[0].version, len(content), absolute, relative)


def open_session(content: bytes) -> onnxruntime.InferenceSession:
    """A CPU session that keeps its warnings to itself."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    return onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])


def run(session: onnxruntime.InferenceSession, inputs: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Logits (batch, K) for features (batch, axes…); inputs may be of any number type."""
    kinds = {"tensor(int64)": np.int64, "tensor(float)": np.float32}
    accepted = (*session.get_inputs(), *session.get_overridable_initializers())
    wanted = {item.name: kinds[item.type] for item in accepted}
    feed = {name: np.asarray(inputs[name], kind) for name, kind in wanted.items() if name in inputs}
    return np.asarray(session.run(None, feed)[0])


def random_inputs(program: Program, batch: int, seed: int) -> dict[str, NDArray[Any]]:
    """Normal features; axes known only at run time get a size between 1 and 9."""
    generator = np.random.default_rng(seed)

    def feature(type: TensorType) -> NDArray[np.float32]:
        known = (a.size or int(generator.integers(1, 10)) for a in type.axes)
        return generator.normal(size=(batch, *known)).astype(np.float32)

    return {i.name: feature(i.type) for i in program.inputs if i.kind == "feature"}
