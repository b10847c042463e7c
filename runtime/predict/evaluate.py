"""Evaluating and predicting with a trained network; the test split is read here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.network.names import PROBABILITIES
from ...compiler.program.weights import WeightSource
from ...compiler.targets.numpy.network import logits_of
from ..data.checks import data_warnings, metric_warnings, warn
from ..data.dataset import Dataset, load_data, load_features
from ..data.files import Source, arrays_of
from ..data.presence import lacking_warnings, lacking_whole, without
from ..data.rows import Rows
from ..data.sources import Data, source_of
from ..data.split import TEST
from ..progress import Progress, no_progress
from ..settings import Settings
from .open import Model, open_predictor
from .predictor import Predictor, require_memory_for, split_warnings


def evaluate(
    model: Model,
    data: Data,
    *,
    weights: WeightSource | None = None,
    settings: Settings | None = None,
    progress: Progress = no_progress,
    **options: Any,
) -> dict[str, float]:
    """The head's metrics on the test split.

    `model` is a run folder, of a network or of an ensemble, an ONNX file, or a specification whose
    `weights` are given. A run's
    own settings say how data without a `split` is split; `options` override them. Warns
    (`DataWarning`) where data are to be doubted, or a metric is, and where they have no feature of
    an optional modality, which is absent in every sample then.
    """
    predictor = open_predictor(model, weights)
    settings = (settings or predictor.settings).with_options(**options)
    samples = to_evaluate(predictor, source_of(data), settings)
    return evaluate_with(predictor, samples, settings, progress)


def evaluate_with(
    predictor: Predictor, samples: Dataset, settings: Settings, progress: Progress = no_progress
) -> dict[str, float]:
    """The head's metrics on the test split of samples, of a network that is open."""
    import torch

    from ..training.objective import metrics_of

    head, test = predictor.network.head, samples.indices(TEST)
    outputs = predictor.outputs(samples, test, settings, progress)
    if predictor.output == PROBABILITIES:
        outputs = logits_of(outputs, head.kind)
    return metrics_of(head, torch.from_numpy(outputs), torch.from_numpy(samples.labels[test]))


def to_evaluate(predictor: Predictor, data: Source, settings: Settings) -> Dataset:
    """The samples of data that a network which is open is evaluated on, with what is to be doubted.

    Raises DiagnosticError where they do not fit it, or the memory, or have no test split.
    """
    require_memory_for(predictor, data, settings)
    network = predictor.network
    samples = load_data(_completed(data, predictor), network, settings.split_seed, settings.memory)
    doubts = (*split_warnings(predictor, data), *data_warnings(samples, network))
    warn([*doubts, *metric_warnings(samples, network.head, TEST)])
    samples.indices(TEST)
    return samples


def predict(
    model: Model,
    data: Data,
    *,
    weights: WeightSource | None = None,
    settings: Settings | None = None,
    progress: Progress = no_progress,
    **options: Any,
) -> NDArray[Any]:
    """Logits (samples, K), float32, for every sample of the data, which needs no labels.

    Probabilities, where `model` is an ONNX file that gives these, or an ensemble. An optional
    modality of which the data have no feature is absent in every sample, with a warning
    (`DataWarning`).
    """
    predictor = open_predictor(model, weights)
    settings = (settings or predictor.settings).with_options(**options)
    return predict_with(predictor, source_of(data), settings, progress)


def predict_with(
    predictor: Predictor, data: Source, settings: Settings, progress: Progress = no_progress
) -> NDArray[Any]:
    """What a network that is open gives for every sample, (samples, K)."""
    require_memory_for(predictor, data, settings)
    samples = load_features(_completed(data, predictor), predictor.network, settings.memory)
    every = np.arange(len(samples.labels))
    return predictor.outputs(samples, every, settings, progress)


def _completed(data: Source, predictor: Predictor) -> Mapping[str, Rows]:
    """The arrays; no sample has an optional modality that they have nothing of, with a warning."""
    arrays, network = arrays_of(data), predictor.network
    lacking = lacking_whole(arrays, network)
    warn(lacking_warnings(arrays, network, lacking))
    return without(arrays, network, lacking)
