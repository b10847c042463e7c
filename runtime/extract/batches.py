"""Batches of what a modality's values are decoded to, and what a backbone takes of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...compiler.diagnostics.diagnostic import DiagnosticError, fail
from .known import Known
from .sources import ModalitySource

TOKENS = "text"


@dataclass(frozen=True)
class Batch:
    """Rows of a shard with what they are decoded to, each without an axis of samples."""

    places: NDArray[np.int64]
    values: Sequence[NDArray[Any]]
    names: Sequence[str]


def batches(
    source: ModalitySource,
    known: Known,
    rows: NDArray[np.int64],
    size: int,
    seed: int,
    executor: Executor,
) -> Iterator[Batch]:
    """The rows in batches of a size; one is decoded while the one before it is used.

    Raises DiagnosticError with everything of a batch that cannot be decoded.
    """
    decode = partial(_decoded, source, known, seed)
    parts = [rows[start : start + size] for start in range(0, len(rows), size)]
    ahead = [[executor.submit(decode, row) for row in part] for part in parts[:1]]
    for number, part in enumerate(parts):
        if number + 1 < len(parts):
            ahead.append([executor.submit(decode, row) for row in parts[number + 1]])
        values: list[NDArray[Any]] = []
        wrong: list[DiagnosticError] = []
        for future in ahead.pop(0):
            try:
                values.append(future.result())
            except DiagnosticError as error:
                wrong.append(error)
        if wrong:
            raise DiagnosticError([d for error in wrong for d in error.diagnostics])
        names = [source.column.place(int(known.samples[row])) for row in part]
        yield Batch(part, values, names)


def _decoded(source: ModalitySource, known: Known, seed: int, row: int) -> NDArray[Any]:
    """What a row is decoded to, augmented where it is a further view."""
    sample, view = int(known.samples[row]), int(known.views[row])
    content = source.column.read(sample)
    place = source.column.place(sample)
    if content is None:
        raise fail("E504", f"{place} was there, and is not any more")
    generator = np.random.default_rng([seed, view, sample]) if view else None
    return source.decoder.decode(content, place, source.transform, generator)


def tensors(source: ModalitySource, batch: Batch) -> tuple[Tensor, list[int] | None]:
    """The values of a batch as one tensor (batch, …), and their lengths along time, if any.

    Raises DiagnosticError where they differ in more than time, or are not what a backbone takes.
    """
    time = source.time
    lengths = None if time is None else [value.shape[time] for value in batch.values]
    longest = max(lengths or [0])
    if source.backbone is not None:
        longest = _require_fitting(source, batch, longest)
    padding = getattr(source.transform, "padding", 0)
    padded = [
        value if time is None else _padded(value, time, longest, padding) for value in batch.values
    ]
    for value, name in zip(padded, batch.names, strict=True):
        if value.shape != padded[0].shape:
            message = f"{name} is {value.shape}, and {batch.names[0]} {padded[0].shape}"
            raise fail("E502", message, help=_alike(source))
    return torch.from_numpy(np.stack(padded)), lengths


def _alike(source: ModalitySource) -> str:
    """How the values of a modality are made alike in shape."""
    if hasattr(source.transform, "resize"):
        return f"make them alike, as by `--transform {source.name}.resize=[224,224]`"
    if source.medium == "numbers" and source.time is None:
        return "write `t *` for the axis in which they may differ, or make them alike"
    return "make them alike in all but time"


def _padded(value: NDArray[Any], time: int, longest: int, padding: int) -> NDArray[Any]:
    missing = [(0, longest - n if axis == time else 0) for axis, n in enumerate(value.shape)]
    return np.pad(value, missing, constant_values=padding)


def _require_fitting(source: ModalitySource, batch: Batch, longest: int) -> int:
    """The length of a batch in time; raises DiagnosticError for what its backbone cannot take."""
    assert source.backbone is not None
    taken = source.backbone.input
    for value, name in zip(batch.values, batch.names, strict=True):
        shape = value.shape if source.medium != "skeleton" else (*value.shape[:2], _others(value))
        fits = len(shape) == len(taken.shape) and all(
            size is None or size == n or (axis == source.time and n <= size)
            for axis, (n, size) in enumerate(zip(shape, taken.shape, strict=True))
        )
        if not fits:
            message = f"{name} is decoded to {shape}, and `{source.backbone.name}` takes "
            message += f"({', '.join('*' if n is None else str(n) for n in taken.shape)})"
            raise fail("E502", message, help=f"change it: `--transform {source.name}.KEY=VALUE`")
        if taken.below and value.max(initial=0) >= taken.below:
            message = f"{name} has the token {value.max()}"
            remedy = f"`{source.backbone.name}` knows {taken.below:,}: give its own tokenizer"
            raise fail("E502", message, help=remedy)
    fixed = None if source.time is None else taken.shape[source.time]
    return longest if fixed is None else fixed


def _others(skeleton: NDArray[Any]) -> int:
    """How many joints all bodies have together."""
    return int(np.prod(skeleton.shape[2:]))


def inputs(
    source: ModalitySource, values: Tensor, lengths: Sequence[int] | None
) -> dict[str, Tensor]:
    """All that a backbone takes for values (batch, …): these, and what follows from them."""
    assert source.backbone is not None
    first, *others = source.backbone.inputs
    given = {first.name: values.flatten(3) if source.medium == "skeleton" else values}
    for item in others:
        if item.kind == "mask" and lengths is not None and source.time is not None:
            times = torch.arange(values.shape[1 + source.time])
            given[item.name] = (times < torch.tensor(lengths)[:, None]).long()
        elif item.kind == TOKENS and lengths is not None:
            given[item.name] = torch.zeros_like(values)
        elif not item.optional:
            message = f"`{source.backbone.name}` takes `{item.name}` beside its first input"
            remedy = "write a function that wraps it and takes one, for `--backbone`"
            raise fail("E514", message, help=remedy)
    return given


def is_masked(source: ModalitySource) -> bool:
    """Whether a backbone is told what of a sample counts, or takes one length alone."""
    assert source.backbone is not None
    has_mask = any(item.kind == "mask" for item in source.backbone.inputs)
    return has_mask or source.time is None or source.backbone.input.shape[source.time] is not None


def by_length(lengths: Sequence[int]) -> Mapping[int, list[int]]:
    """The places of a batch by their lengths."""
    found: dict[int, list[int]] = {}
    for place, length in enumerate(lengths):
        found.setdefault(length, []).append(place)
    return found
