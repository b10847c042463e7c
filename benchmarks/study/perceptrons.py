"""Perceptrons with two hidden layers on pooled features, as one would write them with scikit-learn.

Five seeds with one penalty, the best on validation of three, and early stopping; their mean.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.neural_network import MLPClassifier, MLPRegressor

from fusewright.compiler.network.network import Head
from fusewright.runtime.training.scores import score_of

from .pooled_set import PooledSet

WIDTHS = (256, 256)
PENALTIES = (1e-3, 0.1, 3.0)
SEEDS = 5
PATIENCE, EPOCHS = 10, 100

Learned = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def perceptrons(data: PooledSet, seconds: float) -> NDArray[np.float64]:
    """What they give for test samples, (samples, K); they take what time they take."""
    del seconds
    train, held = slice(data.learned), slice(data.learned, None)

    def score(penalty: float) -> float:
        model = _learned(data.head, data.known[train], data.targets[train], penalty, 0)
        return score_of(data.head, model(data.known[held]), data.targets[held])

    best = max(PENALTIES, key=score)
    models = (_learned(data.head, data.known, data.targets, best, seed) for seed in range(SEEDS))
    mean: NDArray[np.float64] = np.mean([model(data.asked) for model in models], 0)
    return mean


def _learned(
    head: Head, columns: NDArray[np.float64], targets: NDArray[Any], penalty: float, seed: int
) -> Learned:
    """A perceptron of standardised columns, and of standardised values."""
    mean, spread = _standard(columns)
    kind = MLPRegressor if head.kind == "values" else MLPClassifier
    model = kind(
        hidden_layer_sizes=WIDTHS, alpha=penalty, early_stopping=True, n_iter_no_change=PATIENCE,
        max_iter=EPOCHS, random_state=seed,
    )  # fmt: skip
    if head.kind == "values":
        centre, scale = _standard(targets)
        model.fit((columns - mean) / spread, ((targets - centre) / scale).squeeze())
    else:
        model.fit((columns - mean) / spread, targets)

    def outputs(asked: NDArray[np.float64]) -> NDArray[np.float64]:
        if head.kind == "values":
            found = model.predict((asked - mean) / spread).reshape(len(asked), -1)
            return np.asarray(found * scale + centre)
        shares = np.asarray(model.predict_proba((asked - mean) / spread))
        if head.kind == "labels":
            return shares
        every = np.zeros((len(asked), head.count))
        every[:, model.classes_] = shares  # a class without a sample has no column
        return every

    return outputs


def _standard(columns: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    spread = columns.std(0)
    return columns.mean(0), np.where(spread == 0, 1, spread)
