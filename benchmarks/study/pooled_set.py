"""A set of the study as a table: what linear models, extra trees and systems outside read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.network.network import Head
from fusewright.runtime.data.dataset import load_data
from fusewright.runtime.data.pooled import pooled
from fusewright.runtime.data.split import TEST, TRAIN, VALIDATION


@dataclass(frozen=True)
class PooledSet:
    """Each feature's mean and maximum over space and time, (samples, columns), and the labels.

    `known` are training samples, then validation samples, `asked` those of test; `learned` is how
    many of the known ones are training samples.
    """

    head: Head
    learned: int
    known: NDArray[np.float64]
    targets: NDArray[Any]
    asked: NDArray[np.float64]
    labels: NDArray[Any]


def pooled_set(spec: Path, path: Path) -> PooledSet:
    """The samples of a file, which has a split, by the features of a specification."""
    network = checked(fw.load(spec))
    data = load_data(path, network)
    train, validation, test = (data.indices(part) for part in (TRAIN, VALIDATION, TEST))
    known = np.concatenate([train, validation])
    return PooledSet(
        network.head, len(train), pooled(data, network, known), data.labels[known],
        pooled(data, network, test), data.labels[test],
    )  # fmt: skip
