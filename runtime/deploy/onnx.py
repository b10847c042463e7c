"""An ONNX file on its way: compiled, made smaller, certified and measured where it is drafted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from numpy.typing import NDArray

from ...compiler.diagnostics.text import json_text
from ...compiler.network.network import Network
from ...compiler.targets.numpy.network import NumpyNetwork
from ...compiler.targets.onnx.embedding import embedding_of
from ...compiler.targets.onnx.export import compile_onnx
from ...compiler.targets.onnx.file import OnnxFile, weights_file
from ...compiler.targets.onnx.options import OnnxOptions
from ...compiler.targets.target import Subject
from ..data.dataset import Dataset, load_data, load_features
from ..data.files import arrays_of
from ..data.identity import DataIdentity
from ..data.rows import Rows
from ..data.split import TRAIN, split_of
from ..predict.open import OnnxPredictor
from ..predict.own_backbones import require_own_backbones
from ..runs.metadata import settings_of, trained_with_of
from ..settings import Settings
from .card import model_card

if TYPE_CHECKING:
    from ...compiler.targets.onnx.certificate import Certificate, Evaluate

CALIBRATION, CALIBRATION_BATCH = 256, 32
"""How many samples show `int8-static` what the values inside are like."""
LARGE_WEIGHTS = 1 << 30
"""Bytes of weights from which on an ONNX file keeps them in a file of their own."""


@dataclass(frozen=True)
class OnnxDraft:
    """A network to be written as ONNX, and how; where `memory` is stated, data take no more.

    `learned` are the data that it was trained on, where that is known.
    """

    subject: Subject
    options: OnnxOptions
    memory: str = ""
    learned: DataIdentity | None = None

    def write(self, place: Path) -> dict[str, Any]:
        """Writes the model, with its certificate if it is verified; returns what was measured.

        Raises DiagnosticError where the data does not fit, or a float32 model differs.
        """
        model, facts = self._in_precision()
        save_model(model, place, self.options.external_data)
        if self.options.verify:
            facts |= self._certificate(place).as_json()
        if self._is_measured:
            facts["metrics"] = self._metrics(place)
        if self.options.verify:
            text = json_text(facts, indent=1)
            certificate = place.with_name(f"{place.name}.certificate.json")
            certificate.write_text(text + "\n", encoding="utf-8")
        if self.options.card:
            options = self.options
            known = {"precision": options.precision, "opset": options.opset, **facts}
            known["output"] = "probabilities" if options.probabilities else "logits"
            inputs = {value.name for value in self._exact.graph.input}
            card = model_card(self.subject, place.name, inputs, known, self._data_name)
            place.with_name(f"{place.name}.card.md").write_text(card, encoding="utf-8")
        return facts

    @property
    def _data_name(self) -> str:
        """What the data that it is measured with are called; nothing where they have no name."""
        data = self.options.data
        return Path(data).name if isinstance(data, (str, PathLike)) else ""

    @cached_property
    def _arrays(self) -> Mapping[str, Rows]:
        data = self.options.data
        assert data is not None
        trained = trained_with_of(self.options.metadata or {})
        require_own_backbones(trained, self.subject.network.spec, data)
        return arrays_of(data)

    @property
    def _is_measured(self) -> bool:
        """With data, unless it calibrates and has no labels to measure with."""
        calibrates = self.options.precision == "int8-static"
        return self.options.data is not None and (not calibrates or "labels" in self._arrays)

    @cached_property
    def _exact(self) -> onnx.ModelProto:
        """The model in float32."""
        return compile_onnx(self.subject, self.options)

    @property
    def _settings(self) -> Settings:
        return settings_of(self.options.metadata or {}).with_options(memory=self.memory)

    def _in_precision(self) -> tuple[onnx.ModelProto, dict[str, Any]]:
        """The model in the precision that is wished for, and what it was calibrated on."""
        precision = self.options.precision
        if precision == "float32":
            return self._exact, {}
        from ...compiler.targets.onnx.precision import with_precision

        if precision != "int8-static" or self.options.data is None:
            return with_precision(self._exact, precision), {}
        data, samples, what = _calibration(self.subject.network, self._arrays, self._settings)
        model = with_precision(self._exact, precision, list(_batches(data, samples)))
        return model, {"calibration": f"{len(samples)} {what}"}

    def _certificate(self, place: Path) -> Certificate:
        from ...compiler.targets.onnx.certificate import certify

        subject = self.subject
        reference = NumpyNetwork(subject.program, subject.arrays)
        beside, embedded = _in_torch(subject)
        embedding = (embedding_of(subject), embedded) if self.options.embedding else None
        precision, head = self.options.precision, subject.network.head
        return certify(place, head, reference, beside, precision, embedding)

    def _metrics(self, place: Path) -> dict[str, Any]:
        """The metrics of the file on the test split, and of the one in float32."""
        metrics = {}
        if self.options.precision != "float32":
            with TemporaryDirectory(dir=place.parent) as folder:
                exact = Path(folder, place.name)
                save_model(self._exact, exact, external=False)
                metrics["float32"] = self._measured(exact)
        return metrics | {self.options.precision: self._measured(place)}

    def _measured(self, file: Path) -> dict[str, float]:
        from ..predict.evaluate import evaluate_with, to_evaluate

        predictor = OnnxPredictor(OnnxFile(file, self.subject), self._settings)
        predictor.learned = self.learned
        given = self.options.data  # data are known by their file, where they have one
        source = given if isinstance(given, (str, PathLike)) else self._arrays
        samples = to_evaluate(predictor, source, self._settings)
        return evaluate_with(predictor, samples, self._settings)


def save_model(model: onnx.ModelProto, place: Path, external: bool) -> None:
    """Writes a model, large weights or all if so wished in a file of their own."""
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
    network: Network, arrays: Mapping[str, Rows], settings: Settings
) -> tuple[Dataset, NDArray[Any], str]:
    """Samples to measure ranges on, and what they are.

    They are of the training split; of all, where there are neither labels nor a split.
    """
    if "labels" in arrays:
        data = load_data(arrays, network, settings.split_seed, settings.memory)
    else:
        data = load_features(arrays, network, settings.memory)
        if "split" not in arrays:
            samples = np.arange(len(data.labels))[:CALIBRATION]
            return data, samples, "samples of all, since there are no labels to split them by"
        split = split_of(arrays, data.labels, None, network.head, settings.split_seed)
        data = replace(data, split=split)
    return data, data.indices(TRAIN)[:CALIBRATION], "samples of the training split"


def _batches(data: Dataset, samples: NDArray[Any]) -> Iterator[dict[str, NDArray[Any]]]:
    for start in range(0, len(samples), CALIBRATION_BATCH):
        chosen = samples[start : start + CALIBRATION_BATCH]
        yield {name: array[chosen] for name, array in data.features.items()}


def _in_torch(subject: Subject) -> tuple[Evaluate | None, Evaluate | None]:
    """The torch module and its embedding as functions of arrays, where torch is installed."""
    if find_spec("torch") is None:
        return None, None
    import torch

    from ...compiler.targets.torch.module import compile_torch

    module = compile_torch(subject).eval()

    def of(function: Callable[[Mapping[str, torch.Tensor]], torch.Tensor]) -> Evaluate:
        @torch.no_grad()
        def evaluate(features: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
            tensors = {name: torch.from_numpy(array) for name, array in features.items()}
            result: NDArray[Any] = function(tensors).numpy()
            return result

        return evaluate

    return of(module), of(module.embed)
