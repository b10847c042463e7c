"""Several heads in data: the labels of each, as columns of one array, and back.

Labels of several heads are (samples, columns) float32: of a head of classes one column, their
numbers, else one for each label or value.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import Diagnostic, fail, one_of
from ...compiler.network.names import CLASS_NAMES, LABELS, class_names_name, labels_name
from ...compiler.network.network import Head
from .rows import Array, Rows

T = TypeVar("T")
"""An array of numpy or of torch."""


def labels_by_head(head: Head, labels: T) -> list[tuple[Head, T]]:
    """Each head with its own labels, as it has them where it is alone."""
    found: list[tuple[Head, T]] = []
    every: Any = labels
    for part, columns in head.label_columns:
        own = every[..., columns]
        if part.kind == "classes":
            own = (
                own[..., 0].astype(np.int64) if isinstance(own, np.ndarray) else own[..., 0].long()
            )
        found.append((part, cast(T, own)))
    return found


def of_each_head(head: Head, labels: T) -> list[tuple[Head, T]]:
    """Each of several heads with its own labels, or the only one with all."""
    return labels_by_head(head, labels) if head.parts else [(head, labels)]


def require_one_head(head: Head, what: str) -> None:
    """Raises DiagnosticError where a network has several heads, or a head with a name."""
    if head.parts:
        names = one_of([str(part.name) for part in head.parts])
        message = f"{what} is for networks with one head, and this one has {names}"
        remedy = "keep one of them, without a name: `predict 10 classes`"
        raise fail("E506", message, help=remedy)


def outputs_by_head(head: Head, outputs: T) -> list[T]:
    """The outputs (…, K) of each head."""
    every: Any = outputs
    return [cast(T, every[..., columns]) for _, columns in head.columns]


def score_weights(head: Head) -> list[float]:
    """What each head counts in the score of all: its weight in the loss, alike where all are 0."""
    weights = [part.weight for part in head.parts]
    return weights if any(weights) else [1.0] * len(weights)


def classes_of(head: Head, labels: NDArray[Any]) -> tuple[NDArray[Any], int] | None:
    """The classes (samples,) that samples are divided by, and how many there are.

    They are those of the first head that predicts classes; None where there is none.
    """
    own = of_each_head(head, labels)
    return next(((truth, part.count) for part, truth in own if part.kind == "classes"), None)


def arrays_of_name(names: Collection[str], head: str | None) -> tuple[str, str]:
    """The arrays of data with the labels of a head, by its name, and with what these are called.

    They are `NAME.labels` and `NAME.labels.names`; where there are no such labels, `labels`.
    """
    own = LABELS if head is None else labels_name(head)
    return (own, class_names_name(own)) if own in names else (LABELS, CLASS_NAMES)


def labels_of_head(arrays: Mapping[str, Rows], head: Head) -> tuple[Mapping[str, Rows], str]:
    """The labels of a head, and their names, by what these are called where a head is alone.

    With them comes what they are called in the data.
    """
    labels, names = arrays_of_name(arrays.keys(), head.name)
    places = ((LABELS, labels), (CLASS_NAMES, names))
    return {name: arrays[place] for name, place in places if place in arrays}, labels


def renamed(found: Diagnostic, labels: str) -> Diagnostic:
    """What is said of labels, by what they are called in the data."""
    return replace(found, message=found.message.replace(f"`{LABELS}`", f"`{labels}`"))


def joined_labels(parts: Sequence[Array]) -> Array:
    """The labels of several heads as columns of one array."""
    columns = [part.reshape(len(part), -1).astype(np.float32) for part in parts]
    return np.concatenate(columns, 1)
