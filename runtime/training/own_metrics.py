"""Metrics beside those of a head: torchmetrics' by name, or objects and functions of one's own.

What is of one's own stands in settings by its name alone, as losses do: see `own_functions.py`.
"""

from __future__ import annotations

import warnings
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from inspect import signature
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import DiagnosticError, did_you_mean, fail, one_of
from ...compiler.diagnostics.text import shortened
from ...compiler.network.network import Head
from ..data.several import labels_by_head, outputs_by_head
from ..losses import OWN, own_name
from ..metrics import LABEL_THRESHOLD
from .own_functions import OwnFunctions

_EITHER = (
    *("AUROC", "Accuracy", "AveragePrecision", "F1Score", "HammingDistance", "JaccardIndex"),
    *("MatthewsCorrCoef", "NegativePredictiveValue", "Precision", "Recall", "Specificity"),
)
KNOWN: Mapping[str, Sequence[str]] = {
    "classes": (*_EITHER, "CalibrationError", "CohenKappa"),
    "labels": (*_EITHER, "CoverageError", "ExactMatch", "RankingAveragePrecision", "RankingLoss"),
    "values": (
        *("ConcordanceCorrCoef", "ExplainedVariance", "LogCoshError"),
        *("MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError"),
        *("NormalizedRootMeanSquaredError", "PearsonCorrCoef", "R2Score", "SpearmanCorrCoef"),
        *("SymmetricMeanAbsolutePercentageError", "WeightedMeanAbsolutePercentageError"),
    ),
}
"""The classes of torchmetrics that can be named, by the kind of head, without its prefix there."""
MOST_NAMES = 100
Metrics: TypeAlias = Sequence[Any] | Mapping[str, Sequence[Any]]
"""Metrics as they are given: of several heads by the name of each."""


def metrics_in(text: str, head: Head, given: OwnFunctions) -> tuple[tuple[str, Any], ...]:
    """What computes the metrics that settings name, with what a record calls it.

    Raises DiagnosticError for a name that is not of the head, and for one of one's own that is not
    given.
    """
    found: dict[str, list[Any]] = {}
    for name in names_in(text):
        home, own = _home(name, head)
        if own.startswith(OWN) and name not in given.metrics:
            message = f"the metric `{shortened(name)}` is a function, which is not given here"
            raise fail("E506", message, help="in Python, give it again in `metrics=`")
        found.setdefault(home, []).append(given.metrics.get(name, own))
    return tuple(opened(found if head.parts else found.get("", []), head))


def names_in(text: str) -> list[str]:
    """The metrics that a text names, separated by commas.

    Raises DiagnosticError where they are more than are measured.
    """
    names = [name for piece in text.split(",") if (name := piece.strip())]
    if len(names) > MOST_NAMES:
        message = f"`metrics` names {len(names):,}, more than {MOST_NAMES}"
        raise fail("E506", message, help="leave some of them out")
    return names


def _home(name: str, head: Head) -> tuple[str, str]:
    """The head that a metric is of, which stands before it: `action.CohenKappa`; and the rest.

    Raises DiagnosticError where there are several, and it names none of them.
    """
    if not head.parts:
        return "", name
    for part in head.parts:
        if name.startswith(f"{part.name}."):
            return str(part.name), name.removeprefix(f"{part.name}.")
    raise _of_no_head(name, head)


def _of_no_head(name: str, head: Head) -> DiagnosticError:
    heads = [str(part.name) for part in head.parts]
    message = f"`metrics` has `{shortened(name)}`, which says none of the heads {one_of(heads)}"
    return fail(
        "E506",
        message,
        help=f"write the head before it: `{heads[0]}.{KNOWN[head.parts[0].kind][0]}`",
    )


def opened(metrics: Metrics, head: Head) -> list[tuple[str, Any]]:
    """What computes each of the metrics, with what a record calls it.

    Those of several heads are by the name of the head, or have it before their own. Raises
    DiagnosticError for a name that is not of the head, and for what is no metric.
    """
    if head.parts:
        by_head = _by_head(metrics, head)
        return [
            (f"{part.name}.{called}", compute)
            for part in head.parts
            for called, compute in opened(by_head.get(str(part.name), ()), part)
        ]
    found: list[tuple[str, Any]] = []
    for metric in [metrics] if isinstance(metrics, str) else metrics:
        if isinstance(metric, str):
            called, compute = metric, _named(metric, head)
        elif callable(metric):
            known = getattr(metric, "__name__", type(metric).__name__)
            called, compute = str(known), metric
        else:
            message = f"`metrics` has a {type(metric).__name__}, which is no metric"
            raise fail("E506", message, help="give names, torchmetrics' objects, or functions")
        number = sum(name.partition(" ")[0] == called for name, _ in found)
        found.append((f"{called} {number + 1}" if number else called, compute))
    return found


