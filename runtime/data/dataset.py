"""Data sets: arrays by name, checked against what a specification declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import Report, fail
from ...compiler.network.names import class_names_name, labels_name, lengths_name, presence_name
from ...compiler.network.network import Network
from .absence import Absence
from .features import features_of, room_beside
from .files import Source, arrays_of
from .identity import arrays_identity
from .kept import Kept
from .labels import labels_of
from .memory import require_held, room
from .rows import Array, Rows
from .split import (
    SPLIT,
    SPLIT_NAMES,
    TRAIN,
    groups_of,
    lacks_validation,
    split_numbers,
    split_of,
)


@dataclass(frozen=True)
class Dataset:
    """Samples: `features` are (samples, axes…) by name, with lengths and presence among them.

    `labels` are (samples,) integers for classes, (samples, K) 0 or 1 for labels and floats for
    values; those of several heads are columns (`several.py`). `split` is 0 for training, 1 for
    validation, 2 for test. Samples of one of the `groups`, (samples,), such as one person's, stay
    together where samples are divided. `times` are how often each sample is learned, (samples,),
    where that differs; `seen` says that what made the features has seen the training samples
    (`seen.py`); `drawn` that data with a split had no validation samples, and some for training
    became these. `absence` says how samples are learned without some of their modalities. Features
    that there is no room for in memory stay where they are; `kept` is what is computed from
    features.
    """

    features: Mapping[str, Rows]
    labels: Array
    split: Array
    groups: Array | None = None
    times: NDArray[np.int64] | None = None
    seen: bool = False
    drawn: bool = False
    absence: Absence | None = None
    kept: Kept = field(default_factory=Kept, compare=False, repr=False)

    def indices(self, *parts: int) -> NDArray[np.int64]:
        """The samples of these parts; raises DiagnosticError if there are none."""
        samples = np.flatnonzero(np.isin(self.split, parts))
        if not len(samples):
            names = " and ".join(SPLIT_NAMES[p] for p in parts)
            remedy = "give `split` 0 for training, 1 for validation, 2 for test"
            raise fail("E503", f"no sample belongs to the {names} split", help=remedy)
        return samples

    @property
    def learned(self) -> int:
        """How many samples the training split has."""
        return int((self.split == TRAIN).sum())

    def digest(self) -> str:
        """A digest of every array, as it is used."""
        arrays = {**self.features, "labels": self.labels, "split": self.split}
        if self.groups is not None:
            arrays["groups"] = self.groups
        return arrays_identity(arrays).digest


def names_read(network: Network) -> tuple[str, ...]:
    """The arrays of data that a network reads, where the data have them."""
    features = [feature.name for feature in network.features]
    lengths = [lengths_name(f.name) for f in network.features if f.has_lengths]
    presence = [presence_name(m.name) for m in network.spec.modalities if m.optional]
    heads = [labels_name(head.name) for head in network.heads]
    labels = [name for own in ("labels", *heads) for name in (own, class_names_name(own))]
    return (*features, *lengths, *presence, *labels, "split", "groups")


def read_by(network: Network) -> Any:
    """Equal for networks that read the same of any data."""
    features = tuple((f.name, f.axes, f.modality, f.optional) for f in network.features)
    return features, network.head


def load_data(source: Source, network: Network, seed: int = 0, memory: str = "") -> Dataset:
    """The data that a network needs, from a file, a folder of files, or arrays by name.

    Features are read into memory where there is room for them, or where so much `memory` is stated
    that there is. Raises DiagnosticError where what has to be held does not fit there, before any
    of it is read, and with everything that does not fit the specification.
    """
    arrays = arrays_of(source)
    require_held(arrays, network, memory)
    report = Report()
    there = room(memory)
    features = features_of(arrays, network, there, report)
    counts = {len(a) for a in features.values()}
    samples = counts.pop() if len(counts) == 1 and not report.errors else None
    labels = labels_of(arrays, network.head, samples, report)
    report.raise_errors()
    groups = groups_of(arrays, len(labels))
    split = split_of(arrays, labels, groups, network.head, seed)
    drawn = SPLIT in arrays and lacks_validation(split_numbers(np.asarray(arrays[SPLIT])))
    kept = Kept(room_beside(features, there))
    return Dataset(features, labels, split, groups, drawn=drawn, kept=kept)


def load_features(source: Source, network: Network, memory: str = "") -> Dataset:
    """Data to predict from: as `load_data`, but labels and split are not asked for."""
    arrays = arrays_of(source)
    require_held(arrays, network, memory)
    report = Report()
    there = room(memory)
    features = features_of(arrays, network, there, report)
    report.raise_errors()
    samples = len(next(iter(features.values())))
    return Dataset(
        features,
        np.zeros(samples, np.int64),
        np.zeros(samples, np.int64),
        kept=Kept(room_beside(features, there)),
    )
