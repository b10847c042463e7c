"""Data checks: what makes a number say little, though the data fit the specification.

Each is linear in the data and reads features in chunks; equal samples are looked for in the feature
with the fewest numbers first, and in the others only among those that have a twin so far.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from inspect import currentframe
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import DataWarning, Diagnostic, Note, Report, one_of
from ...compiler.language.expression import Binary, Body, Call, Name, walk
from ...compiler.language.nodes import Definition
from ...compiler.network.names import presence_name
from ...compiler.network.network import Head, Network, NetworkFeature
from .dataset import Dataset
from .rows import Rows, chunks, single_bytes
from .several import labels_by_head, of_each_head
from .split import SPLIT_NAMES, TRAIN, VALIDATION

FEW = 5
"""Samples of a class in a split below which a score of the class says little."""
MOSTLY = 0.9
"""The share of samples of one class from which accuracy says little."""
MOST_NAMED = 4
HARDLY = 1e-3
"""Of a channel that hardly varies, the largest difference as a share of its size."""
SCALES = 10.0
"""How many times as much a channel may vary as a quarter of its feature's channels."""
_COUNTED = {
    "classes": "the mean leaves out a class that never occurs, or counts it as 0 if predicted",
    "labels": "the mean counts a label that never occurs as 0",
}
"""What torchmetrics makes of classes and labels that a split lacks."""


def data_warnings(data: Dataset, network: Network) -> tuple[Diagnostic, ...]:
    """What is to be doubted of data, whatever a network learns from them."""
    report = Report()
    for head, labels in of_each_head(network.head, data.labels):
        if head.kind != "values":
            for part in np.unique(data.split):
                _classes(replace(data, labels=labels), head, int(part), report)
    for feature in network.features:
        _constant(data, feature, report)
    for modality in network.spec.modalities:
        _absent(data, modality.name, report)
    _equal(data, network.head, report)
    if data.drawn:
        count = int((data.split == VALIDATION).sum())
        learned = count + int((data.split == TRAIN).sum())
        message = (
            f"the data have no validation samples: {count} of {learned} for training are taken"
        )
        report.add("W509", message, help="to choose them yourself, give some the `split` 1")
    if data.seen:
        message = "the features of training samples know their labels better than others do"
        remedy = "was a backbone trained on them? compare on other samples"
        weight = data.times.max() if data.times is not None else 1
        note = Note(f"a validation sample is learned {weight} times for a training sample")
        report.add("W507", message, help=remedy, notes=[note])
    return tuple(dict.fromkeys(report.diagnostics))


def metric_warnings(data: Dataset, head: Head, part: int) -> tuple[Diagnostic, ...]:
    """What is to be doubted of the metrics of a split, as torchmetrics computes them."""
    if head.parts:
        each = labels_by_head(head, data.labels)
        found = (metric_warnings(replace(data, labels=own), one, part) for one, own in each)
        return tuple(dict.fromkeys(chain(*found)))
    report, where = Report(), f"the {SPLIT_NAMES[part]} split"
    labels = data.labels[data.split == part]
    if not len(labels):
        return ()
    if head.kind == "values":
        constant = [i for i in range(head.count) if np.ptp(labels[:, i]) == 0]
        if constant and len(labels) > 1:
            message = f"`r2` on {where} says nothing of {_named(head, constant, 'value')}"
            remedy = "it does not vary there: read `mean_absolute_error`"
            report.add("W506", message, help=remedy)
        return tuple(report.diagnostics)
    absent = np.flatnonzero(_counts(labels, head) == 0).tolist()
    if absent and head.count > 1:
        share = f"{len(absent)} of {head.count} {head.kind}"
        never = f"{_listed(head, absent)} never occur{'s' if len(absent) == 1 else ''} there"
        message = f"`f1_macro` on {where} says nothing of {share}: {never}"
        remedy = "read `f1_weighted`, in which they have no weight"
        report.add("W506", message, help=remedy, notes=[Note(_COUNTED[head.kind])])
    if head.kind == "classes":
        _usual(labels, head, where, report)
    return tuple(report.diagnostics)


def warn(found: Sequence[Diagnostic]) -> list[dict[str, str | None]]:
    """Warns of each, and gives them as the record of a run holds them."""
    for diagnostic in found:
        warnings.warn(DataWarning(diagnostic), stacklevel=_levels_within())
    return [{"code": d.code, "message": d.message, "help": d.help} for d in found]


