"""The simple models that a search has to beat, as scikit-learn has them, and as classes count."""

from __future__ import annotations

from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from ...compiler.network.network import Head

TREE_COUNT = 300
SHARE_OF_COLUMNS = 1 / 3
"""The columns that a split of a regression's tree chooses from. A hundred trees that choose from
all take as long and give no more: R² 68.7 and 68.3 on validation and test of melting, where 300
that choose from a third give 68.5 and 68.7; F1 of icons' labels, 100 trees each: 50.5 and 47.0,
with a third 52.6 and 47.5."""
MOST_COLUMNS, LEAF = 100, 3
"""The columns that a split chooses from where values are predicted, and the samples of a leaf: R²
68.5 and 68.9 on validation and test of melting in a third of the time of a third of the 768 columns
and leaves of one sample, with 68.7 and 68.9. Of diabetes, ten columns, leaves of one and of three
samples have 46.0 and 46.1, by cross-validation."""
ITERATIONS = 500
Floats: TypeAlias = NDArray[np.float64]
Weights: TypeAlias = Floats | None
"""What classes count, or labels where they are true, (K,)."""


def linear_model(head: Head, penalty: float, weights: Weights) -> Any:
    """A ridge regression, or a logistic one; `penalty` is its α, or 1 / C."""
    match head.kind:
        case "values":
            return Ridge(alpha=penalty)
        case "labels":
            return PerLabel(penalty, weights)
        case "classes":
            return _logistic(penalty, weights)
        case "several":
            raise AssertionError("a linear model is of one head")


def extra_trees(head: Head, columns: int, seed: int, weights: Weights) -> Any:
    """Extra trees; those of labels are regressions of 0 and 1, whose means are probabilities."""
    trees = _trees(head, columns)(TREE_COUNT, random_state=seed % 2**32)
    return trees if weights is None else Weighed(trees, weights)


def _trees(head: Head, columns: int) -> Any:
    """How trees of a head are made that read so many columns."""
    if head.kind == "classes":
        return ExtraTreesClassifier
    if head.kind == "labels":
        return partial(ExtraTreesRegressor, max_features=SHARE_OF_COLUMNS)
    share = min(SHARE_OF_COLUMNS, MOST_COLUMNS / columns)
    return partial(ExtraTreesRegressor, max_features=share, min_samples_leaf=LEAF)


class PerLabel:
    """A logistic regression for each label; one that never varies is given as it is."""

    def __init__(self, penalty: float, weights: Weights) -> None:
        self._penalty, self._weights = penalty, weights
        self._models = list[Any]()

    def fit(self, columns: Floats, labels: NDArray[Any]) -> None:
        for place, own in enumerate(labels.reshape(len(labels), -1).T):
            varies = len(np.unique(own)) > 1
            weights = None if self._weights is None else np.array([1.0, self._weights[place]])
            model = _logistic(self._penalty, weights) if varies else own[0]
            self._models.append(model.fit(columns, own) if varies else model)

    def predict(self, columns: Floats) -> Floats:
        """The probability of each label, (samples, K)."""
        parts = [
            m.predict_proba(columns)[:, 1]
            if isinstance(m, LogisticRegression)
            else np.full(len(columns), m)
            for m in self._models
        ]
        return np.stack(parts, 1)


class Weighed:
    """Trees whose probabilities are weighed where they predict.

    Leaves of grown trees are of one class, whatever that counts. Shares w p, or w p / (w p + 1 - p)
    of a label, are what a loss with the weights w is least by where p are the true ones.
    """

    def __init__(self, trees: Any, weights: Floats) -> None:
        self._trees, self._weights = trees, weights

    def fit(self, columns: Floats, labels: NDArray[Any]) -> None:
        self._trees.fit(columns, labels)

    @property
    def classes_(self) -> NDArray[np.int64]:
        """The classes that are known."""
        known: NDArray[np.int64] = self._trees.classes_
        return known

    def predict_proba(self, columns: Floats) -> Floats:
        """The probability of each known class."""
        counted: Floats = self._trees.predict_proba(columns) * self._weights[self.classes_]
        shares: Floats = counted / counted.sum(1, keepdims=True)
        return shares

    def predict(self, columns: Floats) -> Floats:
        """The probability of each label."""
        given: Floats = np.reshape(self._trees.predict(columns), (len(columns), -1))
        true: Floats = given * self._weights
        shares: Floats = true / (true + 1 - given)
        return shares


def _logistic(penalty: float, weights: Weights) -> LogisticRegression:
    known = None if weights is None else dict(enumerate(weights.tolist()))
    return LogisticRegression(C=1 / penalty, max_iter=ITERATIONS, class_weight=known)
