"""A first pass over raw data: what there is of each sample, and the digest of all of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import Diagnostic, DiagnosticError, diagnosed
from ..parallel.processes import count, gathered, rank
from ..raw.data import Column, content_digest
from .sources import ModalitySource

MOST_SAID = 20
"""Samples that lack something of which a diagnostic each is given."""
_NOTHING = content_digest(None)


@dataclass(frozen=True)
class Survey:
    """Which samples have anything in a column, (samples,), and the SHA-256 of what all have."""

    present: NDArray[np.bool_]
    digest: str


def survey(source: ModalitySource, samples: int, executor: Executor) -> Survey:
    """Reads the values of a modality, each process its share, and tells nothing from something.

    Raises DiagnosticError where a modality that is not optional lacks samples, or has none.
    """
    own = range(rank(), samples, count())
    shares = gathered(_digests(source.column, own, executor))
    digests = [""] * samples
    for number, share in enumerate(shares):
        digests[number :: len(shares)] = share
    present = np.array([digest != _NOTHING for digest in digests])
    if not source.optional or not present.any():
        _require_present(source, present)
    return Survey(present, sha256(json.dumps(digests).encode()).hexdigest())


def _digests(column: Column, samples: Sequence[int], executor: Executor) -> list[str]:
    return list(executor.map(lambda sample: content_digest(column.read(sample)), samples))


def _require_present(source: ModalitySource, present: NDArray[np.bool_]) -> None:
    missing = np.flatnonzero(~present)
    if not len(missing):
        return
    remedy = f"declare `modality {source.name} optional`, or leave the sample out"
    found: list[Diagnostic] = []
    for sample in missing[:MOST_SAID]:
        place = source.column.place(int(sample))
        found.append(diagnosed("E501", f"there is nothing at {place}", None, remedy))
    raise DiagnosticError(found)
