"""Labels of data, checked against what a head predicts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...compiler.diagnostics.diagnostic import Report
from ...compiler.network.network import Head
from ...ops.types import NUMBERS
from .rows import Array, Rows


def labels_of(arrays: Mapping[str, Rows], head: Head, samples: int | None, report: Report) -> Array:
    """Labels as a head learns them: `samples` of them, where the features agree on a number."""
    if "labels" not in arrays:
        report.add("E501", "the data has no array `labels`", help="add it, one row for each sample")
        return np.zeros(0)
    labels = np.asarray(arrays["labels"])
    if labels.dtype.kind not in NUMBERS or not np.isfinite(labels).all():
        report.add("E503", "`labels` are not finite numbers", help=_label_remedy(head))
        return np.zeros(0)
    if head.kind != "classes" and head.count == 1 and labels.ndim == 1:
        labels = labels[:, None]
    count = len(labels) if samples is None and labels.ndim else samples
    expected = (count,) if head.kind == "classes" else (count, head.count)
    if labels.shape != expected:
        message = f"`labels` is {labels.shape}, not {expected} for {head.count} {head.kind}"
        report.add("E503", message, help=_label_remedy(head))
    elif head.kind == "classes":
        whole = np.array_equal(labels, np.floor(labels))
        if not whole or labels.min(initial=0) < 0 or labels.max(initial=0) >= head.count:
            message = f"`labels` are not whole numbers from 0 to {head.count - 1}"
            report.add("E503", message, help=_label_remedy(head))
    elif head.kind == "labels" and not np.isin(labels, (0, 1)).all():
        report.add("E503", "`labels` are not all 0 or 1", help=_label_remedy(head))
    return labels.astype(np.int64 if head.kind == "classes" else np.float32)


def _label_remedy(head: Head) -> str:
    match head.kind:
        case "classes":
            return "classes are (samples,) whole numbers that count from 0"
        case "labels":
            return f"labels are (samples, {head.count}) of 0 and 1"
        case "values":
            return f"values are (samples, {head.count}) numbers"