def _levels_within() -> int:
    """How far up the caller is who called this package, whatever wraps what is called."""
    package, level = __name__.partition(".")[0], 1
    frame = currentframe()
    while (frame := frame.f_back if frame else None) is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] != package:
            break
        level += 1
    return level


# Labels


def _counts(labels: NDArray[Any], head: Head) -> NDArray[np.int64]:
    """How many samples are of each class, or have each label, (K,)."""
    if head.kind == "classes":
        return np.bincount(labels, minlength=head.count)
    return np.asarray(np.count_nonzero(labels, axis=0), np.int64)


def _classes(data: Dataset, head: Head, part: int, report: Report) -> None:
    """Classes, or labels, that a split lacks, has few samples of, or has of every sample."""
    labels = data.labels[data.split == part]
    counts, where = _counts(labels, head), f"the {SPLIT_NAMES[part]} split"
    what = "class" if head.kind == "classes" else "label"
    everywhere = np.flatnonzero(counts == len(labels)).tolist()
    if everywhere and head.count * len(labels) > 1:
        message = f"every sample of {where} has {_named(head, everywhere, what)}"
        report.add(
            "W501", message, help="there is nothing to tell apart: look at how data is split"
        )
        if head.kind == "classes":
            return
    absent = np.flatnonzero(counts == 0).tolist()
    if absent:
        message = f"no sample of {where} has {_named(head, absent, what)}"
        learned = "it cannot be learned" if part == TRAIN else "nothing is measured of it"
        report.add("W502", message, help=f"{learned}: split anew, or leave it out")
    few = np.flatnonzero((counts > 0) & (counts < FEW)).tolist()
    if few:
        message = f"{where} has fewer than {FEW} samples of {_named(head, few, what)}"
        report.add("W502", message, help="scores of so few are mostly chance: add samples")


def _usual(labels: NDArray[Any], head: Head, where: str, report: Report) -> None:
    """A class that most samples have: whoever always says it is right as often."""
    counts = _counts(labels, head)
    share = counts.max() / len(labels)
    if MOSTLY <= share < 1:
        which = _named(head, [int(counts.argmax())], "class")
        message = f"`accuracy` on {where} says little: {share:.1%} of the samples have {which}"
        report.add(
            "W506", message, help="read `f1_macro`, or `auroc`, which count each class alike"
        )


def _named(head: Head, places: Sequence[int], what: str) -> str:
    """Classes by their names or numbers: a few of them, and how many more."""
    several = {"class": "the classes", "label": "the labels", "value": "the values"}[what]
    return f"{several if len(places) > 1 else f'the {what}'} {_listed(head, places)}"


def _listed(head: Head, places: Sequence[int]) -> str:
    return one_of([head.names[i] if head.names else str(i) for i in places], MOST_NAMED)


# Features


def _constant(data: Dataset, feature: NetworkFeature, report: Report) -> None:
    """Channels that are, or almost, the same number in every training sample of the modality.

    Scales are compared in what was read until every channel was seen to vary.
    """
    samples = np.flatnonzero(data.split == TRAIN)
    present = data.features.get(presence_name(feature.modality))
    if present is not None:
        samples = samples[present[samples] == 1]
    if len(samples) < 2:
        return
    names = [axis.name for axis in feature.axes or ()]
    over = tuple(place for place, name in enumerate(["", *names]) if name != "c")
    least, most = np.inf, -np.inf
    for chunk in chunks(data.features[feature.name], samples):
        least, most = np.minimum(least, chunk.min(over)), np.maximum(most, chunk.max(over))
        if not _hardly(least, most).any():
            break
    same = np.atleast_1d(np.equal(least, most))
    hardly = np.atleast_1d(_hardly(least, most)) & ~same
    if same.all():
        message = f"`{feature.name}` is the same number throughout the train split"
        remedy = "nothing can be learned from it: leave it out"
        report.add("W503", message, feature.span, help=remedy)
    elif same.any():
        message = f"{_of(same, feature)} are constant in the train split"
        remedy = "leave them out, or extract the feature again"
        report.add("W503", message, feature.span, help=remedy)
    if hardly.any():
        message = f"{_of(hardly, feature)} hardly vary in the train split"
        note = Note(f"by less than {HARDLY:g} of what they are")
        remedy = "subtract what they have in common, or extract the feature again"
        report.add("W503", message, feature.span, help=remedy, notes=[note])
    spread = np.sort(np.atleast_1d(_between(least, most))[~same & ~hardly])
    if _are_uneven(spread) and not _normalises(feature.adapt.definition):
        message = f"channels of `{feature.name}` vary by {spread[0]:.2g} to {spread[-1]:.2g}"
        remedy = (
            "bring them to one scale: subtract their mean and divide by their deviation, or write "
            "an adapter with `batchnorm(resample(f))`"
        )
        report.add("W512", message, feature.span, help=remedy)


