"""How well a network does, class by class: counts, ranking, calibration; or value by value.

A class is scored against all others. What samples say nothing of is None: the precision of a class
that is never predicted, the recall of one that never occurs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.network.network import Head
from ..data.several import labels_by_head, outputs_by_head
from ..metrics import LABEL_THRESHOLD

BINS = 15
"""How many bins of one width calibration is measured in, as Guo and others (2017) do."""
MOST_DETAILED = 1_000
"""With more classes, labels or values, nothing is said of each."""
Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class OfClass:
    """A class or a label: `support` samples have it, of `predicted` it is said.

    `auroc` is the area under the receiver operating characteristic, `average_precision` that under
    precision over recall; neither needs a threshold.
    """

    name: str
    support: int
    predicted: int
    precision: float | None
    recall: float | None
    f1: float | None
    auroc: float | None
    average_precision: float | None


@dataclass(frozen=True, slots=True)
class OfValue:
    """A value: its `mean` and `deviation` in the samples, and how far off predictions are.

    `bias` is how much too high they are on average.
    """

    name: str
    mean: float
    deviation: float
    r2: float | None
    mean_absolute_error: float
    root_mean_squared_error: float
    bias: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions whose probability is from `low` to below `high`, and how many there are.

    `predicted` is their mean probability, `observed` the share of them that is true.
    """

    low: float
    high: float
    count: int
    predicted: float | None
    observed: float | None


@dataclass(frozen=True, eq=False)
class Details:
    """What stands behind the metrics of so many `samples`.

    `confusion` (K, K) counts samples of the class of a row for which that of a column is predicted.
    `bins` are of the probability of the predicted class, or of each label. Several `heads` have
    details of their own, and nothing beside these.
    """

    samples: int
    classes: tuple[OfClass, ...] = ()
    values: tuple[OfValue, ...] = ()
    bins: tuple[Bin, ...] = ()
    confusion: Counts | None = None
    heads: Mapping[str, Details] = field(default_factory=dict[str, "Details"])

    @property
    def by_head(self) -> list[tuple[str, Details]]:
        """Those of each head by its name, or all by no name where there is one head."""
        return [*self.heads.items()] or [("", self)]

    @property
    def confused(self) -> list[tuple[str, str, int]]:
        """Pairs of a class and another that is predicted for it, the most frequent first."""
        if self.confusion is None:
            return []
        wrong = self.confusion - np.diag(np.diag(self.confusion))
        pairs = [(int(wrong[place]), *place) for place in zip(*np.nonzero(wrong), strict=True)]
        pairs.sort(key=lambda one: (-one[0], one[1:]))
        names = [one.name for one in self.classes]
        return [(names[true], names[said], count) for count, true, said in pairs]

    def as_json(self) -> dict[str, Any]:
        """The details as a record; what does not apply is left out."""
        record: dict[str, Any] = {"samples": self.samples}
        if self.heads:
            record["heads"] = {name: one.as_json() for name, one in self.heads.items()}
        for key in ("classes", "values", "bins"):
            if rows := getattr(self, key):
                record[key] = [asdict(row) for row in rows]
        if self.confusion is not None:
            record["confusion"] = self.confusion.tolist()
        return record


class Evaluation(dict[str, float]):
    """Metrics by name, and the `details` that stand behind them."""

    def __init__(self, metrics: Mapping[str, float], details: Details) -> None:
        super().__init__(metrics)
        self.details = details


def details_of(head: Head, shares: Floats, labels: NDArray[Any]) -> Details:
    """Details of probabilities, or values, (samples, K), float64, for their labels."""
    if head.parts:
        own = zip(labels_by_head(head, labels), outputs_by_head(head, shares), strict=True)
        heads = {str(part.name): details_of(part, given, truth) for (part, truth), given in own}
        return Details(len(labels), heads=heads)
    if head.kind == "values":
        return Details(len(labels), values=tuple(_values(head, shares, labels)))
    bins = tuple(_bins(head, shares, labels))
    if head.count > MOST_DETAILED:
        return Details(len(labels), bins=bins)
    if head.kind == "labels":
        classes = _classes(head, shares, labels.astype(bool), shares > LABEL_THRESHOLD)
        return Details(len(labels), classes, bins=bins)
    every, said = np.arange(head.count), shares.argmax(1)
    classes = _classes(head, shares, labels[:, None] == every, said[:, None] == every)
    pairs = np.bincount(labels * head.count + said, minlength=head.count**2)
    return Details(len(labels), classes, bins=bins, confusion=pairs.reshape(head.count, head.count))


