"""How well a network does: the metrics of a head, and the one of them that selects."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.network.network import Head
from ...compiler.targets.numpy.network import logits_of
from ..data.several import labels_by_head, outputs_by_head, score_weights
from ..metrics import LABEL_THRESHOLD, SELECTION_METRIC, SEVERAL_SCORE


def metrics_of(head: Head, logits: Tensor, labels: Tensor) -> dict[str, float]:
    """The head's metrics for logits (samples, K).

    Classes: accuracy, weighted and macro F1. Labels: weighted and macro F1. Values: R² and mean
    absolute error. torchmetrics takes long to import, above all where transformers is installed.
    """
    from torchmetrics.functional.classification import (
        binary_f1_score,
        multiclass_accuracy,
        multiclass_f1_score,
        multilabel_f1_score,
    )
    from torchmetrics.functional.regression import mean_absolute_error, r2_score

    if head.parts:
        return _metrics_by_head(head, logits, labels)
    count = head.count
    match head.kind:
        case "classes":
            if count == 1:
                return {"accuracy": 1.0, "f1_weighted": 1.0, "f1_macro": 1.0}
            found = {"accuracy": multiclass_accuracy(logits, labels, count, average="micro")}
            for average in ("weighted", "macro"):
                found[f"f1_{average}"] = multiclass_f1_score(logits, labels, count, average)
        case "labels":
            scores, truth = torch.sigmoid(logits), labels.long()
            if count == 1:
                score = float(binary_f1_score(scores, truth, LABEL_THRESHOLD))
                return {"f1_weighted": score, "f1_macro": score}
            found = {
                f"f1_{average}": multilabel_f1_score(scores, truth, count, LABEL_THRESHOLD, average)
                for average in ("weighted", "macro")
            }
        case "values":
            found = {"mean_absolute_error": mean_absolute_error(logits, labels)}
            if len(logits) > 1:
                found["r2"] = r2_score(logits, labels)
        case "several":
            raise AssertionError("several heads are asked one by one")
    return {name: float(value) for name, value in found.items()}


def _metrics_by_head(head: Head, logits: Tensor, labels: Tensor) -> dict[str, float]:
    """The metrics of each of several heads, by its name, and the score that selects."""
    found: dict[str, float] = {}
    scores: list[float] = []
    given = outputs_by_head(head, logits)
    for (part, truth), own in zip(labels_by_head(head, labels), given, strict=True):
        metrics = metrics_of(part, own.contiguous(), truth.contiguous())
        found |= {f"{part.name}.{name}": value for name, value in metrics.items()}
        selects = SELECTION_METRIC[part.kind]
        scores += [metrics[selects]] if selects in metrics else []
    if len(scores) == len(head.parts):
        found[SEVERAL_SCORE] = float(np.average(scores, weights=score_weights(head)))
    return found


def selection_score(head: Head, metrics: dict[str, float]) -> float:
    """The metric that a search selects its genotype by; higher is better."""
    name = SELECTION_METRIC[head.kind]
    if name not in metrics:
        message = f"the validation split has too few samples to measure `{name}`"
        raise fail("E503", message, help="give it at least two")
    return metrics[name]


def score_of(head: Head, shares: NDArray[np.float64], labels: NDArray[Any]) -> float:
    """The metric that selects, of what `shares_of` gives, or of means of that, (samples, K)."""
    logits = torch.from_numpy(logits_of(shares, head)).float()
    return selection_score(head, metrics_of(head, logits, torch.from_numpy(labels)))
