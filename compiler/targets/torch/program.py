"""The `pt2` target: a module as an ExportedProgram, to be run without Fusewright."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import torch
from torch import Tensor
from torch.export import Dim, ExportedProgram

from ...program import Input
from ...weights import SPEC_KEY
from .module import FusionModule

BATCH, SAMPLE = "batch", 3
"""Sizes known only at run time are exported from an example of this many."""


def exported(module: FusionModule) -> ExportedProgram:
    """The module in evaluation mode, over a dictionary of every input, lengths and presence too.

    The batch is dynamic, and so is every axis that a feature declares `*`.
    """
    inputs = module.program.inputs
    batch = Dim(BATCH, min=1)
    example = {item.name: _example(item) for item in inputs}
    shapes = {item.name: _dynamic(item, batch) for item in inputs}
    return torch.export.export(
        module.eval(), (example,), dynamic_shapes=({**shapes},), strict=False
    )


def saved(program: ExportedProgram, spec: str) -> bytes:
    """A `.pt2` file with the specification beside the program."""
    stream = BytesIO()
    torch.export.save(program, stream, extra_files={SPEC_KEY: spec})
    return stream.getvalue()


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
