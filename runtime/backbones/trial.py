"""Dry runs: a backbone on the meta device, where nothing is computed but shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

import torch
from torch import nn
from torch.func import functional_call

from ...compiler.diagnostics.diagnostic import Report
from ...compiler.diagnostics.source import span_of
from .backbone import Backbone
from .hooks import Taken, parts_of, taking

BATCH = 2
Shape = tuple[int, ...]


def trial(
    backbone: Backbone,
    paths: Sequence[str],
    sizes: Mapping[str, int] | None = None,
    batch: int = BATCH,
) -> dict[str, Shape]:
    """The shapes, with the batch, of what parts of a backbone give for inputs of these sizes.

    Sizes that are not said are the backbone's own. Raises DiagnosticError for a part that is not
    there, does not run just once, or gives no tensor; RuntimeError and others as the model does
    where it does not take such sizes.
    """
    taken = _run(backbone, parts_of(backbone.module, paths, backbone.name), sizes or {}, batch)
    _require_once(backbone, paths, taken)
    return {path: tuple(taken.tensors[path].shape) for path in paths}


def tappable(backbone: Backbone) -> list[str]:
    """The parts of a backbone that can be tapped, in the order in which they come to an end.

    These run just once, and give a tensor whose first axis is that of samples.
    """
    parts = dict(backbone.module.named_modules())
    few, more = _run(backbone, parts, {}, BATCH), _run(backbone, parts, {}, BATCH + 1)

    def is_batch(path: str) -> bool:
        shapes = (few.tensors[path].shape[:1], more.tensors[path].shape[:1])
        return shapes == ((BATCH,), (BATCH + 1,))

    return [path for path in few.runs if _is_usable(path, few) and is_batch(path)]


def _is_usable(path: str, taken: Taken) -> bool:
    return taken.runs.get(path) == 1 and path in taken.tensors


def _require_once(backbone: Backbone, paths: Sequence[str], taken: Taken) -> None:
    report = Report()
    for path in paths:
        if _is_usable(path, taken):
            continue
        runs = taken.runs.get(path, 0)
        what = f"runs {runs} times for a sample" if runs > 1 else "gives no tensor"
        message = f"`{path}` of `{backbone.name}` {what if runs else 'is not run'}"
        remedy = "tap what it stands in" if runs > 1 else "tap another part"
        report.add("E514", message, span_of(path), help=remedy)
    report.raise_errors()


def _run(
    backbone: Backbone, parts: Mapping[str, nn.Module], sizes: Mapping[str, int], batch: int
) -> Taken:
    """What parts gave on the meta device; of a model that cannot run there, on the CPU.

    Masks and whatever else is optional are left out, since what they hold is looked at.
    """
    with torch.no_grad(), taking(parts, stop=False) as taken:
        try:
            _call(backbone, sizes, batch, "meta")
        except RuntimeError as error:  # NotImplementedError is one too
            if "meta" not in str(error):
                raise
        else:
            return taken
    with torch.no_grad(), taking(parts, stop=False) as taken:
        _call(backbone, sizes, batch, "cpu")
    return taken


def _call(backbone: Backbone, sizes: Mapping[str, int], batch: int, device: str) -> None:
    """Runs a backbone with weights that are stood in for on a device."""
    module = backbone.module
    tensors = chain(module.named_parameters(), module.named_buffers())
    swapped = {
        name: tensor if tensor.device.type == device else torch.zeros_like(tensor, device=device)
        for name, tensor in tensors
    }
    inputs = [
        item.example(batch, {**item.sizes, **sizes}, device)
        for item in backbone.inputs
        if not item.optional
    ]
    first, *others = inputs
    names = [item.name for item in backbone.inputs if not item.optional][1:]
    functional_call(module, swapped, (first,), dict(zip(names, others, strict=True)))
