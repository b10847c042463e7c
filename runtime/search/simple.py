"""Simple models, which a search has to beat: a linear one and extra trees, on pooled features."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

from ...compiler.network.network import Head, Network
from ...compiler.targets.numpy.network import logits_of
from ..data.dataset import TRAIN, VALIDATION, Dataset
from ..data.pooled import pooled
from ..training.objective import metrics_of, selection_score

LINEAR, TREES, MEAN = "linear model", "extra trees", "linear model and extra trees"
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""What the linear model's penalty is chosen from, as the inverse C of its strength."""
RIDGE = (1.0, 10.0, 100.0, 1e3, 1e4)
TREE_COUNT = 300
ITERATIONS = 2000
Outputs: TypeAlias = NDArray[np.float64]


def simple_scores(data: Dataset, network: Network, seed: int) -> Iterator[tuple[str, float]]:
    """The models' scores on validation by the metric that selects, learned on training samples.

    They read each feature's mean and maximum over space and time. The linear model's penalty is
    chosen on validation, as a search chooses there.
    """
    train, validation = data.indices(TRAIN), data.indices(VALIDATION)
    columns, held = pooled(data, network, train), pooled(data, network, validation)
    mean, spread = columns.mean(0), columns.std(0)
    columns, held = ((part - mean) / np.where(spread > 0, spread, 1) for part in (columns, held))
    head, labels = network.head, data.labels

    def score(outputs: Outputs) -> float:
        logits = outputs if head.kind == "values" else logits_of(outputs, head.kind)
        truth = torch.from_numpy(labels[validation])
        return selection_score(head, metrics_of(head, torch.from_numpy(logits).float(), truth))

    def learned(model: Any) -> Outputs:
        model.fit(columns, labels[train].squeeze())
        return _outputs(head, model, held)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a weak penalty is one of several
        linear = max(map(learned, _linear_models(head)), key=score)
    trees = learned(_trees(head, seed))
    for name, outputs in ((LINEAR, linear), (TREES, trees), (MEAN, (linear + trees) / 2)):
        yield name, score(outputs)


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


def _linear_models(head: Head) -> list[Any]:
    """The linear model with each of the penalties."""
    match head.kind:
        case "values":
            return [Ridge(alpha=alpha) for alpha in RIDGE]
        case "labels":
            return [PerLabel(c) for c in STRENGTHS]
        case "classes":
            return [LogisticRegression(C=c, max_iter=ITERATIONS) for c in STRENGTHS]


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
