"""The features of a shard: its rows through a backbone in inference mode, pooled and padded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...compiler.diagnostics.diagnostic import DiagnosticError, fail
from ...compiler.network.names import lengths_name, presence_name
from ...compiler.system.files import first_line
from ..backbones.taps import tapped
from .batches import Batch, batches, by_length, inputs, is_masked, tensors
from .known import Known
from .settings import ExtractSettings
from .sources import ModalitySource, SourceFeature

Taken: TypeAlias = dict[str, tuple[Tensor, list[int] | None]]
"""Features (batch, axes…) by name, and the lengths of each in time."""


class FeatureMaker:
    """Makes the arrays of a modality for rows of a store."""

    def __init__(
        self,
        source: ModalitySource,
        known: Known,
        present: NDArray[np.bool_],
        settings: ExtractSettings,
        device: str,
        executor: Executor,
    ) -> None:
        """`present` says of which rows there is anything, (rows,)."""
        self.source, self.known, self.present = source, known, present
        self._settings, self._device, self._executor = settings, device, executor

    @cached_property
    def _taps(self) -> Callable[[Mapping[str, Tensor] | Tensor], dict[str, Tensor]]:
        backbone = self.source.backbone
        assert backbone is not None
        backbone.module.eval().to(self._device)
        return tapped(backbone, list(dict.fromkeys(f.path for f in self.source.features)))

    def arrays(
        self, first: int, last: int, progress: Callable[[int], None]
    ) -> dict[str, NDArray[Any]]:
        """The arrays of rows from `first` up to `last`, by name, each (rows, …).

        What a row lacks is 0. Raises DiagnosticError where a row cannot be decoded, or a feature is
        not as it is declared. `progress` receives how many rows are done.
        """
        rows = np.arange(first, last)
        there = rows[self.present[first:last]]
        settings = self._settings
        parts: list[tuple[Batch, Taken]] = []
        for batch in batches(
            self.source, self.known, there, settings.batch, settings.seed, self._executor
        ):
            parts.append((batch, self._features(batch)))
            progress(len(batch.places))
        progress(len(rows) - len(there))
        arrays: dict[str, NDArray[Any]] = {}
        for feature in self.source.features:
            arrays |= _gathered(feature, first, len(rows), parts)
        if self.source.optional:
            arrays[presence_name(self.source.name)] = self.present[first:last].astype(np.int64)
        return arrays

    def _features(self, batch: Batch) -> Taken:
        values, lengths = tensors(self.source, batch)
        try:
            found = self._taken(values, lengths)
        except RuntimeError as error:
            if self.source.backbone is None or isinstance(error, DiagnosticError):
                raise
            message = f"`{self.source.backbone.name}` cannot take {batch.names[0]}: "
            message += first_line(error)
            raise fail("E514", message) from None
        return {f.name: _pooled(f, *found[f.name]) for f in self.source.features}

    def _taken(self, values: Tensor, lengths: list[int] | None) -> Taken:
        """The features of a batch whole; of samples whose length no mask says one by one length."""
        if self.source.backbone is None:
            (feature,) = self.source.features
            return {feature.name: (values.float(), lengths)}
        if lengths is None or is_masked(self.source):
            return self._run(values, lengths)
        found: dict[str, dict[int, Tensor]] = {f.name: {} for f in self.source.features}
        own: dict[str, dict[int, int]] = {f.name: {} for f in self.source.features}
        assert self.source.time is not None
        for length, places in by_length(lengths).items():
            part = values[places].narrow(1 + self.source.time, 0, length)
            for name, (tensor, counts) in self._run(part, [length] * len(places)).items():
                found[name] |= dict(zip(places, torch.split(tensor, 1), strict=True))
                own[name] |= dict(zip(places, counts or [0] * len(places), strict=True))
        return {
            f.name: _joined(f, [found[f.name][i] for i in range(len(values))], own[f.name])
            for f in self.source.features
        }

    def _run(self, values: Tensor, lengths: list[int] | None) -> Taken:
        given = inputs(self.source, values, lengths)
        with torch.inference_mode():
            tensors = self._taps({name: one.to(self._device) for name, one in given.items()})
        before = values.shape[1 + self.source.time] if self.source.time is not None else 1
        found: Taken = {}
        for feature in self.source.features:
            tensor = tensors[feature.path].float().cpu()
            counts = None
            if feature.time is not None and lengths is not None:
                after = tensor.shape[1 + feature.time]
                counts = [max(1, -(-length * after // before)) for length in lengths]
                tensor = _silenced(tensor, feature.time, counts)
            found[feature.name] = tensor, counts
        return found


def _silenced(tensor: Tensor, time: int, lengths: Sequence[int]) -> Tensor:
    """A feature that is 0 beyond the length of each sample, which no batch decides then."""
    counts = torch.arange(tensor.shape[1 + time]) < torch.tensor(lengths)[:, None]
    shape = [1] * tensor.dim()
    shape[0], shape[1 + time] = counts.shape
    return torch.where(counts.reshape(shape), tensor, 0.0)


def _joined(
    feature: SourceFeature, parts: Sequence[Tensor], lengths: Mapping[int, int]
) -> tuple[Tensor, list[int] | None]:
    """Samples (1, axes…), which may differ in time, as one batch."""
    if feature.time is None:
        return torch.cat([*parts]), None
    place = 1 + feature.time
    longest = max(part.shape[place] for part in parts)
    whole = parts[0].new_zeros([longest if i == place else n for i, n in enumerate(parts[0].shape)])
    batch = whole.repeat(len(parts), *[1] * (whole.dim() - 1))
    for number, part in enumerate(parts):
        batch[number : number + 1].narrow(place, 0, part.shape[place]).copy_(part)
    return batch, [lengths[number] for number in range(len(parts))]


def _pooled(
    feature: SourceFeature, tensor: Tensor, lengths: list[int] | None
) -> tuple[Tensor, list[int] | None]:
    if feature.pooling is None:
        return tensor, lengths
    pooled = feature.pooling(tensor, feature.declared, lengths)
    return pooled, None if feature.pools_time else lengths


def _gathered(
    feature: SourceFeature, first: int, rows: int, parts: Sequence[tuple[Batch, Taken]]
) -> dict[str, NDArray[Any]]:
    """A feature of all rows, and their lengths where these differ."""
    tensors = [taken[feature.name][0] for _, taken in parts]
    shape = [n if isinstance(n, int) else 1 for _, n in feature.axes]
    for tensor in tensors:
        _require_declared(feature, tensor)
        longer = zip(shape, tensor.shape[1:], feature.axes, strict=True)
        shape = [max(n, size) if axis[1] == "*" else n for n, size, axis in longer]
    array = np.zeros((rows, *shape), np.float32)
    counts = np.ones(rows, np.int64)
    for (batch, taken), tensor in zip(parts, tensors, strict=True):
        inner: Any = tuple(slice(size) for size in tensor.shape[1:])
        array[(batch.places - first, *inner)] = tensor.numpy()
        lengths = taken[feature.name][1]
        time = feature.declared.index("t") if feature.has_lengths else 0
        counts[batch.places - first] = lengths or tensor.shape[1 + time]
    found: dict[str, NDArray[Any]] = {feature.name: array}
    if feature.has_lengths:
        found[lengths_name(feature.name)] = counts
    return found


def _require_declared(feature: SourceFeature, tensor: Tensor) -> None:
    """Raises DiagnosticError where a feature has other sizes than its axes say."""
    shape = tuple(tensor.shape[1:])
    fits = len(shape) == len(feature.axes) and all(
        size in ("*", n) for n, (_, size) in zip(shape, feature.axes, strict=True)
    )
    if not fits:
        stated = ", ".join(f"{name} {size}" for name, size in feature.axes)
        message = f"`{feature.name}` is {shape} for a sample, and declared [{stated}]"
        raise fail("E502", message, help="correct the declared axes, or the transform")
    if not torch.isfinite(tensor).all():
        message = f"`{feature.name}` has values that are not finite"
        raise fail("E502", message, help="are the weights those of the backbone?")
