"""Whether what made the features has seen the training samples, and what follows from that.

A backbone that was trained on the training split gives features that know the labels there: what is
learned from them holds for no other sample. Validation samples, whose features are as those of
samples to come, are worth more then.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Ridge

from ...compiler.network.network import Head, Network
from ..settings import Settings
from .dataset import Dataset, load_data, read_by
from .files import Source
from .folds import folds_of, parts_of
from .pooled import pooled, standardised
from .several import labels_by_head
from .split import TRAIN, VALIDATION

USUAL_WEIGHT = 4
"""How often a validation sample counts where backbones have seen the training samples."""
LEAST_VALIDATION = 50
"""Validation samples that can be compared by."""
MOST_SAMPLES = 4_000
FOLDS = 4
PENALTY = 0.3
"""That of the ridge regression, in samples that it learns from."""
ERRORS = 3.0
"""By how many standard errors held-out training samples are predicted better, if not by chance."""


def load_weighted(data: Source, network: Network, settings: Settings) -> Dataset:
    """The data that a run learns from, `weighted`; raises DiagnosticError as `load_data` does."""
    whole = load_data(data, network, settings.split_seed, settings.memory)
    return weighted(whole, network, settings)


class Readings:
    """Samples of some data, which are read once for all who ask for the same of them."""

    def __init__(self) -> None:
        self._held: dict[Any, Dataset] = {}

    def weighted(self, data: Source, network: Network, settings: Settings) -> Dataset:
        """As `load_weighted`; of no other data than before."""
        key = (read_by(network), settings.split_seed, settings.validation_weight, settings.memory)
        if key not in self._held:
            self._held[key] = load_weighted(data, network, settings)
        return self._held[key]


def weighted(data: Dataset, network: Network, settings: Settings) -> Dataset:
    """The data with how often each sample is to be learned, by the settings or as is found here."""
    seen = saw_training(data, network)
    weight = settings.validation_weight or (USUAL_WEIGHT if seen else 1)
    times = np.where(data.split == VALIDATION, weight, 1)
    return replace(data, seen=seen, times=times if weight > 1 else None)


def saw_training(data: Dataset, network: Network) -> bool:
    """Whether training samples are predicted better than validation samples, all held out.

    A ridge regression on pooled features predicts them, whose squared errors are compared.
    """
    samples = _some(data.indices(TRAIN, VALIDATION))
    groups = None if data.groups is None else data.groups[samples]
    known = Dataset({}, data.labels[samples], data.split[samples], groups)
    of_validation = known.split == VALIDATION
    count = min(FOLDS, parts_of(known))
    if of_validation.sum() < LEAST_VALIDATION or of_validation.all() or count < 2:
        return False
    columns, targets = pooled(data, network, samples), _targets(known.labels, network.head)
    errors = np.zeros(len(samples))
    for fold in folds_of(known, network.head, count, 0):
        standard = standardised(columns, fold.train)
        model = Ridge(PENALTY * len(fold.train)).fit(standard[fold.train], targets[fold.train])
        given = np.reshape(model.predict(standard[fold.held]), (len(fold.held), -1))
        errors[fold.held] = np.square(given - targets[fold.held]).mean(1)
    parts = errors[of_validation], errors[~of_validation]
    chance = np.sqrt(sum(part.var() / len(part) for part in parts))
    return bool(parts[0].mean() - parts[1].mean() > ERRORS * chance)


def _some(samples: NDArray[np.int64]) -> NDArray[np.int64]:
    """As many as are enough to tell."""
    if len(samples) <= MOST_SAMPLES:
        return samples
    return np.sort(np.random.default_rng(0).choice(samples, MOST_SAMPLES, replace=False))


def _targets(labels: NDArray[Any], head: Head) -> NDArray[np.float64]:
    """What a regression predicts, (samples, K), in standard deviations."""
    if head.parts:
        return np.concatenate([_targets(own, p) for p, own in labels_by_head(head, labels)], 1)
    columns = np.eye(head.count)[labels] if head.kind == "classes" else labels
    exact = columns.reshape(len(labels), -1).astype(np.float64)
    return standardised(exact, np.arange(len(exact)))
