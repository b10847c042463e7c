"""ONNX models as ONNX Runtime runs them, on the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ...diagnostics.diagnostic import fail
from ...network.names import EMBEDDING
from ...system.files import first_line, open_file

_ERRORS_ONLY = 3
_NUMBERS = {"tensor(int64)": np.int64, "tensor(float)": np.float32}


def open_session(model: bytes | Path) -> onnxruntime.InferenceSession:
    """A CPU session that keeps its warnings to itself."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, ["CPUExecutionProvider"])


def session_of(path: Path) -> onnxruntime.InferenceSession:
    """A session that runs a file; raises DiagnosticError where that is not possible."""
    open_file(path).close()
    try:
        return open_session(path)
    except Exception as error:  # noqa: BLE001  (its exceptions have no common base but this)
        message = f"`{path}` cannot be run: {first_line(error)}"
        raise fail("E508", message, help="compile it again") from None


def run(session: onnxruntime.InferenceSession, inputs: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Output (batch, K), those of several heads side by side, for features (batch, axes…).

    Inputs may be of any number type.

    Raises DiagnosticError where the model fails, or gives anything but finite numbers.
    """
    output = outputs(session, inputs)
    broken = np.flatnonzero(~np.isfinite(output).all(1))
    if len(broken):
        message = f"the model gives values that are not finite for {len(broken)} of {len(output)}"
        remedy = "look for NaN and large values in the data, or compile it in `float32`"
        raise fail("E508", f"{message} samples", help=remedy)
    return output


def outputs(
    session: onnxruntime.InferenceSession, inputs: Mapping[str, NDArray[Any]], name: str = ""
) -> NDArray[Any]:
    """What `run` gives, where that may be infinite or NaN; or the embedding, by its name."""
    accepted = (*session.get_inputs(), *session.get_overridable_initializers())
    try:
        feed = {
            item.name: np.asarray(inputs[item.name], _NUMBERS[item.type])
            for item in accepted
            if item.name in inputs
        }
        named = zip(session.get_outputs(), session.run(None, feed), strict=True)
    except Exception as error:  # noqa: BLE001  (its exceptions have no common base but this)
        message = f"the model cannot be run: {first_line(error)}"
        raise fail("E508", message, help="compile it again") from None
    samples, parts = len(feed[accepted[0].name]), list[NDArray[Any]]()
    for info, output in named:
        if (info.name == EMBEDDING) != (name == EMBEDDING):
            continue
        expected = (samples, info.shape[-1])
        array = np.asarray(output)
        if array is not output or array.dtype != np.float32 or array.shape != expected:
            message = f"the model gives {array.shape} of {array.dtype}, not {expected} of float32"
            raise fail("E508", message, help="compile it again")
        parts.append(array)
    return parts[0] if len(parts) == 1 else np.concatenate(parts, 1)
