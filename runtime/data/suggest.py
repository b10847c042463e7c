"""Modalities and the head that a data file suggests."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path

from ...compiler.diagnostics.diagnostic import DiagnosticError, Note, fail
from ...compiler.language.nodes import Feature, FeatureAxis, Modality, Predict, name_problem
from ...compiler.language.printer import name as written_name
from ...compiler.network.names import lengths_name, presence_name
from ...compiler.resolve.resolve import RESERVED
from ...compiler.resolve.scope import LARGEST_SIZE
from ...ops.types import NUMBERS
from ..store.manifest import Manifest, is_store, read_manifest
from .canonical import GROUPS, is_feature
from .files import MOST_LOADED, Source, arrays_of, headers_of
from .formats import ArrayHeader
from .gaps import lacking
from .heads import head_of
from .kinds import instead
from .rows import Rows
from .shards import natural
from .split import SPLIT

AXES = {1: "c", 2: "tc", 3: "chw", 4: "cthw"}
"""The axes of a feature by their number, behind the samples."""
UNDIVIDED = "no split and no groups: samples are split by chance, and leakage is not excluded"
"""What is to be known of data that are so."""
_PREFIX = re.compile(r"[^\W\d]+")


@dataclass(frozen=True, slots=True)
class Declared:
    """What data suggest: `left_out` says of other arrays why they are no feature.

    Data that are `undivided` have no split, and no groups that a split would keep together. `alone`
    are what arrays of one number for each sample would be as features.
    """

    modalities: tuple[Modality, ...]
    predict: Predict | None
    left_out: tuple[str, ...] = ()
    undivided: bool = False
    alone: tuple[Feature, ...] = ()


MOST_NOTES = 8


def declare(path: Path) -> Declared:
    """The modalities and the head that a data file or folder suggests.

    A feature's modality is the beginning of its name: `Image_1` and `Image_2` are of `image`.
    Raises DiagnosticError where the data cannot be read or have no feature.
    """
    declared = suggested(path)
    if not declared.modalities:
        raise no_feature(f"`{path}` has no array that can be a feature", declared, "E504")
    return declared


def suggested(source: Source) -> Declared:
    """As `declare`, of data that need not have a feature and may be in memory."""
    arrays = arrays_of(source)
    headers = headers_of(arrays)
    features = [h for h in headers.values() if is_feature(h.name)]
    problems = {h.name: problem for h in features if (problem := _problem(h))}
    left_out = tuple(f"{name}: {problem}" for name, problem in problems.items())
    if not isinstance(source, Mapping) and is_store(source):
        modalities = _stored(read_manifest(Path(source)), problems)
    else:
        modalities = modalities_of(headers)
    alone = (Feature(h.name, axes_of(h, headers)) for h in features if _is_alone(h))
    return Declared(
        with_gaps(modalities, arrays),
        head_of(headers, arrays),
        left_out,
        not {SPLIT, GROUPS} & {*headers},
        tuple(alone),
    )


def no_feature(message: str, declared: Declared, code: str) -> DiagnosticError:
    """That data have too few features, with what they have instead."""
    notes = [Note(line) for line in declared.left_out[:MOST_NOTES]]
    remedy = "a feature is an array of numbers, (samples, channels) or with more axes"
    if declared.alone:
        names = ", ".join(f"{written_name(f.name)}[c 1]" for f in declared.alone[:MOST_NOTES])
        remedy = f"`--modality 'tabular: {names}'` takes them, or columns `tabular.0`, `tabular.1`"
    return fail(code, message, help=remedy, notes=notes)


def modalities_of(headers: Mapping[str, ArrayHeader]) -> tuple[Modality, ...]:
    """The modalities that arrays suggest whose names say no more than numbers do."""
    groups: dict[str, list[ArrayHeader]] = {}
    for header in headers.values():
        if is_feature(header.name) and not _problem(header):
            groups.setdefault(_modality_of(header.name), []).append(header)
    return tuple(_modality(name, group, headers) for name, group in groups.items())


def with_gaps(modalities: Sequence[Modality], arrays: Mapping[str, Rows]) -> tuple[Modality, ...]:
    """Modalities, of which those are optional that samples lack; the largest are not looked at."""
    headers = headers_of(arrays)
    found: list[Modality] = []
    for modality in modalities:
        names = [feature.name for feature in modality.features]
        small = all(prod(headers[n].shape) <= MOST_LOADED or headers[n].is_apart for n in names)
        lacks = not modality.optional and small and lacking(arrays, names) is not None
        found.append(replace(modality, optional=True) if lacks else modality)
    return tuple(found)


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
        what, remedy = instead(header.kind, header.why)
        return f"{what}; {remedy}" if not header.why else what
    if len(header.shape) - 1 not in AXES:
        if len(header.shape) == 1:
            return f"it is one number for each sample; `{header.name}[c 1]` would take it"
        return f"it has {len(header.shape)} axes, not samples and 1 to 4 more"
    if not all(1 <= size <= LARGEST_SIZE for size in header.shape[1:]):
        return "an axis is empty or too long"
    return None


def _is_alone(header: ArrayHeader) -> bool:
    """Whether it is one number for each sample, and could be a feature."""
    is_called = name_problem(header.name) is None and header.name not in RESERVED
    return len(header.shape) == 1 and header.kind in NUMBERS and is_called


def _modality_of(name: str) -> str:
    prefix = _PREFIX.match(name.partition("_")[0])
    return prefix.group().lower() if prefix else "features"


def _modality(
    name: str, group: Sequence[ArrayHeader], headers: Mapping[str, ArrayHeader]
) -> Modality:
    features = [
        Feature(h.name, axes_of(h, headers)) for h in sorted(group, key=lambda h: natural(h.name))
    ]
    return Modality(name, tuple(features), optional=presence_name(name) in headers)


def axes_of(
    header: ArrayHeader, headers: Mapping[str, ArrayHeader]
) -> tuple[FeatureAxis, ...] | None:
    """The axes that an array suggests as a feature; one number for each sample is a channel."""
    sizes = header.shape[1:] if len(header.shape) > 1 else (1,)
    names = AXES.get(len(sizes))
    if names is None:
        return None
    varies = "t" if lengths_name(header.name) in headers else ""
    pairs = zip(names, sizes, strict=True)
    return tuple(FeatureAxis(a, "*" if a == varies else size) for a, size in pairs)
