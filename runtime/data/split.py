"""How samples are divided into those to learn from, to compare by and to judge with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import fail, one_of
from ...compiler.network.network import Head
from ...ops.types import NUMBERS
from .kinds import TEXTS, as_texts
from .rows import Array, Rows
from .several import classes_of

TRAIN, VALIDATION, TEST = 0, 1, 2
SPLIT_NAMES = ("train", "validation", "test")
WORDS: Mapping[str, int] = {
    **dict.fromkeys(("train", "training"), TRAIN),
    **dict.fromkeys(("validation", "valid", "val", "dev"), VALIDATION),
    **dict.fromkeys(("test", "testing"), TEST),
}
"""What people call the parts of a split."""
SPLIT = "split"
"""The array that says it."""
_SHARES, _SHARES_OF_TRAINING = (0.6, 0.2, 0.2), (0.8, 0.2)
_REMEDY = "0 or `train` is training, 1 or `validation` validation, 2 or `test` test"


def split_numbers(split: Array) -> Array:
    """A split as numbers; raises DiagnosticError where it is neither these nor words for them."""
    if split.dtype.kind in TEXTS:
        words, which = np.unique(as_texts(split), return_inverse=True)
        unknown = [str(word) for word in words if word.strip().lower() not in WORDS]
        if unknown:
            raise fail("E503", f"`split` has {one_of(unknown)}", help=_REMEDY)
        numbers = np.array([WORDS[word.strip().lower()] for word in words], np.int64)
        return numbers[which.reshape(split.shape)]
    if split.dtype.kind not in NUMBERS or not np.isin(split, (TRAIN, VALIDATION, TEST)).all():
        raise fail("E503", "`split` has values that are not 0, 1 or 2", help=_REMEDY)
    return split.astype(np.int64)


def groups_of(arrays: Mapping[str, Rows], samples: int) -> Array | None:
    """Which samples belong together, as whole numbers; None where the data do not say."""
    if "groups" not in arrays:
        return None
    groups = np.asarray(arrays["groups"])
    if groups.shape != (samples,) or groups.dtype.kind not in "iubUS":
        message = f"`groups` is {groups.shape} of {groups.dtype}, not {samples} names or numbers"
        raise fail("E503", message, help="give samples that belong together the same one")
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)


def split_of(
    arrays: Mapping[str, Rows], labels: Array, groups: Array | None, head: Head, seed: int
) -> Array:
    """The data's own split, or a seeded one of 60, 20 and 20 percent; groups stay together.

    Where their own has training and test samples alone, a fifth of the former are drawn.
    """
    samples = len(labels)
    if SPLIT not in arrays:
        return _drawn(labels, groups, head, seed, _SHARES)
    split = split_numbers(np.asarray(arrays[SPLIT]))
    if split.shape != (samples,):
        message = f"`split` is {split.shape}, not one value for each of {samples} samples"
        raise fail("E503", message, help=_REMEDY)
    if lacks_validation(split):
        learned = np.flatnonzero(split == TRAIN)
        own = None if groups is None else np.unique(groups[learned], return_inverse=True)[1]
        split[learned] = _drawn(labels[learned], own, head, seed, _SHARES_OF_TRAINING)
    return split


def lacks_validation(split: Array) -> bool:
    """Whether samples are for training and for testing, and none for validation."""
    return bool(np.isin((TRAIN, TEST), split).all() and not (split == VALIDATION).any())


def parted(labels: Array, seed: int) -> Array:
    """A split that has no test samples: a fifth to choose by, of each class where that goes."""
    single = labels.ndim == 1
    places = np.unique(labels, return_inverse=True)[1] if single else np.zeros(len(labels), int)
    strata = [np.flatnonzero(places == p) for p in range(places.max() + 1)]
    split = _shared(strata, np.random.default_rng(seed), _SHARES_OF_TRAINING)
    if not (split == VALIDATION).any():
        split[-1] = VALIDATION
    return split


def _drawn(
    labels: Array, groups: Array | None, head: Head, seed: int, shares: tuple[float, ...]
) -> Array:
    """Samples in shares by chance, (samples,): of each class, or of groups, which stay together."""
    samples, bounds = len(labels), np.cumsum(shares)[:-1]
    generator = np.random.default_rng(seed)
    if groups is not None:
        sizes = np.bincount(groups)
        order = generator.permutation(len(sizes))
        middles = (np.cumsum(sizes[order]) - sizes[order] / 2) / samples
        of_group = np.empty(len(sizes), np.int64)
        of_group[order] = np.searchsorted(bounds, middles, side="right")
        return of_group[groups]
    strata = [np.arange(samples)]
    if (found := classes_of(head, labels)) is not None:
        classes, count = found
        strata = [np.flatnonzero(classes == c) for c in range(count)]
    return _shared(strata, generator, shares)


def _shared(
    strata: Sequence[NDArray[np.int64]], generator: np.random.Generator, shares: Sequence[float]
) -> Array:
    """Each stratum in shares, as near as whole samples come."""
    bounds = np.cumsum(shares)[:-1]
    split = np.empty(sum(map(len, strata)), np.int64)
    for stratum in strata:
        shuffled = generator.permutation(stratum)
        offset = generator.random()
        places = (np.arange(len(shuffled)) + offset) / max(1, len(shuffled))
        split[shuffled] = np.searchsorted(bounds, places % 1.0, side="right")
    return split