def metrics_of_details(details: Details) -> dict[str, float]:
    """What details amount to: `auroc`, `map` and `calibration_error`, or an error of values.

    `auroc` and `map` are means over the classes that they can be measured of. The expected
    calibration error is how far `observed` is from `predicted`, over bins, each by its count.
    """
    found: dict[str, float] = {}
    for head, one in details.heads.items():
        found |= {f"{head}.{name}": value for name, value in metrics_of_details(one).items()}
    for name, part in (("auroc", "auroc"), ("map", "average_precision")):
        known = [v for one in details.classes if (v := getattr(one, part)) is not None]
        if known:
            found[name] = float(np.mean(known))
    if details.bins:
        every = sum(one.count for one in details.bins)
        gaps = (b.count * abs((b.observed or 0) - (b.predicted or 0)) for b in details.bins)
        found["calibration_error"] = sum(gaps) / every
    if details.values:
        squares = [one.root_mean_squared_error**2 for one in details.values]
        found["root_mean_squared_error"] = float(np.sqrt(np.mean(squares)))
    return found


def _names(head: Head) -> list[str]:
    return [*head.names] if head.names else [str(place) for place in range(head.count)]


def _classes(
    head: Head, shares: Floats, truth: NDArray[np.bool_], said: NDArray[np.bool_]
) -> tuple[OfClass, ...]:
    hits, support, predicted = (truth & said).sum(0), truth.sum(0), said.sum(0)
    counts = zip(hits.tolist(), support.tolist(), predicted.tolist(), strict=True)
    return tuple(
        OfClass(
            name,
            of_truth,
            of_said,
            _share(right, of_said),
            _share(right, of_truth),
            _share(2 * right, of_truth + of_said),
            *_ranking(shares[:, place], truth[:, place]),
        )
        for place, (name, (right, of_truth, of_said)) in enumerate(
            zip(_names(head), counts, strict=True)
        )
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _ranking(shares: Floats, truth: NDArray[np.bool_]) -> tuple[float | None, float | None]:
    """AUROC and average precision; of samples that are alike, neither says anything."""
    import torch
    from torchmetrics.functional.classification import binary_auroc, binary_average_precision

    if not truth.any() or truth.all():
        return None, None
    given = torch.from_numpy(shares.copy()), torch.from_numpy(truth.astype(np.int64))
    return float(binary_auroc(*given)), float(binary_average_precision(*given))


def _bins(head: Head, shares: Floats, labels: NDArray[Any]) -> Iterator[Bin]:
    """The probability of the class that is predicted; of labels, that of each."""
    if head.kind == "classes":
        given, true = shares.max(1), shares.argmax(1) == labels
    else:
        given, true = shares.reshape(-1), labels.reshape(-1) == 1
    edges = np.linspace(0, 1, BINS + 1)
    place = np.clip(np.searchsorted(edges, given, side="right") - 1, 0, BINS - 1)
    counts = np.bincount(place, minlength=BINS)
    sums = [np.bincount(place, weights, BINS).tolist() for weights in (given, true)]
    rows = zip(edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), *sums, strict=True)
    for low, high, count, predicted, observed in rows:
        yield Bin(low, high, count, _share(predicted, count), _share(observed, count))


def _values(head: Head, found: Floats, labels: NDArray[Any]) -> Iterator[OfValue]:
    if head.count > MOST_DETAILED:
        return
    for place, name in enumerate(_names(head)):
        given, truth = found[:, place], labels[:, place].astype(np.float64)
        yield OfValue(
            name,
            float(truth.mean()),
            float(truth.std()),
            *_errors(given, truth),
            float((given - truth).mean()),
        )


def _errors(given: Floats, truth: Floats) -> tuple[float | None, float, float]:
    """R², of values that vary; mean absolute error; root mean squared error."""
    import torch
    from torchmetrics.functional.regression import (
        mean_absolute_error,
        mean_squared_error,
        r2_score,
    )

    pair = torch.from_numpy(given.copy()), torch.from_numpy(truth.copy())
    varies = len(truth) > 1 and np.ptp(truth) > 0
    r2 = float(r2_score(*pair)) if varies else None
    root = float(mean_squared_error(*pair, squared=False))
    return r2, float(mean_absolute_error(*pair)), root
