"""Predicting with an ONNX file that takes raw inputs, in a process of its own with limits.

What such a file takes to run cannot be known from its specification, so that the system limits its
memory and its time.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from io import BytesIO
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import DiagnosticError, Report, fail, one_of
from ...compiler.system.memory import available_memory, memory_text, parse_memory
from ...compiler.targets.onnx.joint import JointFile, RawInput
from ..data.dataset import Dataset
from ..data.files import Source, arrays_of
from ..data.identity import DataIdentity
from ..data.labels import labels_of
from ..data.rows import Rows
from ..data.split import groups_of, split_of
from ..progress import Progress
from ..runs.metadata import settings_of
from ..settings import Settings

_COPIES = 3
"""How often inputs are held at once while they are handed over."""
_ALL_THAT_CAN_BE = 1 << 62


class JointPredictor:
    """An ONNX file with its backbones, run by ONNX Runtime in a process of its own.

    Raises DiagnosticError where the file is not what `compile --joint` writes.
    """

    def __init__(self, file: str | PathLike[str], seconds: int) -> None:
        self.file, self.seconds = JointFile(file), seconds
        self.learned: DataIdentity | None = None
        self.backbones: Mapping[str, str] = {}
        self.output, self.network = self.file.output, self.file.subject.network
        self.program, self.settings = self.file.subject.program, settings_of(self.file.metadata)
        self.names = tuple(item.name for item in self.file.inputs)

    def read(self, data: Source, settings: Settings, *, labelled: bool) -> Dataset:
        arrays, report = arrays_of(data), Report()
        features = {
            item.name: values
            for item in self.file.inputs
            if (values := _fitting(item, arrays, report)) is not None
        }
        report.raise_errors()
        counts = {len(array) for array in features.values()}
        if len(counts) != 1 or 0 in counts:
            shown = ", ".join(f"`{name}` {len(array)}" for name, array in features.items())
            message = f"arrays differ in their number of samples, or have none: {shown}"
            raise fail("E502", message, help="every array has the same samples, in the same order")
        count = counts.pop()
        if not labelled:
            return Dataset(features, np.zeros(count, np.int64), np.zeros(count, np.int64))
        head = self.network.head
        labels = labels_of(arrays, head, count, report)
        report.raise_errors()
        groups = groups_of(arrays, count)
        split = split_of(arrays, labels, groups, head, settings.split_seed)
        return Dataset(features, labels, split, groups)

    def outputs(
        self, data: Dataset, samples: NDArray[Any], settings: Settings, progress: Progress
    ) -> NDArray[Any]:
        """What the model gives for some samples, (samples, K), float32.

        Raises DiagnosticError where it takes more memory than it may, more time, or breaks.
        """
        if settings.device != "cpu":
            message = f"an ONNX file is not run on `{settings.device}`"
            raise fail("E506", message, help="leave out `--device`")
        allowed = [available_memory(), parse_memory(settings.memory) if settings.memory else None]
        memory = min((one for one in allowed if one is not None), default=_ALL_THAT_CAN_BE)
        inputs = {name: np.asarray(array[samples]) for name, array in data.features.items()}
        needed = _COPIES * sum(array.nbytes for array in inputs.values())
        if needed > memory:
            message = f"handing the data over takes {memory_text(needed)}, and there is"
            remedy = "predict on fewer samples at a time"
            raise fail("E512", f"{message} {memory_text(memory)}", help=remedy)
        outputs = self._run(inputs, settings.at_once, memory)
        progress(len(samples), len(samples))
        return outputs

    def _run(self, inputs: Mapping[str, NDArray[Any]], batch: int, memory: int) -> NDArray[Any]:
        stream = BytesIO()
        np.savez(stream, allow_pickle=False, **inputs)
        limits = map(str, (batch, memory, self.seconds))
        program = [sys.executable, "-P", "-m", f"{__package__}.alone"]
        paths = os.pathsep.join(filter(None, sys.path))
        try:
            done = subprocess.run(
                [*program, str(self.file.path.resolve()), *limits],
                input=stream.getbuffer(),
                capture_output=True,
                timeout=self.seconds,
                check=False,
                env={**os.environ, "PYTHONPATH": paths},
            )
        except subprocess.TimeoutExpired:
            message = f"`{self.file.path}` has run for {self.seconds} s, and was ended"
            remedy = "allow more by `--seconds`, if you trust who wrote it"
            raise fail("E504", message, help=remedy) from None
        if done.returncode:
            raise self._broken(done.returncode, done.stdout)
        return np.asarray(np.lib.format.read_array(BytesIO(done.stdout), allow_pickle=False))

    def _broken(self, status: int, told: bytes) -> DiagnosticError:
        """What a process says that gave nothing, or what ended it."""
        if status == 1 and told:
            said = json.loads(told)
            return fail(said["code"], said["message"], help=said["help"])
        if status == -signal.SIGKILL:
            message = f"`{self.file.path}` was ended by the system: it took too much memory or time"
            return fail("E512", message, help="set a limit by `--memory`, or a smaller `--batch`")
        name = signal.Signals(-status).name if status < 0 else f"status {status}"
        message = f"the model cannot be run: its process ended by {name}"
        return fail("E508", message, help="do not trust this file, or compile it again")


def _fitting(item: RawInput, arrays: Mapping[str, Rows], report: Report) -> NDArray[Any] | None:
    """The array of an input as the model takes it; None where it is left out, or is reported."""
    if item.name not in arrays:
        if not item.is_optional:
            message = f"the data has no array `{item.name}`"
            report.add("E501", message, help=f"the data has {one_of(list(arrays))}")
        return None
    values = np.asarray(arrays[item.name][:])
    sizes = values.shape[1:]
    fits = len(sizes) == len(item.axes) and all(
        size in (None, n) for size, n in zip(item.axes, sizes, strict=True)
    )
    if not values.ndim or not fits:
        shape = ", ".join(["samples", *("*" if n is None else str(n) for n in item.axes)])
        message = f"`{item.name}` is {values.shape} in the data, and the model takes ({shape})"
        report.add("E502", message, help="`fusewright load FILE --json` says how it is prepared")
        return None
    if values.dtype.kind not in ("iu" if item.is_whole else "fiub"):
        kind = "whole" if item.is_whole else "finite"
        report.add("E502", f"`{item.name}` is not of {kind} numbers")
        return None
    converted = values.astype(np.int64 if item.is_whole else np.float32)
    if not np.isfinite(converted).all():
        report.add("E502", f"`{item.name}` is not of finite numbers", help="store it as float32")
        return None
    return converted
