"""What is known of samples beside their modalities: labels, split and groups; and their views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import Report, did_you_mean, fail, one_of
from ...compiler.network.network import Head
from ..data.labels import labels_of
from ..data.split import TRAIN, groups_of, split_of
from ..raw.columns import Joined
from ..raw.data import GROUPS, LABELS, SPLIT, Column, RawData
from .settings import ExtractSettings

PARTS: Mapping[str, int] = {
    **dict.fromkeys(("train", "training"), 0),
    **dict.fromkeys(("validation", "valid", "val", "dev"), 1),
    **dict.fromkeys(("test", "testing"), 2),
}
"""The parts of a split by the names that they go by."""


@dataclass(frozen=True)
class Known:
    """The rows of a store: `samples` (rows,) of raw data, and which `views` (rows,) of them.

    `arrays` are those beside features, each (rows, …); `classes` the names of classes, if any.
    """

    samples: NDArray[np.int64]
    views: NDArray[np.int64]
    arrays: Mapping[str, NDArray[Any]]
    classes: tuple[str, ...] | None


def column_of(raw: RawData, names: Sequence[str]) -> Column:
    """A column, or several side by side; raises DiagnosticError where one is lacking."""
    columns = [raw.column(name) for name in names]
    return columns[0] if len(columns) == 1 else Joined(columns)


def known_of(raw: RawData, head: Head, settings: ExtractSettings) -> Known:
    """What is known of samples; raises DiagnosticError where it does not fit what is predicted."""
    arrays, classes = dict[str, NDArray[Any]](), None
    if (labels := _whole(raw, LABELS, settings)) is not None:
        arrays["labels"], classes = _labels(*labels, raw, head)
    if (split := _whole(raw, SPLIT, settings)) is not None:
        arrays["split"] = _split(*split)
    if (groups := _whole(raw, GROUPS, settings)) is not None:
        _require_full(*groups)
        found = groups_of({"groups": groups[1]}, raw.samples)
        assert found is not None
        arrays["groups"] = found
    samples = np.arange(raw.samples)
    if settings.views == 1:
        return Known(samples, np.zeros(raw.samples, np.int64), arrays, classes)
    return _with_views(arrays, classes, head, settings, samples)


def _with_views(
    arrays: Mapping[str, NDArray[Any]],
    classes: tuple[str, ...] | None,
    head: Head,
    settings: ExtractSettings,
    samples: NDArray[np.int64],
) -> Known:
    """All samples as they are, and then, view by view, those to learn from once more.

    Views of a sample are of one group, and of its part of the split.
    """
    if "labels" not in arrays:
        message = "views are of training samples, and which these are follows from labels"
        raise fail("E501", message, help="give a column `labels`, or leave out `--views`")
    groups = arrays.get("groups", samples)
    split = split_of(arrays, arrays["labels"], groups, head, settings.split_seed)
    training = np.flatnonzero(split == TRAIN)
    further = settings.views - 1
    rows = np.concatenate([samples, *[training] * further])
    views = np.repeat(np.arange(further + 1), [len(samples), *[len(training)] * further])
    whole = {**arrays, "split": split, "groups": groups}
    return Known(rows, views, {**{n: a[rows] for n, a in whole.items()}, "view": views}, classes)


_Named = tuple[str, NDArray[Any], Column]


def _whole(raw: RawData, names: tuple[str, ...], settings: ExtractSettings) -> _Named | None:
    """The numbers or texts of what is usually called by these names, and their column."""
    chosen = settings.columns.get(names[0])
    if chosen is None:
        usual = raw.first(names)
        if usual is None:
            return None
        chosen = (usual,)
    column = column_of(raw, chosen)
    values = column.whole()
    if values is None:
        message = f"the column `{', '.join(chosen)}` of `{raw.place}` is neither numbers nor texts"
        raise fail("E503", message, help=f"name another one: `--column {names[0]}=COLUMN`")
    return chosen[0], values, column


def _require_full(name: str, values: NDArray[Any], column: Column) -> None:
    empty = values == "" if values.dtype.kind == "U" else np.zeros(len(values), bool)
    if values.dtype.kind == "f":
        empty = np.isnan(values.reshape(len(values), -1)).any(1)
    if empty.any():
        raise fail("E503", f"{column.place(int(empty.argmax()))} is empty")


def _labels(
    name: str, values: NDArray[Any], column: Column, raw: RawData, head: Head
) -> tuple[NDArray[Any], tuple[str, ...] | None]:
    """Labels as a head learns them, and the names of classes that are known."""
    _require_full(name, values, column)
    names = head.names if head.kind == "classes" else None
    if values.dtype.kind == "U":
        values, names = _numbered(values, column, head)
    elif head.kind == "classes" and name in raw.names:
        values, names = _renumbered(values, raw.names[name], names), names or raw.names[name]
    if head.kind == "classes" and values.dtype.kind in "iuf":
        _require_classes(values, column, head)
    report = Report()
    labels = labels_of({"labels": values}, head, raw.samples, report)
    report.raise_errors()
    return labels, names


def _numbered(
    texts: NDArray[Any], column: Column, head: Head
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Texts as the numbers of classes: those that the specification names, or else all there are
    in the order of their names."""
    if head.kind != "classes":
        message = f"the labels are texts, such as `{texts[0]}`, and {head.kind} are numbers"
        remedy = "give a column of numbers for each: `--column labels=A,B`"
        raise fail("E503", message, help=remedy)
    names = head.names or tuple(map(str, np.unique(texts)))
    if len(names) > head.count:
        message = f"there are {len(names)} labels, and {head.count} classes are predicted"
        raise fail("E503", message, help=f"they are {one_of(names)}")
    numbers = {name: number for number, name in enumerate(names)}
    for sample, text in enumerate(texts):
        if text not in numbers:
            message = f"{column.place(sample)} is `{text}`, which is no class"
            raise fail("E503", message, help=did_you_mean(str(text), names) or one_of(names))
    return np.array([numbers[text] for text in texts], np.int64), names


def _renumbered(
    values: NDArray[Any], theirs: tuple[str, ...], ours: tuple[str, ...] | None
) -> NDArray[Any]:
    """Numbers of classes by the names of a specification, where both have the same ones."""
    if ours is None or ours == theirs or set(ours) != set(theirs) or values.dtype.kind not in "iu":
        return values
    if ((values < 0) | (values >= len(theirs))).any():
        return values
    return np.array([ours.index(name) for name in theirs], np.int64)[values]


def _require_classes(values: NDArray[Any], column: Column, head: Head) -> None:
    wrong = (values < 0) | (values >= head.count) | (values != np.floor(values))
    if values.ndim == 1 and wrong.any():
        sample = int(wrong.argmax())
        message = f"{column.place(sample)} is {values[sample]}"
        remedy = f"classes are whole numbers from 0 to {head.count - 1}, or names"
        raise fail("E503", f"{message}, which is no class", help=remedy)


def _split(name: str, values: NDArray[Any], column: Column) -> NDArray[np.int64]:
    """The parts of the split by number, from their names or numbers."""
    _require_full(name, values, column)
    parts: list[int] = []
    for sample, value in enumerate(values.tolist()):
        part = PARTS.get(value.lower()) if isinstance(value, str) else value
        if part not in (0, 1, 2):
            message = f"{column.place(sample)} is `{value}`, which is no part of a split"
            raise fail(
                "E503", message, help="they are `train`, `validation` and `test`, or 0, 1, 2"
            )
        parts.append(int(part))
    return np.array(parts, np.int64)
