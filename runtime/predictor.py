"""What gives outputs for samples: a trained network through torch, or an ONNX file.

NOTE: an ONNX file is run without torch, which each kind imports for itself.
"""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..compiler.check import checked, require_no_holes
from ..compiler.diagnostics import fail
from ..compiler.load import ONNX, load
from ..compiler.network import Network
from ..compiler.spec import Spec
from ..compiler.weights import Weights, read_weights
from .data import Dataset
from .run import RunFolder
from .settings import Settings

Model: TypeAlias = "str | PathLike[str] | Spec"
"""A run folder, an ONNX file, or a specification whose weights are given."""
Progress: TypeAlias = Callable[[int, int], None]
"""Receives how many samples are done, of how many."""


class Predictor(Protocol):
    """A network to predict with; `output` says what it gives: `logits` or `probabilities`."""

    network: Network
    settings: Settings
    output: str

    def outputs(
        self, data: Dataset, samples: NDArray[Any], settings: Settings, progress: Progress
    ) -> NDArray[Any]:
        """What the network gives for some samples, (samples, K), float32."""
        ...


def no_progress(done: int, total: int) -> None:
    """Says nothing."""


def open_predictor(model: Model, weights: Weights | str | PathLike[str] | None = None) -> Predictor:
    """The network that a model stands for; it has no holes.

    Raises DiagnosticError where it cannot be read, or has no weights.
    """
    if not isinstance(model, Spec) and Path(model).suffix == ONNX:
        return OnnxPredictor(Path(model))
    from .torch_predictor import TorchPredictor

    return TorchPredictor(*open_trained(model, weights))


def open_trained(
    model: Model, weights: Weights | str | PathLike[str] | None
) -> tuple[Network, Weights, Settings]:
    """The network, weights and settings of a run folder, or of a specification with weights."""
    if isinstance(model, Spec):
        spec, settings = model, Settings()
        if weights is None:
            message = "a specification needs weights to be evaluated"
            raise fail("E505", message, help="give `weights=…`, or a run folder")
    elif Path(model).is_dir():
        folder = RunFolder(Path(model))
        spec, settings = load(folder.require("genotype.fuse")), folder.settings("train")
        if weights is None:
            weights = folder.require("weights.safetensors")
    else:
        message = f"`{model}` is neither a run folder nor an ONNX file"
        raise fail("E507", message, help="give the folder that `fusewright train --out` wrote")
    if isinstance(weights, (str, PathLike)):
        weights = read_weights(weights)
    network = checked(spec)
    require_no_holes(network)
    return network, weights, settings


class OnnxPredictor:
    """An ONNX file that Fusewright wrote, run by ONNX Runtime on the CPU."""

    def __init__(self, path: Path) -> None:
        from ..compiler.targets.onnx.file import OnnxFile

        self._file = OnnxFile(path)
        self.network, self.settings = checked(self._file.spec), Settings()
        self.output = self._file.output

    def outputs(
        self, data: Dataset, samples: NDArray[Any], settings: Settings, progress: Progress
    ) -> NDArray[Any]:
        from ..compiler.targets.onnx.file import run

        if settings.device != "cpu":
            message = f"an ONNX file is not run on `{settings.device}`"
            raise fail("E506", message, help="leave out `--device`")
        session = self._file.session()
        found = []
        for start in range(0, len(samples), settings.batch):
            chosen = samples[start : start + settings.batch]
            found.append(run(session, {name: a[chosen] for name, a in data.features.items()}))
            progress(start + len(chosen), len(samples))
        return np.concatenate(found)