def _are_uneven(spread: NDArray[np.float64]) -> bool:
    """Whether few of several channels decide what an adapter's first sum is; from least to most."""
    return len(spread) > 1 and bool(spread[-1] > SCALES * spread[(len(spread) - 1) // 4])


def _normalises(adapt: Definition) -> bool:
    """Whether an adapter brings the channels of its feature to one scale before it adds them up."""
    for call in walk(adapt.body):
        if isinstance(call, Call) and call.function == "batchnorm":
            inside = list(walk(Body(call)))
            reads = any(isinstance(e, Name) and e.name in adapt.inputs for e in inside)
            if reads and not any(isinstance(e, Binary) and e.operator == "@" for e in inside):
                return True
    return False


def _hardly(least: Any, most: Any) -> NDArray[np.bool_]:
    """Where what was seen differs by little of its size, or not at all."""
    largest = np.maximum(np.abs(least), np.abs(most)).astype(np.float64)
    return np.asarray(_between(least, most) <= HARDLY * largest)


def _between(least: Any, most: Any) -> NDArray[np.float64]:
    """How far they are apart, in float64: features near the ends of float32 overflow there."""
    return np.asarray(np.subtract(most, least, dtype=np.float64))


def _of(which: NDArray[np.bool_], feature: NetworkFeature) -> str:
    return f"{which.sum()} of {which.size} channels of `{feature.name}`"


def _absent(data: Dataset, modality: str, report: Report) -> None:
    """An optional modality that no sample of a split has."""
    present = data.features.get(presence_name(modality))
    for part in np.unique(data.split) if present is not None else ():
        if present is not None and not present[np.flatnonzero(data.split == part)].any():
            message = f"no sample of the {SPLIT_NAMES[part]} split has the modality `{modality}`"
            remedy = f"look at `{presence_name(modality)}`, or leave the modality out"
            report.add("W505", message, help=remedy)


# Equal samples


def _equal(data: Dataset, head: Head, report: Report) -> None:
    """Samples that are equal in every feature, in two splits or with two labels."""
    group = _twins(data.features, len(data.labels))
    for part in (1, 2):
        here = np.flatnonzero(data.split == part)
        leaked = np.isin(group[here], group[data.split < part])
        if leaked.any():
            before = " or ".join(SPLIT_NAMES[:part])
            count = f"{leaked.sum()} of {len(here)} samples of the {SPLIT_NAMES[part]} split"
            message = f"{count} equal one of {before} in every feature"
            report.add("W504", message, help="keep equal samples in one split: give them `groups`")
    _, first = np.unique(group, return_index=True)
    differing = np.zeros(len(group), bool)
    for one, labels in of_each_head(head, data.labels):
        if one.kind != "values":
            differing |= (labels != labels[first[group]]).reshape(len(group), -1).any(1)
    if differing.any():
        count = differing.sum()
        some = "1 sample equals" if count == 1 else f"{count} samples equal"
        message = f"{some} another in every feature, but not in labels"
        report.add("W504", message, help="no network tells them apart: look at what was extracted")


def _twins(features: Mapping[str, Rows], samples: int) -> NDArray[np.int64]:
    """A number for each sample, the same for samples that are equal in every feature."""
    group = np.zeros(samples, np.int64)
    for rows in sorted(features.values(), key=lambda rows: single_bytes(rows.shape[1:])):
        counts = np.bincount(group)
        several = np.flatnonzero(counts[group] > 1)
        digests = [
            hashlib.blake2b(row.tobytes(), digest_size=16).digest()
            for chunk in chunks(rows, several)
            for row in chunk + 0  # -0.0 equals 0.0
        ]
        if digests:
            keys = np.frombuffer(b"".join(digests), np.uint64).reshape(-1, 2)
            table = np.column_stack([group[several].astype(np.uint64), keys])
            _, inner = np.unique(table, axis=0, return_inverse=True)
            group[several] = len(counts) + inner.reshape(-1)
            group = np.unique(group, return_inverse=True)[1]
    return group
