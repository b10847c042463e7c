"""Simple models, which a search has to beat: a linear one and extra trees, on pooled features."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from ...compiler.network.network import Head, Network
from ..data.dataset import Dataset
from ..data.folds import Fold
from ..data.pooled import PooledRows
from ..data.rows import Rows, chunks, gathered
from ..data.several import labels_by_head
from ..training.scores import score_of
from ..training.weighing import weights_of
from .simple_kinds import Weights, extra_trees, linear_model

LINEAR, TREES, MEAN = "linear model", "extra trees", "linear model and extra trees"
LOGISTIC = (1e4, 1e3, 100.0, 10.0)
RIDGE = (1.0, 10.0, 100.0, 1e3, 1e4)
MOST_NUMBERS = 1 << 26
"""Numbers of columns that a model learns from: more samples would take more than 512 MiB."""
Outputs: TypeAlias = NDArray[np.float64]
Made: TypeAlias = Callable[[Weights], Any]
"""Makes a model that learns with weights."""


def simple_models(
    data: Dataset,
    network: Network,
    folds: Sequence[Fold],
    seed: int,
    *,
    penalties: Sequence[float] = (),
    trees: bool = True,
    class_weights: str = "",
) -> Iterator[tuple[str, Outputs]]:
    """What the models give for the samples that folds hold out, fold by fold, (samples, K).

    They read each feature's mean and maximum over space and time. Of the `penalties`, the usual
    ones where none are given, the linear model has the one that is best on what is held out, as a
    search chooses there. Without `trees` it stands alone. Where samples and columns are very many,
    they learn from some of the samples. `class_weights` are those of settings.
    """
    head, labels = network.head, data.labels
    if head.parts:
        each = (
            simple_models(
                replace(data, labels=own), replace(network, head=part), folds, seed,
                penalties=penalties, trees=trees, class_weights=class_weights,
            )
            for part, own in labels_by_head(head, labels)
        )  # fmt: skip
        for alike in zip(*each, strict=True):
            yield alike[0][0], np.concatenate([outputs for _, outputs in alike], 1)
        return
    columns = data.kept.held("pooled", PooledRows(data, network))
    kinds: dict[str, list[Made]] = {
        LINEAR: [partial(linear_model, head, one) for one in penalties or penalties_of(head)],
        TREES: [partial(extra_trees, head, columns.shape[1], seed)] if trees else [],
    }
    models = [(name, model) for name, several in kinds.items() for model in several]
    given: list[list[Outputs]] = [[] for _ in models]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a weak penalty is one of several
        for fold in folds:
            weights = _weights(head, labels[fold.train], class_weights)
            made = [model(weights) for _, model in models]
            learned = _learned(head, made, columns, labels, fold, seed)
            for parts, outputs in zip(given, learned, strict=True):
                parts.append(outputs)
    truth = labels[np.concatenate([fold.held for fold in folds])]
    best: dict[str, tuple[float, Outputs]] = {}
    for (name, _), parts in zip(models, given, strict=True):
        outputs = np.concatenate(parts)
        score = score_of(head, outputs, truth)
        if name not in best or score > best[name][0]:
            best[name] = score, outputs
    yield from ((name, outputs) for name, (_, outputs) in best.items())
    if trees:
        yield MEAN, np.mean([outputs for _, outputs in best.values()], 0)


def best_penalty(data: Dataset, network: Network, fold: Fold, seed: int) -> float:
    """The linear model's penalty that is best on what a fold holds out."""
    head, truth = network.head, data.labels[fold.held]

    def score(penalty: float) -> float:
        found = simple_models(data, network, [fold], seed, penalties=[penalty], trees=False)
        return score_of(head, dict(found)[LINEAR], truth)

    return max(penalties_of(head), key=score)


def _weights(head: Head, labels: NDArray[Any], text: str) -> Weights:
    weights = weights_of(head, torch.from_numpy(labels), text)
    return None if weights is None else weights.numpy().astype(np.float64)


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


def penalties_of(head: Head) -> Sequence[float]:
    """What the linear model's penalty is chosen from."""
    return RIDGE if head.kind == "values" else LOGISTIC


def _outputs(head: Head, model: Any, columns: Outputs) -> Outputs:
    """Probabilities, or values, (samples, K)."""
    if head.kind != "classes":
        return np.asarray(model.predict(columns), np.float64).reshape(-1, head.count)
    whole: Outputs = np.zeros((len(columns), head.count))
    whole[:, model.classes_] = model.predict_proba(columns)
    return whole
