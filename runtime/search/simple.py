"""Simple models, which a search has to beat: a linear one and extra trees, on pooled features."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

from ...compiler.network.network import Head, Network
from ...compiler.targets.numpy.network import logits_of
from ..data.dataset import Dataset
from ..data.folds import Fold
from ..data.pooled import PooledRows
from ..data.rows import Rows, chunks, gathered
from ..data.several import labels_by_head
from ..training.objective import metrics_of, selection_score

LINEAR, TREES, MEAN = "linear model", "extra trees", "linear model and extra trees"
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1)
"""What the linear model's penalty is chosen from, as the inverse C of its strength."""
RIDGE = (1.0, 10.0, 100.0, 1e3, 1e4)
TREE_COUNT = 300
MOST_NUMBERS = 1 << 26
"""Numbers of columns that a model learns from: more samples would take more than 512 MiB."""
ITERATIONS = 500
Outputs: TypeAlias = NDArray[np.float64]


def simple_models(
    data: Dataset,
    network: Network,
    folds: Sequence[Fold],
    seed: int,
    *,
    strengths: Sequence[float] = (),
    trees: bool = True,
) -> Iterator[tuple[str, Outputs]]:
    """What the models give for the samples that folds hold out, fold by fold, (samples, K).

    They read each feature's mean and maximum over space and time. Of the `strengths`, the usual
    ones where none are given, the linear model has the one that is best on what is held out, as a
    search chooses there. Without `trees` it stands alone. Where samples and columns are very many,
    they learn from some of the samples.
    """
    head, labels = network.head, data.labels
    if head.parts:
        each = (
            simple_models(
                replace(data, labels=own), replace(network, head=part), folds, seed,
                strengths=strengths, trees=trees,
            )
            for part, own in labels_by_head(head, labels)
        )  # fmt: skip
        for alike in zip(*each, strict=True):
            yield alike[0][0], np.concatenate([outputs for _, outputs in alike], 1)
        return
    columns = data.kept.held("pooled", PooledRows(data, network))
    chosen = strengths or strengths_of(head)
    models = [partial(_linear, head, strength) for strength in chosen]
    models += [partial(_trees, head, seed)] if trees else []
    given: list[list[Outputs]] = [[] for _ in models]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a weak penalty is one of several
        for fold in folds:
            learned = _learned(head, [model() for model in models], columns, labels, fold, seed)
            for parts, outputs in zip(given, learned, strict=True):
                parts.append(outputs)
    every = [np.concatenate(parts) for parts in given]
    truth = labels[np.concatenate([fold.held for fold in folds])]
    linear = max(every[: len(chosen)], key=lambda outputs: score_of(head, outputs, truth))
    yield LINEAR, linear
    if trees:
        forest = every[-1]
        yield from ((TREES, forest), (MEAN, (linear + forest) / 2))


def score_of(head: Head, outputs: Outputs, truth: NDArray[Any]) -> float:
    """The metric that selects, of probabilities or values."""
    logits = logits_of(outputs, head)
    metrics = metrics_of(head, torch.from_numpy(logits).float(), torch.from_numpy(truth))
    return selection_score(head, metrics)


def _learned(
    head: Head,
    models: Sequence[Any],
    columns: Rows,
    labels: NDArray[Any],
    fold: Fold,
    seed: int,
) -> list[Outputs]:
    """What new models give for the samples that a fold holds out after learning the others.

    Columns are standardised by the samples that are learned.
    """
    train = _some(fold.train, MOST_NUMBERS // columns.shape[1], seed)
    known = gathered(columns, train)
    mean, spread = known.mean(0), known.std(0)
    spread[spread == 0] = 1
    known = (known - mean) / spread
    for model in models:
        model.fit(known, labels[train].squeeze())
    del known
    parts = [
        [_outputs(head, model, (chunk - mean) / spread) for model in models]
        for chunk in chunks(columns, fold.held)
    ]
    return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]


def _some(samples: NDArray[np.int64], most: int, seed: int) -> NDArray[np.int64]:
    """At most so many of the samples, drawn by the seed."""
    if len(samples) <= most:
        return samples
    return np.sort(np.random.default_rng(seed).choice(samples, most, replace=False))


class PerLabel:
    """A logistic regression for each label; one that never varies is given as it is."""

    def __init__(self, strength: float) -> None:
        self._strength = strength
        self._models = list[Any]()

    def fit(self, columns: Outputs, labels: NDArray[Any]) -> None:
        for own in labels.reshape(len(labels), -1).T:
            varies = len(np.unique(own)) > 1
            model = LogisticRegression(C=self._strength, max_iter=ITERATIONS) if varies else own[0]
            self._models.append(model.fit(columns, own) if varies else model)

    def predict(self, columns: Outputs) -> Outputs:
        """The probability of each label, (samples, K)."""
        parts = [
            m.predict_proba(columns)[:, 1]
            if isinstance(m, LogisticRegression)
            else np.full(len(columns), m)
            for m in self._models
        ]
        return np.stack(parts, 1)


def strengths_of(head: Head) -> Sequence[float]:
    """What the linear model's penalty is chosen from: α of a ridge, C of a logistic regression."""
    return RIDGE if head.kind == "values" else STRENGTHS


def _linear(head: Head, strength: float) -> Any:
    match head.kind:
        case "values":
            return Ridge(alpha=strength)
        case "labels":
            return PerLabel(strength)
        case "classes":
            return LogisticRegression(C=strength, max_iter=ITERATIONS)
        case "several":
            raise AssertionError("a linear model is of one head")


def _trees(head: Head, seed: int) -> Any:
    """Extra trees; those of labels are regressions of 0 and 1, whose means are probabilities."""
    kind = ExtraTreesClassifier if head.kind == "classes" else ExtraTreesRegressor
    return kind(TREE_COUNT, random_state=seed % 2**32)


def _outputs(head: Head, model: Any, columns: Outputs) -> Outputs:
    """Probabilities, or values, (samples, K)."""
    if head.kind != "classes":
        return np.asarray(model.predict(columns), np.float64).reshape(-1, head.count)
    whole: Outputs = np.zeros((len(columns), head.count))
    whole[:, model.classes_] = model.predict_proba(columns)
    return whole
