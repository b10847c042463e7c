"""The head that labels suggest: classes with their names, labels that are 0 or 1, or values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ...compiler.language.nodes import Predict
from ...compiler.network.names import LABELS
from ...compiler.resolve.heads import MOST_CLASSES
from ...ops.types import NUMBERS
from .classes import are_whole, is_one_hot, names_in
from .files import load_array
from .formats import ArrayHeader
from .kinds import TEXTS
from .rows import Array, Rows

SPARSE = 4
"""How many times the classes that occur there may be classes."""
OFTEN = 5
"""How often each whole number occurs, on average, where these are names of classes."""
MANY = 50
"""So many whole numbers, none of which occurs often, are values even where none is skipped."""


def head_of(headers: Mapping[str, ArrayHeader], arrays: Mapping[str, Rows]) -> Predict | None:
    """What labels are, with the names that data have for classes or columns, as they number them.

    Classes where labels are (samples,) names or whole numbers, or one 1 among 0 in each row; labels
    where these are 0 and 1, else values. Whole numbers of which few below the largest occur are
    names where each occurs often; else, such as prices, they are values, and so are many of which
    each occurs seldom. None without labels that can be used.
    """
    header = headers.get(LABELS)
    if header is None or 0 in header.shape or len(header.shape) not in (1, 2):
        return None
    names = names_in(arrays)
    is_single = len(header.shape) == 1 or header.shape[1] == 1
    if header.kind in TEXTS and names and is_single:
        return Predict(len(names), "classes", names)
    if header.kind not in NUMBERS:
        return None
    is_held = header.file == Path()
    labels = np.asarray(arrays[LABELS]) if is_held else load_array(header)
    if not is_single:
        fit = names if names and len(names) == labels.shape[1] else None
        if is_one_hot(labels):
            return Predict(labels.shape[1], "classes", fit)
        binary = bool(np.isin(labels, (0, 1)).all())
        return Predict(labels.shape[1], "labels" if binary else "values", fit)
    known = labels[np.isfinite(labels)]
    if not known.size or not are_whole(known):
        return Predict(1, "values")
    if names and known.min() >= 0 and known.max() < len(names):
        return Predict(len(names), "classes", names)
    return _counted(known)


def _counted(labels: Array) -> Predict:
    """What whole numbers are without names; classes that do not count from 0 are named by them."""
    distinct = np.unique(labels).astype(np.int64)
    least, most, count = int(distinct[0]), int(distinct[-1]), len(distinct)
    if distinct.tolist() == [-1, 1]:
        return Predict(2, "classes", ("-1", "1"))
    is_dense = least >= 0 and 2 * count > most
    if 1 < count <= MOST_CLASSES and len(labels) >= OFTEN * count and not is_dense:
        return Predict(count, "classes", tuple(map(str, distinct.tolist())))
    is_seldom = count > MANY and len(labels) < OFTEN * count
    if least < 0 or most >= min(MOST_CLASSES, SPARSE * count) or is_seldom:
        return Predict(1, "values")
    if least == 1 and count > 1:
        return Predict(most, "classes", tuple(map(str, range(1, most + 1))))
    return Predict(most + 1, "classes")
