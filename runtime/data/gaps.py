"""Numbers that are missing: whole modalities of samples that lack them, and gaps that are an error.

A sample lacks a modality where all numbers of its features are NaN, as empty cells are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import Report
from ...compiler.network.names import presence_name
from ...compiler.network.network import NetworkFeature
from .rows import Array, Rows, chunks, rows_of


def lacking(arrays: Mapping[str, Rows], names: Sequence[str]) -> NDArray[np.bool_] | None:
    """Which samples have nothing but NaN in all arrays of these names; None where none has.

    None, too, where an array is not there, holds no numbers, or has other samples than the first.
    """
    absent: NDArray[np.bool_] | None = None
    for name in names:
        rows = rows_of(arrays[name]) if name in arrays else None
        if rows is None or rows.dtype.kind != "f" or len(rows.shape) < 1:
            return None
        if absent is not None and len(absent) != len(rows):
            return None
        here = _empty(rows)
        absent = here if absent is None else absent & here
        if not absent.any():
            return None
    return absent


def _empty(rows: Rows) -> NDArray[np.bool_]:
    """Samples that have NaN alone; the first of their numbers says of most that they have not."""
    parts = [np.isnan(chunk.reshape(len(chunk), -1)[:, :1]).any(1) for chunk in chunks(rows)]
    empty: NDArray[np.bool_] = np.concatenate([np.zeros(0, np.bool_), *parts])
    for sample in np.flatnonzero(empty):
        empty[sample] = np.isnan(rows[sample : sample + 1]).all()
    return empty


def presence_of(
    arrays: Mapping[str, Rows], modality: str, names: Sequence[str]
) -> dict[str, Array]:
    """By its name, which samples have a modality of these features, (samples,) of 1 and 0.

    Nothing where data say it themselves, or all samples have it.
    """
    name = presence_name(modality)
    absent = None if name in arrays else lacking(arrays, names)
    return {} if absent is None else {name: 1 - absent.astype(np.int64)}


def report_gaps(feature: NetworkFeature, rows: Rows, report: Report, *, optional: bool) -> bool:
    """Reports numbers that are none in float32: how many, and where the first stands.

    True where there are some.
    """
    count = missing = samples = done = 0
    first = ""
    for chunk in chunks(rows):
        wrong = ~np.isfinite(chunk)
        if wrong.any():
            if not count:
                sample, *place = map(int, np.argwhere(wrong)[0])
                value = chunk[(sample, *place)]
                where = f" at {place}" if place else ""
                first = f"the first is {value} in sample {done + sample}{where}"
            count += int(wrong.sum())
            missing += int(np.isnan(chunk).sum())
            samples += int(wrong.reshape(len(wrong), -1).any(axis=1).sum())
        done += len(chunk)
    if not count:
        return False
    several = f"{count:,} values in {samples:,} sample{'s' * (samples > 1)} that are"
    number = "1 value that is" if count == 1 else several
    found = f"{number} not finite in float32: {first}, counted from 0"
    remedy = _remedy(feature, optional=optional) if missing == count else _REPLACE
    report.add("E502", f"`{feature.name}` has {found}", feature.span, help=remedy)
    return True


_REPLACE = "replace NaN and infinity in the data"


def _remedy(feature: NetworkFeature, *, optional: bool) -> str:
    """What to do about numbers that are missing."""
    fill = "fill what is missing (NaN), or leave these samples out"
    if optional:
        modality = feature.modality
        return f"{fill}; a sample lacks `{modality}` where all of its numbers are missing"
    return f"{fill}; where samples lack all of `{feature.modality}`, declare it `optional`"