def _by_head(metrics: Metrics, head: Head) -> Mapping[str, Sequence[Any]]:
    """Metrics by the name of the head that they are of."""
    if isinstance(metrics, Mapping):
        for name in metrics:
            if name not in [part.name for part in head.parts]:
                raise _of_no_head(str(name), head)
        return metrics
    found: dict[str, list[Any]] = {}
    for metric in [metrics] if isinstance(metrics, str) else metrics:
        if not isinstance(metric, str):
            raise _of_no_head(own_name(metric), head)
        home, own = _home(metric, head)
        found.setdefault(home, []).append(own)
    return found


def measured(
    every: Sequence[tuple[str, Any]], head: Head, shares: NDArray[np.float64], labels: NDArray[Any]
) -> dict[str, float]:
    """What metrics give for probabilities, or values, (samples, K), and labels.

    An object of torchmetrics is copied and begins anew. One that gives a number for each class,
    label or value has a name for each.
    """
    if head.parts:
        return _measured_by_head(every, head, shares, labels)
    import torch

    given, truth = torch.from_numpy(shares).float(), torch.from_numpy(labels)
    truth = truth.float() if head.kind == "values" else truth.long()
    if head.count == 1 and head.kind != "classes":
        given, truth = given[:, 0], truth[:, 0]
    names = head.names or tuple(map(str, range(head.count)))
    found: dict[str, float] = {}
    for called, metric in every:
        numbers = _computed(called, metric, given, truth)
        if len(numbers) == 1:
            found[called] = numbers[0]
        elif len(numbers) == head.count:
            found |= {f"{called} {name}": n for name, n in zip(names, numbers, strict=True)}
        else:
            message = f"the metric `{shortened(called)}` gives {len(numbers)} numbers"
            raise fail("E506", message, help=f"it may give one, or {head.count}: one for each")
    return found


def _measured_by_head(
    every: Sequence[tuple[str, Any]], head: Head, shares: NDArray[np.float64], labels: NDArray[Any]
) -> dict[str, float]:
    found: dict[str, float] = {}
    given = outputs_by_head(head, shares)
    for (part, truth), outputs in zip(labels_by_head(head, labels), given, strict=True):
        before = f"{part.name}."
        own = [(name.removeprefix(before), one) for name, one in every if name.startswith(before)]
        numbers = measured(own, part, outputs, truth)
        found |= {f"{before}{name}": number for name, number in numbers.items()}
    return found


def _computed(called: str, metric: Any, given: Any, truth: Any) -> list[float]:
    from torchmetrics import Metric

    is_known = isinstance(metric, Metric)
    if is_known:
        metric = deepcopy(metric).cpu()
        metric.reset()
    try:
        with _unwarned() if is_known else nullcontext():
            value = metric(given, truth)
    except (RuntimeError, TypeError, ValueError) as error:
        if not is_known:
            raise
        message = f"the metric `{shortened(called)}` cannot be computed: {shortened(str(error))}"
        raise fail("E506", message, help="does it fit what is predicted?") from None
    return _numbers(called, value)


def _numbers(called: str, value: Any) -> list[float]:
    try:
        found = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value, np.float64)
    except (TypeError, ValueError):
        found = np.zeros(0)
    if not found.size:
        message = f"the metric `{shortened(called)}` gives a {type(value).__name__}"
        raise fail("E506", message, help="let it give a number, or one for each class")
    numbers: list[float] = found.reshape(-1).tolist()
    return numbers


def _named(name: str, head: Head) -> Any:
    """A metric of torchmetrics, made for the head."""
    if name not in KNOWN[head.kind]:
        raise _unknown(name, head)
    import torchmetrics.classification
    import torchmetrics.regression

    if head.kind == "values":
        kind = getattr(torchmetrics.regression, name)
        wanted: dict[str, Any] = {"num_outputs": head.count}
    elif head.kind == "classes":
        kind = getattr(torchmetrics.classification, f"Multiclass{name}")
        wanted = {"num_classes": head.count}
    elif head.count > 1:
        kind = getattr(torchmetrics.classification, f"Multilabel{name}")
        wanted = {"num_labels": head.count, "threshold": LABEL_THRESHOLD}
    else:
        kind = getattr(torchmetrics.classification, f"Binary{name}", None)
        wanted = {"threshold": LABEL_THRESHOLD}
        if kind is None:
            raise fail("E506", f"the metric `{name}` is of several labels", help="leave it out")
    taken = signature(kind).parameters
    try:
        with _unwarned():
            return kind(**{key: value for key, value in wanted.items() if key in taken})
    except ValueError as error:
        message = f"the metric `{name}` cannot be computed: {shortened(str(error))}"
        raise fail("E506", message, help="leave it out") from None


@contextmanager
def _unwarned() -> Generator[None]:
    """Within, torchmetrics is quiet: what is to be doubted of a split is said by its codes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def _unknown(name: str, head: Head) -> DiagnosticError:
    known = KNOWN[head.kind]
    shown = f"`{shortened(name)}` is no metric of {head.kind} here"
    return fail("E506", shown, help=did_you_mean(name, known) or f"known are {one_of(known, 20)}")
