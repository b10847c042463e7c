"""Labels of data, checked against what a head predicts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import Report, did_you_mean, one_of
from ...compiler.language.printer import name as written_name
from ...compiler.network.names import labels_name
from ...compiler.network.network import Head
from ...ops.types import NUMBERS
from .classes import are_whole, is_one_hot, stated_names
from .kinds import TEXTS, as_texts
from .rows import Array, Rows
from .several import joined_labels, labels_of_head, renamed

_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_MOST_NAMED = 4
_OTHERWISE = ("label", "target", "targets", "class", "classes", "category", "y", "y_train")
"""What people call labels, in lower case."""


def labels_of(arrays: Mapping[str, Rows], head: Head, samples: int | None, report: Report) -> Array:
    """Labels as a head learns them: `samples` of them, where the features agree on a number.

    Classes count from 0 in the order of their names, or are rows of one 1 among 0. Labels that are
    texts are found among the names; whole numbers are too, where all names are whole numbers or the
    data name their numbers. Those of several heads are columns of one array: `several.py`.
    """
    if head.parts:
        return _of_several(arrays, head, samples, report)
    if "labels" not in arrays:
        remedy = called_otherwise(arrays) or "add it, one row for each sample"
        report.add("E501", "the data has no array `labels`", help=remedy)
        return np.zeros(0)
    labels = _single(np.asarray(arrays["labels"]), head)
    if _lacking(labels, report):
        return np.zeros(0)
    found = _by_name(labels, stated_names(arrays), head, report)
    if found is None:
        return np.zeros(0)
    labels = found
    if labels.dtype.kind not in NUMBERS or not np.isfinite(labels).all():
        message = f"`labels` are not finite numbers, but {labels.dtype}"
        report.add("E503", message, help=_label_remedy(head))
        return np.zeros(0)
    if head.kind != "classes" and head.count == 1 and labels.ndim == 1:
        labels = labels[:, None]
    count = len(labels) if samples is None and labels.ndim else samples
    expected = (count,) if head.kind == "classes" else (count, head.count)
    if labels.shape != expected:
        message = f"`labels` is {labels.shape}, not {expected} for {head.count} {head.kind}"
        report.add("E503", message, help=_label_remedy(head))
    elif head.kind == "classes":
        _require_classes(labels, head, report)
    elif head.kind == "labels" and not np.isin(labels, (0, 1)).all():
        report.add("E503", "`labels` are not all 0 or 1", help=_label_remedy(head))
    return labels.astype(np.int64 if head.kind == "classes" else np.float32)


def _of_several(
    arrays: Mapping[str, Rows], head: Head, samples: int | None, report: Report
) -> Array:
    found: list[Array] = []
    for part in head.parts:
        own, called = labels_of_head(arrays, part)
        if not own:
            message = f"the data has neither `{labels_name(str(part.name))}` nor `{called}`"
            remedy = called_otherwise(arrays) or "add one of them, one row for each sample"
            report.add("E501", message, help=remedy)
            continue
        alone = Report()
        found.append(labels_of(own, part, samples, alone))
        report.diagnostics += [renamed(one, called) for one in alone.diagnostics]
    if len({len(one) for one in found}) != 1 or len(found) < len(head.parts):
        if not report.errors:
            counts = ", ".join(str(len(one)) for one in found)
            message = f"the labels of heads are of different numbers of samples: {counts}"
            report.add("E503", message, help="give each sample a label of each head")
        return np.zeros(0)
    return joined_labels(found)


def called_otherwise(names: Iterable[str], texts: Sequence[str] = ()) -> str | None:
    """A remedy where data seem to have labels by another name; one array of `texts` may be them."""
    other = next((name for name in names if name.lower() in _OTHERWISE), None)
    if other is None and len(texts) == 1:
        (other,) = texts
    return other and f"is it `{other}`? call it `labels`"


def _single(labels: Array, head: Head) -> Array:
    """Labels of classes without an axis of length 1."""
    is_column = labels.ndim == 2 and labels.shape[1] == 1
    return labels[:, 0] if is_column and head.kind == "classes" else labels


def _lacking(labels: Array, report: Report) -> bool:
    """Reports samples without a label: which are empty texts, or NaN."""
    if labels.dtype.kind in TEXTS:
        missing = np.char.str_len(labels) == 0
    elif labels.dtype.kind == "f":
        missing = np.isnan(labels)
    else:
        return False
    missing = np.atleast_1d(missing)
    each = missing.any(tuple(range(1, missing.ndim)))
    if not each.any():
        return False
    message = f"`labels` are missing of {each.sum():,} of {each.size:,} samples, the first of them"
    report.add("E503", f"{message} {each.argmax()}", help="give them labels, or leave them out")
    return True


def _require_classes(labels: Array, head: Head, report: Report) -> None:
    last = head.count - 1
    if not are_whole(labels):
        report.add(
            "E503", f"`labels` are not whole numbers from 0 to {last}", help=_label_remedy(head)
        )
    elif labels.size and (labels.min() < 0 or labels.max() > last):
        least, most = int(labels.min()), int(labels.max())
        message = f"`labels` are whole numbers from {least} to {most}, not from 0 to {last}"
        remedy = _label_remedy(head)
        distinct = np.unique(labels).astype(np.int64).tolist()
        if (least, most) == (1, head.count):
            remedy = f"they count from 1: subtract 1, or name them: {_predicts(range(1, most + 1))}"
        elif len(distinct) == head.count:
            remedy = f"number them from 0, or name them: {_predicts(distinct)}"
        report.add("E503", message, help=remedy)


def _predicts(names: Sequence[object]) -> str:
    """How a specification names classes."""
    shown = [written_name(str(name)) for name in names[:_MOST_NAMED]]
    more = [] if len(names) <= _MOST_NAMED else ["…"]
    return f"predict {len(names)} classes {{ {', '.join([*shown, *more])} }}"


# Names


def _by_name(
    labels: Array, names: tuple[str, ...] | None, head: Head, report: Report
) -> Array | None:
    """Labels as the head counts them, by the names of both; None where those do not fit."""
    if head.kind == "classes":
        return _places(labels, names, head, report)
    if names is None or head.names is None or names == head.names:
        return labels
    return _in_order(labels, names, head.names, report)


def _places(
    labels: Array, names: tuple[str, ...] | None, head: Head, report: Report
) -> Array | None:
    """Labels as places among the names of a head, where they are names; else as they are."""
    if labels.ndim == 2 and labels.shape[1] == head.count and is_one_hot(labels):
        places = labels.argmax(1).astype(np.int64)
        others = names is not None and head.names is not None and names != head.names
        return _found(np.array(names, np.str_)[places], head, report) if others else places
    if labels.dtype.kind in TEXTS and labels.ndim == 1:
        return _found(as_texts(labels), head, report)
    if head.names is None or labels.ndim != 1 or labels.dtype.kind not in NUMBERS:
        return labels
    if not np.isfinite(labels).all() or not are_whole(labels):
        return labels
    numbers = labels.astype(np.int64)
    if names is not None:
        fits = not numbers.size or (numbers.min() >= 0 and numbers.max() < len(names))
        if not fits or names == head.names:
            return labels
        return _found(np.array(names, np.str_)[numbers], head, report)
    if all(map(_WHOLE.fullmatch, head.names)):
        return _found(numbers.astype(np.str_), head, report)
    return labels


def _found(texts: NDArray[np.str_], head: Head, report: Report) -> Array | None:
    """The places of names among those of a head; None where one is none of these."""
    distinct, which = np.unique(texts, return_inverse=True)
    if head.names is None:
        message = "`labels` are texts, and the specification does not name its classes"
        report.add("E503", message, help=f"name them: {_predicts(distinct.tolist())}")
        return None
    places = {name: place for place, name in enumerate(head.names)}
    unknown = [str(name) for name in distinct if name not in places]
    if unknown:
        message = f"`labels` have what is none of the {head.count} classes: {one_of(unknown)}"
        meant = did_you_mean(unknown[0], head.names)
        report.add("E503", message, help=meant or f"the classes are {one_of(head.names)}")
        return None
    found = np.array([places[str(name)] for name in distinct], np.int64)
    return found[which.reshape(texts.shape)]


def _in_order(
    labels: Array, names: Sequence[str], wished: Sequence[str], report: Report
) -> Array | None:
    """Labels whose columns have `names`, with columns in the order of those wished for."""
    lacking = [name for name in wished if name not in names]
    if lacking or labels.ndim != 2 or labels.shape[1] != len(names):
        message = f"the columns of `labels` are not called {one_of(lacking or wished)}"
        report.add("E503", message, help=f"they are called {one_of(names)}")
        return None
    return labels[:, [names.index(name) for name in wished]]


def _label_remedy(head: Head) -> str:
    match head.kind:
        case "classes":
            return "classes are (samples,) whole numbers that count from 0, or names"
        case "labels":
            return f"labels are (samples, {head.count}) of 0 and 1"
        case "values":
            return f"values are (samples, {head.count}) numbers"
        case "several":
            raise AssertionError("each of several heads has labels of its own")
