"""Perceptrons with two hidden layers on pooled features, as one would write them with scikit-learn.

Five seeds with one penalty, the best on validation of three, and early stopping; their mean.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import TransformedTargetRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fusewright.compiler.network.network import Head
from fusewright.runtime.training.scores import score_of

from .pooled_set import PooledSet

WIDTHS = (256, 256)
PENALTIES = (1e-3, 0.1, 3.0)
SEEDS = 5
PATIENCE, EPOCHS = 10, 100


def perceptrons(data: PooledSet, seconds: float) -> NDArray[np.float64]:
    """What they give for test samples, (samples, K); they take what time they take."""
    del seconds
    train, held = slice(data.learned), slice(data.learned, None)
    targets = data.targets.squeeze()  # of one value, scikit-learn wants no axis

    def score(penalty: float) -> float:
        model = _perceptron(data.head, penalty, 0)
        model.fit(data.known[train], targets[train])
        return score_of(data.head, _outputs(data.head, model, data.known[held]), data.targets[held])

    best, outputs = max(PENALTIES, key=score), list[NDArray[np.float64]]()
    for seed in range(SEEDS):
        model = _perceptron(data.head, best, seed).fit(data.known, targets)
        outputs.append(_outputs(data.head, model, data.asked))
    mean: NDArray[np.float64] = np.mean(outputs, 0)
    return mean


def _perceptron(head: Head, penalty: float, seed: int) -> Any:
    """A perceptron of standardised columns, and of standardised values."""
    kind = MLPRegressor if head.kind == "values" else MLPClassifier
    model = kind(
        hidden_layer_sizes=WIDTHS, alpha=penalty, early_stopping=True, n_iter_no_change=PATIENCE,
        max_iter=EPOCHS, random_state=seed,
    )  # fmt: skip
    if head.kind == "values":
        model = TransformedTargetRegressor(model, transformer=StandardScaler())
    return make_pipeline(StandardScaler(), model)


def _outputs(head: Head, model: Any, columns: NDArray[np.float64]) -> NDArray[np.float64]:
    if head.kind == "values":
        return np.asarray(model.predict(columns)).reshape(len(columns), -1)
    shares = np.asarray(model.predict_proba(columns))
    if head.kind == "labels":
        return shares
    every = np.zeros((len(columns), head.count))
    every[:, model.classes_] = shares  # a class without a sample has no column
    return every
