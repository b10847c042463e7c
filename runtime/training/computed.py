"""What depends on features alone, computed of the samples that are asked for.

It is the same numbers whichever samples are asked for together, so that it does not matter whether
all of it is held or each batch is computed anew. Moving numbers and finding the largest give that;
what multiplies or adds may round otherwise beside other samples, and is computed of each alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...compiler.program.program import INPUT, Program, Value
from ...compiler.targets.torch.traced import trace
from ..data.rows import Array, Rows, gathered

MOVING = (INPUT, "constant", "flatten", "repeat", "max")
"""Primitives that give a sample the same numbers beside any others."""


class ComputedRows:
    """The output of a Program without parameters, (samples, axes…), of features."""

    def __init__(
        self, program: Program, features: Mapping[str, Rows], samples: int, device: torch.device
    ) -> None:
        """What a feature is not there for has its default in every sample."""
        self._graph, self._device = trace(program, training=False), device
        self._inputs = [(features.get(item.name), item.default) for item in program.inputs]
        self.sources = [rows for rows, _ in self._inputs if rows is not None]
        self._is_alone = not all(map(_moves, program.values))
        first = self._of(np.arange(1))
        self.shape: tuple[int, ...] = (samples, *first.shape[1:])
        self.dtype: np.dtype[Any] = first.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, samples: slice | NDArray[np.int64]) -> Array:
        if isinstance(samples, slice):
            samples = np.arange(*samples.indices(len(self)))
        return self._of(samples)

    @torch.no_grad()
    def _of(self, samples: NDArray[np.int64]) -> Array:
        tensors = [self._tensor(rows, default, samples) for rows, default in self._inputs]
        if self._is_alone:
            each = zip(*(torch.split(tensor, 1) for tensor in tensors), strict=True)
            found = torch.cat([self._graph(*(one.clone() for one in sample)) for sample in each])
        else:
            found = self._graph(*tensors)
        computed: Array = found.cpu().contiguous().numpy()
        return computed

    def _tensor(self, rows: Rows | None, default: float, samples: NDArray[np.int64]) -> Tensor:
        if rows is None:
            return torch.full((len(samples),), default, device=self._device)
        return torch.from_numpy(gathered(rows, samples)).to(self._device)


def _moves(value: Value) -> bool:
    """Whether a value is computed of several samples as of each of them alone, to the last bit."""
    if value.primitive == "resample":
        by = dict(value.attributes).get("by")
        return by == "pool" or (by == "mean" and len(value.arguments) == 1)
    return value.primitive in MOVING
