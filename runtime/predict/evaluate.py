"""Evaluating and predicting with a trained network; the test split is read here."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.network.names import PROBABILITIES
from ...compiler.program.weights import WeightSource
from ...compiler.targets.numpy.network import logits_of
from ..backbones.options import BackboneOptions
from ..data.checks import metric_warnings, warn
from ..data.dataset import Dataset
from ..data.files import Source
from ..data.sources import Data, source_of
from ..data.split import TEST
from ..progress import Progress, no_progress
from ..settings import Settings
from ..training.own_metrics import Metrics, measured, opened
from .details import MOST_DETAILED, Evaluation, details_of, metrics_of_details
from .open import Model, open_predictor
from .outputs import shares_in
from .predictor import SECONDS, Predictor, split_warnings


def evaluate(
    model: Model,
    data: Data,
    *,
    weights: WeightSource | None = None,
    joint: bool = False,
    seconds: int = SECONDS,
    backbones: BackboneOptions | None = None,
    metrics: Metrics = (),
    settings: Settings | None = None,
    progress: Progress = no_progress,
    **options: Any,
) -> Evaluation:
    """The head's metrics on the test split, with their `details`, class by class.

    Classes: `accuracy`, weighted and macro F1, and, of each class against all others, the means of
    the area under the receiver operating characteristic (`auroc`) and of average precision (`map`);
    labels have the last four too. `calibration_error` is the expected one over 15 bins. Values:
    `r2`, `mean_absolute_error`, `root_mean_squared_error`. Of several heads each has its name
    before it, and `score` is the mean of those that select, weighted as their losses are.

    `model` is a run folder, of a network or of an ensemble, an ONNX file, what a training gave, or
    a specification whose `weights` are given. A run's own settings say how data without a `split`
    is split; `options` override them. Warns
    (`DataWarning`) where data are to be doubted, or a metric is, and where they have no feature of
    an optional modality, which is absent in every sample then. `joint` is as for `predict`.
    """
    predictor = open_predictor(model, weights, joint=joint, seconds=seconds, backbones=backbones)
    settings = (settings or predictor.settings).with_options(**options)
    samples = to_evaluate(predictor, source_of(data), settings)
    return evaluate_with(predictor, samples, settings, progress, metrics)


def evaluate_with(
    predictor: Predictor,
    samples: Dataset,
    settings: Settings,
    progress: Progress = no_progress,
    metrics: Metrics = (),
) -> Evaluation:
    """The head's metrics on the test split of samples, of a network that is open, and others."""
    import torch

    from ..training.scores import metrics_of

    head, test = predictor.network.head, samples.indices(TEST)
    others = opened(metrics, head)
    outputs, labels = predictor.outputs(samples, test, settings, progress), samples.labels[test]
    exact = outputs.astype(np.float64) if head.count <= MOST_DETAILED else outputs
    shares = shares_in(head, predictor.output, exact)
    details = details_of(head, shares, labels)
    if predictor.output == PROBABILITIES:
        outputs = logits_of(outputs, head)
    found = metrics_of(head, torch.from_numpy(outputs), torch.from_numpy(labels))
    found |= metrics_of_details(details)
    return Evaluation(found | measured(others, head, shares, labels), details)


def to_evaluate(predictor: Predictor, data: Source, settings: Settings) -> Dataset:
    """The samples of data that a network which is open is evaluated on, with what is to be doubted.

    Raises DiagnosticError where they do not fit it, or the memory, or have no test split.
    """
    samples = predictor.read(data, settings, labelled=True)
    metrics = metric_warnings(samples, predictor.network.head, TEST)
    warn([*split_warnings(predictor, data), *metrics])
    samples.indices(TEST)
    return samples


def predict(
    model: Model,
    data: Data,
    *,
    weights: WeightSource | None = None,
    joint: bool = False,
    seconds: int = SECONDS,
    backbones: BackboneOptions | None = None,
    settings: Settings | None = None,
    progress: Progress = no_progress,
    **options: Any,
) -> NDArray[Any]:
    """Logits (samples, K), float32, for every sample of the data, which needs no labels.

    Probabilities, where `model` is an ONNX file that gives these, or an ensemble. An optional
    modality of which the data have no feature is absent in every sample, with a warning
    (`DataWarning`). A run or an ONNX file with its backbones is run where it is said to be `joint`;
    its data are raw inputs. Those of a run are opened with the options `backbones`; a file runs for
    `seconds` at most.
    """
    predictor = open_predictor(model, weights, joint=joint, seconds=seconds, backbones=backbones)
    settings = (settings or predictor.settings).with_options(**options)
    return predict_with(predictor, source_of(data), settings, progress)


def predict_with(
    predictor: Predictor, data: Source, settings: Settings, progress: Progress = no_progress
) -> NDArray[Any]:
    """What a network that is open gives for every sample, (samples, K)."""
    samples = predictor.read(data, settings, labelled=False)
    every = np.arange(len(samples.labels))
    return predictor.outputs(samples, every, settings, progress)
