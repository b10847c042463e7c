"""The `pt2` target: a module as an ExportedProgram, to be run without Fusewright.

NOTE: torch writes the names of parameters and the keys of inputs into the code that it generates,
and runs that code whenever the file is loaded. Hence parameters are called `p0`, `p1`, … there,
and inputs by their names as a URL spells them, which leaves no character that ends a string.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any
from urllib.parse import quote

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from ...program.program import Input
from .module import FusionModule
from .traced import trace

BATCH, SAMPLE = "batch", 3
"""Sizes known only at run time are exported from an example of this many."""


def exported(module: FusionModule) -> ExportedProgram:
    """The module in evaluation mode, over a dictionary of every input, lengths and presence too.

    Its keys are those of `key`. The batch is dynamic, and so is every axis that a feature declares
    `*`.
    """
    inputs = module.program.inputs
    batch = Dim(BATCH, min=1)
    example = {key(item.name): _example(item) for item in inputs}
    shapes = {key(item.name): _dynamic(item, batch) for item in inputs}
    return torch.export.export(
        _Exportable(module).eval(), (example,), dynamic_shapes=({**shapes},), strict=False
    )


def saved(program: ExportedProgram, about: Mapping[str, str]) -> bytes:
    """A `.pt2` file with what it was compiled from beside the program."""
    stream = BytesIO()
    torch.export.save(program, stream, extra_files={**about})
    return stream.getvalue()


def key(name: str) -> str:
    """What the exported program calls an input: letters, digits, `_`, `.`, `-` and `~` stay, and
    every other character is its bytes in UTF-8 as `%E2`."""
    return quote(name, safe="")


class _Exportable(nn.Module):
    """What a module computes in evaluation mode, with its parameters under plain names."""

    def __init__(self, module: FusionModule) -> None:
        super().__init__()
        self._keys = [key(item.name) for item in module.program.inputs]
        self._graph = trace(module.program, training=False)
        state = module.state_dict(keep_vars=True)
        self._names = [f"p{index}" for index in range(len(module.program.parameters))]
        for name, spec in zip(self._names, module.program.parameters, strict=True):
            tensor = state[spec.name]
            if isinstance(tensor, nn.Parameter):
                self.register_parameter(name, tensor)
            else:
                self.register_buffer(name, tensor)

    def forward(self, features: Mapping[str, Tensor]) -> Tensor:
        tensors = [features[key] for key in self._keys]
        tensors += [getattr(self, name) for name in self._names]
        result: Tensor = self._graph(*tensors)
        return result


def _example(item: Input) -> Tensor:
    if item.kind == "feature":
        return torch.zeros(SAMPLE, *(a.size or SAMPLE for a in item.type.axes))
    return torch.full((SAMPLE,), item.default)


def _dynamic(item: Input, batch: Any) -> dict[int, Any]:
    found = {0: batch}
    for place, axis in enumerate(item.type.axes, start=1):
        if axis.size is None:
            found[place] = Dim.DYNAMIC
    return found
