"""What is known of samples beside their modalities: labels, split and groups; and their views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import Report, fail, one_of
from ...compiler.network.names import CLASS_NAMES
from ...compiler.network.network import Head
from ..data.classes import names_in
from ..data.labels import labels_of
from ..data.several import require_one_head
from ..data.split import TRAIN, WORDS, groups_of, split_numbers, split_of
from ..raw.columns import Joined
from ..raw.data import GROUPS, LABELS, SPLIT, Column, RawData
from .settings import ExtractSettings


@dataclass(frozen=True)
class Known:
    """The rows of a store: `samples` (rows,) of raw data, and which `views` (rows,) of them.

    `arrays` are those beside features, each (rows, …); `classes` the names of classes, if any. Raw
    data that are `undivided` have no split, and no groups that a split would keep together.
    """

    samples: NDArray[np.int64]
    views: NDArray[np.int64]
    arrays: Mapping[str, NDArray[Any]]
    classes: tuple[str, ...] | None
    undivided: bool = False


def column_of(raw: RawData, names: Sequence[str]) -> Column:
    """A column, or several side by side; raises DiagnosticError where one is lacking."""
    columns = [raw.column(name) for name in names]
    return columns[0] if len(columns) == 1 else Joined(columns)


def known_of(raw: RawData, head: Head, settings: ExtractSettings) -> Known:
    """What is known of samples; raises DiagnosticError where it does not fit what is predicted."""
    require_one_head(head, "extraction with labels")
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
    undivided = not {"split", "groups"} & arrays.keys()
    if settings.views == 1:
        return Known(samples, np.zeros(raw.samples, np.int64), arrays, classes, undivided)
    return replace(_with_views(arrays, classes, head, settings, samples), undivided=undivided)


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
        empty = np.isnan(values).any(tuple(range(1, values.ndim)))
    if empty.any():
        raise fail("E503", f"{column.place(int(empty.argmax()))} is empty")


def _labels(
    name: str, values: NDArray[Any], column: Column, raw: RawData, head: Head
) -> tuple[NDArray[Any], tuple[str, ...] | None]:
    """Labels as a head learns them, and the names of classes that are known."""
    _require_full(name, values, column)
    given: dict[str, NDArray[Any]] = {"labels": values}
    names = head.names
    if head.kind == "classes":
        if name in raw.names:
            given[CLASS_NAMES] = np.array(raw.names[name], np.str_)
        names = names or names_in(given)
        _require_classes(values, column, replace(head, names=names))
    report = Report()
    labels = labels_of(given, replace(head, names=names), raw.samples, report)
    report.raise_errors()
    return labels, names


def _require_classes(values: NDArray[Any], column: Column, head: Head) -> None:
    """Raises DiagnosticError, which names the sample, for the first label that is no class."""
    if head.names is not None and len(head.names) != head.count:
        message = f"there are {len(head.names)} labels, and {head.count} classes are predicted"
        raise fail("E503", message, help=f"they are {one_of(head.names)}")
    if values.ndim != 1:
        return
    if values.dtype.kind == "U":
        wrong, names = ~np.isin(values, head.names or ()), head.names or ()
        remedy = f"classes are {one_of(names)}"
    else:
        wrong = (values < 0) | (values >= head.count) | (values != np.floor(values))
        wrong &= ~np.isin(values.astype(np.str_), head.names or ())
        remedy = f"classes are whole numbers from 0 to {head.count - 1}, or names"
    if wrong.any():
        sample = int(wrong.argmax())
        message = f"{column.place(sample)} is `{values[sample]}`, which is no class"
        raise fail("E503", message, help=remedy)


def _split(name: str, values: NDArray[Any], column: Column) -> NDArray[np.int64]:
    """The parts of the split by number, from their names or numbers."""
    _require_full(name, values, column)
    for sample, value in enumerate(values):
        part = WORDS.get(value.strip().lower()) if values.dtype.kind == "U" else value
        if part not in WORDS.values():
            message = f"{column.place(sample)} is `{value}`, which is no part of a split"
            raise fail(
                "E503", message, help="they are `train`, `validation` and `test`, or 0, 1, 2"
            )
    return split_numbers(values)
