"""Modalities and the head that a data file suggests."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.language.nodes import Feature, FeatureAxis, Modality, Predict, name_problem
from ...compiler.network.names import LABELS, lengths_name, presence_name
from ...compiler.resolve.resolve import MOST_CLASSES, RESERVED
from ...compiler.resolve.scope import LARGEST_SIZE
from ...ops.types import NUMBERS
from ..store.manifest import Manifest, is_store, read_manifest
from .canonical import is_feature
from .classes import TEXTS, names_in
from .files import load_array, read_arrays, read_headers
from .formats import ArrayHeader
from .rows import Array

AXES = {1: "c", 2: "tc", 3: "chw", 4: "cthw"}
"""The axes of a feature by their number, behind the samples."""
_PREFIX = re.compile(r"[^\W\d]+")


@dataclass(frozen=True, slots=True)
class Declared:
    """What data suggest: `left_out` says of other arrays why they are no feature."""

    modalities: tuple[Modality, ...]
    predict: Predict | None
    left_out: tuple[str, ...] = ()


SPARSE = 4
"""How many times the classes that occur there may be classes."""


def declare(path: Path) -> Declared:
    """The modalities and the head that a data file or folder suggests.

    A feature's modality is the beginning of its name: `Image_1` and `Image_2` are of `image`.
    Raises DiagnosticError where the data cannot be read or have no feature.
    """
    headers = read_headers(path)
    features = [h for h in headers.values() if is_feature(h.name)]
    problems = {h.name: problem for h in features if (problem := _problem(h))}
    labels = headers.get(LABELS)
    left_out = tuple(f"{name}: {problem}" for name, problem in problems.items())
    if is_store(path):
        modalities = _stored(read_manifest(path), problems)
    else:
        modalities = modalities_of(headers)
    if not modalities:
        message = f"`{path}` has no array that can be a feature"
        remedy = "a feature is an array of numbers, (samples, channels) or with more axes"
        raise fail("E504", message, help=remedy)
    names = names_in(read_arrays(path)) if labels else None
    return Declared(modalities, _predict(labels, names) if labels else None, left_out)


def modalities_of(headers: Mapping[str, ArrayHeader]) -> tuple[Modality, ...]:
    """The modalities that arrays suggest whose names say no more than numbers do."""
    groups: dict[str, list[ArrayHeader]] = {}
    for header in headers.values():
        if is_feature(header.name) and not _problem(header):
            groups.setdefault(_modality_of(header.name), []).append(header)
    return tuple(_modality(name, group, headers) for name, group in groups.items())


def _stored(manifest: Manifest, problems: Collection[str]) -> tuple[Modality, ...]:
    """The modalities that a store says, without the arrays that are no features."""
    names = {array.name for array in manifest.arrays}
    found: list[Modality] = []
    for modality in manifest.modalities:
        features = tuple(
            Feature(array.name, tuple(FeatureAxis(*axis) for axis in array.axes))
            for array in manifest.arrays_of(modality)
            if array.axes is not None and array.name not in problems
        )
        if modality is not None and features:
            found.append(Modality(modality, features, optional=presence_name(modality) in names))
    return tuple(found)


def _problem(header: ArrayHeader) -> str | None:
    """Why an array is no feature, or None."""
    if problem := name_problem(header.name):
        return problem
    if header.name in RESERVED:
        return f"the network keeps the name `{header.name}` for itself"
    if header.kind not in NUMBERS:
        return "it does not hold numbers"
    if len(header.shape) - 1 not in AXES:
        if len(header.shape) == 1:
            return f"it is one number for each sample; `{header.name}[c 1]` would take it"
        return f"it has {len(header.shape)} axes, not samples and 1 to 4 more"
    if not all(1 <= size <= LARGEST_SIZE for size in header.shape[1:]):
        return "an axis is empty or too long"
    return None


def _modality_of(name: str) -> str:
    prefix = _PREFIX.match(name.partition("_")[0])
    return prefix.group().lower() if prefix else "features"


def _modality(
    name: str, group: Sequence[ArrayHeader], headers: Mapping[str, ArrayHeader]
) -> Modality:
    features = [_feature(h, headers) for h in sorted(group, key=_natural)]
    return Modality(name, tuple(features), optional=presence_name(name) in headers)


def _feature(header: ArrayHeader, headers: Mapping[str, ArrayHeader]) -> Feature:
    names = AXES[len(header.shape) - 1]
    varies = "t" if lengths_name(header.name) in headers else ""
    sizes = zip(names, header.shape[1:], strict=True)
    return Feature(
        header.name, tuple(FeatureAxis(a, "*" if a == varies else size) for a, size in sizes)
    )


def _natural(header: ArrayHeader) -> list[tuple[int, str]]:
    """A key that puts `Image_10` behind `Image_2`."""
    pieces = re.findall(r"[0-9]{1,9}|[^0-9]+", header.name)
    return [(int(p), "") if p.isascii() and p.isdigit() else (-1, p) for p in pieces]


def _predict(header: ArrayHeader, names: tuple[str, ...] | None) -> Predict | None:
    """What labels are, with the names that data have for classes or columns, as they number them.

    Classes where labels are (samples,) names or whole numbers, labels where 0 and 1, else values.
    Whole numbers of which few below the largest occur, such as prices, are values too.
    """
    if 0 in header.shape or len(header.shape) not in (1, 2):
        return None
    if header.kind in TEXTS and names:
        return Predict(len(names), "classes", names)
    if header.kind not in NUMBERS:
        return None
    labels = load_array(header)
    if labels.ndim == 2:
        binary = bool(np.isin(labels, (0, 1)).all())
        fit = names if names and len(names) == labels.shape[1] else None
        return Predict(labels.shape[1], "labels" if binary else "values", fit)
    whole = bool(np.array_equal(labels, np.floor(labels)))
    if whole and names and labels.min() >= 0 and labels.max() < len(names):
        return Predict(len(names), "classes", names)
    return _counted(labels) if whole else Predict(1, "values")


def _counted(labels: Array) -> Predict:
    """What whole numbers are without names; classes that do not count from 0 are named by them."""
    distinct = np.unique(labels).astype(np.int64)
    least, most = int(distinct[0]), int(distinct[-1])
    if distinct.tolist() == [-1, 1]:
        return Predict(2, "classes", ("-1", "1"))
    if least < 0 or most >= min(MOST_CLASSES, SPARSE * len(distinct)):
        return Predict(1, "values")
    if least == 1 and len(distinct) > 1:
        return Predict(most, "classes", tuple(map(str, range(1, most + 1))))
    return Predict(most + 1, "classes")
