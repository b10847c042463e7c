"""ONNX files: what stands in their metadata, and how they are run. A file is untrusted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx.external_data_helper import ExternalDataInfo, uses_external_data

from ...diagnostics import fail
from ...load import loads
from ...network import LOGITS, PROBABILITIES
from ...spec import Spec
from ...weights import SPEC_KEY

_ERRORS_ONLY = 3
_NUMBERS = {"tensor(int64)": np.int64, "tensor(float)": np.float32}


class OnnxFile:
    """A model that Fusewright wrote, read from a file; its weights are read when it is run.

    Raises DiagnosticError where it is no ONNX file, where weights lie outside its folder, and
    where its metadata holds no specification.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(path)
        try:
            model = onnx.load(self.path, load_external_data=False)
        except OSError as error:
            raise fail("E504", f"`{path}` cannot be read: {_reason(error)}") from None
        except (DecodeError, ValueError):
            message = f"`{path}` is not an ONNX file, or is cut short"
            raise fail("E504", message, help="compile it again") from None
        _require_inside(model, self.path)
        self.metadata = {item.key: item.value for item in model.metadata_props}
        self.outputs = [item.name for item in model.graph.output]

    @cached_property
    def spec(self) -> Spec:
        """The specification that the model was compiled from."""
        if SPEC_KEY not in self.metadata:
            message = f"`{self.path}` holds no specification"
            remedy = f"its metadata lacks `{SPEC_KEY}`: was it written by Fusewright?"
            raise fail("E504", message, help=remedy)
        return loads(self.metadata[SPEC_KEY], f"{self.path}:{SPEC_KEY}", "fuse")

    @property
    def output(self) -> str:
        """What the model gives: `logits` or `probabilities`, both (batch, K)."""
        if self.outputs not in ([LOGITS], [PROBABILITIES]):
            message = f"`{self.path}` does not give logits or probabilities"
            raise fail("E504", message, help="was it written by Fusewright?")
        return str(self.outputs[0])

    def as_json(self) -> dict[str, Any]:
        """The metadata, with what is JSON in it as such."""
        return {key: _parsed(value) for key, value in self.metadata.items()}

    def session(self) -> onnxruntime.InferenceSession:
        """A session that runs the model; raises DiagnosticError where that is not possible."""
        try:
            return open_session(self.path)
        except Exception as error:  # its exceptions have no common base but this
            message = f"`{self.path}` cannot be run: {_first_line(error)}"
            raise fail("E508", message, help="compile it again") from None


def open_session(model: bytes | Path) -> onnxruntime.InferenceSession:
    """A CPU session that keeps its warnings to itself."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    given = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(given, options, ["CPUExecutionProvider"])


def run(session: onnxruntime.InferenceSession, inputs: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Output (batch, K) for features (batch, axes…); inputs may be of any number type."""
    accepted = (*session.get_inputs(), *session.get_overridable_initializers())
    wanted = {item.name: _NUMBERS[item.type] for item in accepted}
    feed = {name: np.asarray(inputs[name], kind) for name, kind in wanted.items() if name in inputs}
    return np.asarray(session.run(None, feed)[0])


def weights_file(path: Path) -> Path:
    """Where a model keeps its weights that has them in a file of their own."""
    return path.with_name(f"{path.name}.data")


def tensors_of(message: Any) -> Iterator[onnx.TensorProto]:
    """Every tensor in a protobuf message, however deep: initializers, constants, subgraphs."""
    waiting = [message]
    while waiting:
        found = waiting.pop()
        if isinstance(found, onnx.TensorProto):
            yield found
            continue
        for descriptor, value in found.ListFields():
            if descriptor.message_type is not None:
                waiting += value if hasattr(value, "__len__") else [value]


def _require_inside(model: onnx.ModelProto, path: Path) -> None:
    """Raises DiagnosticError where weights are to be read from outside of the model's folder."""
    folder = path.resolve().parent
    for tensor in tensors_of(model):
        if uses_external_data(tensor):
            location = ExternalDataInfo(tensor).location
            place = (folder / location).resolve()
            if not location or not place.is_relative_to(folder):
                message = f"`{path}` reads weights from outside of its folder: `{location}`"
                raise fail("E504", message, help="do not trust this file")
            if not place.is_file():
                message = f"the weights `{location}` of `{path}` are missing"
                raise fail("E504", message, help="keep the two files together")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
