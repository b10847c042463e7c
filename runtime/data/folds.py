"""Folds: the samples that are known, divided so that each part is held out once."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.network.network import Head
from ..settings import Settings
from .dataset import Dataset
from .several import classes_of
from .split import TRAIN, VALIDATION

PLENTY = 2_500
"""Validation samples from which on they are enough to choose by."""
USUAL_FOLDS = 4
LEAST = 2
"""Samples that batch norm needs to train on."""


@dataclass(frozen=True)
class Fold:
    """The places of samples to train on, and of those that are held out."""

    train: NDArray[np.int64]
    held: NDArray[np.int64]


def worthwhile(data: Dataset) -> int:
    """How many folds the samples that are known are worth: one where they are plenty.

    A score on 2,500 validation samples is within a point of what it estimates, so that folds, which
    cost as many trainings, decide little more.
    """
    if len(data.indices(VALIDATION)) >= PLENTY:
        return 1
    return max(1, min(USUAL_FOLDS, parts_of(data)))


def parts_of(data: Dataset) -> int:
    """Into how many folds the samples that are known can be divided at most."""
    known = data.indices(TRAIN, VALIDATION)
    return len(known) if data.groups is None else len(set(data.groups[known]))


def chosen_folds(data: Dataset, head: Head, settings: Settings) -> list[Fold]:
    """The folds of the settings, or as many as are worth it; raises as `folds_of` does."""
    return folds_of(data, head, settings.folds or worthwhile(data), settings.seed)


def folds_of(data: Dataset, head: Head, count: int, seed: int) -> list[Fold]:
    """Training and validation samples in so many folds; the test split is never touched.

    One fold holds out validation. Samples of one group are held out together, and classes are in
    each fold as they are in the whole, as far as groups allow. Raises DiagnosticError where there
    are too few samples or groups.
    """
    known = data.indices(TRAIN, VALIDATION)
    if count == 1:
        return [Fold(data.indices(TRAIN), data.indices(VALIDATION))]
    labels, groups = data.labels[known], None if data.groups is None else data.groups[known]
    parts, what = parts_of(data), "samples" if groups is None else "groups"
    if parts < count:
        message = f"{parts} {what} cannot be divided into {count} folds"
        remedy = f"use {parts} `folds`" if parts > 1 else "compare on the validation split alone"
        raise fail("E503", message, help=remedy)
    drawn: dict[str, Any] = {"n_splits": count, "shuffle": True, "random_state": seed % 2**32}
    splitter: Any
    classes = classes_of(head, labels)
    if classes is not None and np.bincount(classes[0]).max() >= count:
        labels = classes[0]
        splitter = (StratifiedKFold if groups is None else StratifiedGroupKFold)(**drawn)
    else:
        splitter = KFold(**drawn) if groups is None else GroupKFold(count)  # of even sizes
    divided = _quietly(splitter, labels, groups)
    folds = [Fold(known[np.sort(train)], known[np.sort(held)]) for train, held in divided]
    if min(len(fold.train) for fold in folds) < LEAST:
        message = f"a fold leaves fewer than {LEAST} samples to train on"
        raise fail("E503", message, help="use more `folds`, or smaller groups")
    return folds


def _quietly(
    splitter: Any, labels: NDArray[Any], groups: NDArray[Any] | None
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """The parts; that a class is too rare to be in each of them needs no warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return list(splitter.split(np.zeros(len(labels)), labels, groups))
