"""A network as a file that is deployed: compiled, checked, measured, and only then written."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal, get_args

from numpy.typing import NDArray

from ..compiler.check import checked, require_no_holes
from ..compiler.compile import compile
from ..compiler.diagnostics import fail, one_of
from ..compiler.files import write_file
from ..compiler.load import load
from ..compiler.network import Network
from ..compiler.spec import Spec
from .arrays import Array, read_arrays
from .predictor import Model, OnnxPredictor, open_trained
from .run import RunFolder

if TYPE_CHECKING:
    import onnx

    from ..compiler.targets.onnx.certificate import Certificate, Evaluate
    from ..compiler.targets.onnx.precision import Precision
    from ..compiler.weights import Weights
    from .data import Source

FileTarget = Literal["onnx", "torch", "python", "pt2"]
FILE_TARGETS: tuple[FileTarget, ...] = get_args(FileTarget)
ENDINGS: Mapping[str, FileTarget] = {
    ".onnx": "onnx",
    ".safetensors": "torch",
    ".py": "python",
    ".pt2": "pt2",
}
CALIBRATION, CALIBRATION_BATCH = 256, 32
"""How many training samples show `int8-static` what the values inside are like."""
LARGE_WEIGHTS = 1 << 30
"""Bytes of weights from which on an ONNX file keeps them in a file of their own."""
METRICS_KEY, SPACE_KEY = "fusewright.metrics", "fusewright.space"


@dataclass(frozen=True)
class Subject:
    """What is deployed: a network, its weights if they are known, and what its run says of it."""

    spec: Spec
    weights: Weights | None
    metadata: Mapping[str, str]

    @classmethod
    def of(cls, model: Model, weights: Weights | str | PathLike[str] | None) -> Subject:
        """The network of a specification or run folder; raises DiagnosticError for holes."""
        if isinstance(model, Spec) and weights is None:
            require_no_holes(checked(model))
            return cls(model, None, {})
        network, arrays, _ = open_trained(model, weights)
        if isinstance(model, Spec):
            return cls(model, arrays, {})
        return cls(network.spec, arrays, _described(RunFolder(Path(model))))


def deploy(
    model: Model,
    output: str | PathLike[str],
    to: FileTarget | None = None,
    *,
    weights: Weights | str | PathLike[str] | None = None,
    data: Source | None = None,
    opset: int | None = None,
    inline: bool = False,
    probabilities: bool = False,
    precision: Precision = "float32",
    external_data: bool = False,
    verify: bool = True,
) -> dict[str, Any]:
    """Writes a network to a file, `to` what its ending says; returns what was measured.

    `model` is a specification without holes or a run folder. An ONNX file is compared with the
    reference and with torch, and the certificate written beside it as `….certificate.json`; with
    `data`, its metrics on the test split are in it, those of float32 too. `int8-static` takes its
    ranges from the training split of `data`. Raises DiagnosticError, and writes nothing, where
    anything is wrong or a float32 model differs.
    """
    subject, place = Subject.of(model, weights), Path(output)
    to = to or _target(place)
    if not place.parent.is_dir():
        raise fail("E504", f"the folder `{place.parent}` does not exist", help="make it first")
    found: dict[str, Any] = {"file": str(place), "target": to}
    if to == "onnx":
        options: dict[str, Any] = {"inline": inline, "probabilities": probabilities}
        if opset is not None:
            options["opset"] = opset
        built = compile(
            subject.spec, "onnx", weights=subject.weights, metadata=subject.metadata, **options
        )
        found |= _OnnxFile(subject, built, precision, data).write(place, external_data, verify)
    else:
        if opset or inline or probabilities or external_data or precision != "float32":
            raise fail("E506", f"options of ONNX do not apply to `{to}`", help="leave them out")
        write_file(place, _content(subject, to))
        found["bytes"] = place.stat().st_size
    if subject.weights is None and to != "python":
        found["note"] = "no weights were given: parameters have their initial values"
    return found


def _target(place: Path) -> FileTarget:
    if place.suffix not in ENDINGS:
        message = f"`{place}` names no target"
        raise fail("E506", message, help=f"end it in {one_of(list(ENDINGS))}, or give `--to`")
    return ENDINGS[place.suffix]


def _content(subject: Subject, to: str) -> bytes:
    """The bytes of a file that is no ONNX."""
    if to == "python":
        return compile(subject.spec, "python").encode()
    if to == "torch":
        from ..compiler.weights import safetensors_of

        return safetensors_of(
            subject.spec, compile(subject.spec, "numpy", weights=subject.weights).weights
        )
    if to == "pt2":
        from ..compiler.targets.torch.program import saved

        return saved(compile(subject.spec, "pt2", weights=subject.weights), str(subject.spec))
    raise fail("E506", f"unknown target `{to}`", help=f"targets are {one_of(FILE_TARGETS)}")


@dataclass(frozen=True)
class _OnnxFile:
    """An ONNX model on its way to a file, in a folder beside its place until all is well."""

    subject: Subject
    built: onnx.ModelProto
    precision: Precision
    data: Source | None

    def write(self, place: Path, external: bool, verify: bool) -> dict[str, Any]:
        arrays = self._arrays()
        network = checked(self.subject.spec)
        model = self._lowered(network, arrays)
        found: dict[str, Any] = {}
        with TemporaryDirectory(dir=place.parent, prefix=f".{place.name}.") as folder:
            draft = Path(folder, place.name)
            _save(model, draft, external)
            if verify:
                found |= self._certify(draft, network).as_json()
            if arrays is not None and "labels" in arrays:
                found["metrics"] = self._metrics(draft, arrays)
            if found:
                text = json.dumps(found, indent=1, ensure_ascii=False)
                certificate = draft.with_name(f"{place.name}.certificate.json")
                certificate.write_text(text + "\n", encoding="utf-8")
            sizes = {file.name: file.stat().st_size for file in Path(folder).iterdir()}
            for name in sorted(sizes, key=lambda name: name == place.name):
                os.replace(Path(folder, name), place.with_name(name))
        return {"bytes": sizes[place.name], **found}

    def _arrays(self) -> Mapping[str, Array] | None:
        if self.data is None or isinstance(self.data, Mapping):
            return self.data
        return read_arrays(self.data)

    def _lowered(self, network: Network, arrays: Mapping[str, Array] | None) -> onnx.ModelProto:
        if self.precision == "float32":
            return self.built
        from ..compiler.targets.onnx.precision import with_precision

        samples = [] if arrays is None else list(_calibration(network, arrays))
        return with_precision(self.built, self.precision, samples)

    def _certify(self, draft: Path, network: Network) -> Certificate:
        from ..compiler.targets.onnx.certificate import certify

        spec, weights = self.subject.spec, self.subject.weights
        reference = compile(spec, "numpy", weights=weights)
        return certify(draft, network, reference, _torch(spec, weights), self.precision)

    def _metrics(self, draft: Path, arrays: Mapping[str, Array]) -> dict[str, Any]:
        from .evaluate import evaluate_with

        files: dict[str, Path] = {self.precision: draft}
        if self.precision != "float32":
            files = {"float32": draft.with_name("float32.onnx")} | files
            _save(self.built, files["float32"], external=False)
        found = {}
        for name, file in files.items():
            predictor = OnnxPredictor(file)
            found[name] = evaluate_with(predictor, arrays, predictor.settings)
        if self.precision != "float32":
            files["float32"].unlink()
        return found


def _save(model: onnx.ModelProto, place: Path, external: bool) -> None:
    """Writes a model, large weights or all if so wished in a file of their own."""
    import onnx

    from ..compiler.targets.onnx.file import weights_file

    size = sum(len(t.raw_data) for t in model.graph.initializer)
    if not external and size < LARGE_WEIGHTS:
        place.write_bytes(model.SerializeToString())
        return
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    weights = weights_file(place)
    onnx.save_model(
        copy, place, save_as_external_data=True, location=weights.name, size_threshold=0
    )
    weights.chmod(place.stat().st_mode)


def _calibration(
    network: Network, arrays: Mapping[str, Array]
) -> Iterator[dict[str, NDArray[Any]]]:
    """Batches of samples to measure ranges on: of the training split, if the data has one."""
    import numpy as np

    from .data import TRAIN, load_features

    data = load_features(arrays, network)
    samples = np.arange(len(data.labels))
    if "split" in arrays:
        samples = np.flatnonzero(np.asarray(arrays["split"]) == TRAIN)
    for start in range(0, min(CALIBRATION, len(samples)), CALIBRATION_BATCH):
        chosen = samples[start : start + CALIBRATION_BATCH]
        yield {name: array[chosen] for name, array in data.features.items()}


def _torch(spec: Spec, weights: Weights | None) -> Evaluate | None:
    """The torch module as a function of arrays, where torch is installed."""
    if find_spec("torch") is None:
        return None
    import torch

    module = compile(spec, "torch", weights=weights).eval()

    @torch.no_grad()
    def evaluate(features: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        tensors = {name: torch.from_numpy(array) for name, array in features.items()}
        result: NDArray[Any] = module(tensors).numpy()
        return result

    call: Callable[[Mapping[str, NDArray[Any]]], NDArray[Any]] = evaluate
    return call


def _described(folder: RunFolder) -> dict[str, str]:
    """What a run says of itself: the metrics of its last epoch, and what was searched."""
    record = json.loads(folder.require("train.json").read_text(encoding="utf-8"))
    epochs = record.get("epochs") or [{}]
    found = {METRICS_KEY: json.dumps(epochs[-1])}
    space = folder.path / "specification.fuse"
    if space.is_file():
        found[SPACE_KEY] = str(load(space))
    return found
