"""Data parallelism: what several processes of one run do together.

Every process holds the whole network and takes its share of each batch. Gradients are averaged,
those of architecture parameters like the weights', and batch norm normalises over the whole batch,
so that the processes compute what one would. `torchrun` starts them; lightning-fabric joins them.
A process that runs alone does nothing here.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch import distributed as dist

from ...compiler.diagnostics.diagnostic import fail


def joined() -> bool:
    """Whether this process runs together with others."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def rank() -> int:
    """The number of this process, from 0."""
    return dist.get_rank() if joined() else 0


def count() -> int:
    """How many processes run together."""
    return dist.get_world_size() if joined() else 1


def join(device: str) -> str:
    """Joins the processes that torchrun started; returns the device of this one.

    On GPUs, each process of a machine takes the one of its own number.
    """
    from torch.distributed import is_torchelastic_launched

    if not is_torchelastic_launched():
        return device
    if dist.is_initialized():
        return f"cuda:{os.environ['LOCAL_RANK']}" if device.startswith("cuda") else device
    from lightning_fabric import Fabric

    accelerator = "cuda" if device.startswith("cuda") else "cpu"
    fabric = Fabric(
        accelerator=accelerator,
        devices=int(os.environ["LOCAL_WORLD_SIZE"]),
        num_nodes=int(os.environ["GROUP_WORLD_SIZE"]),
        strategy="ddp",
    )
    fabric.launch()
    atexit.register(_leave)
    return str(fabric.device)


def _leave() -> None:
    """Ends the group before the threads of this process are torn down."""
    if dist.is_initialized():
        dist.destroy_process_group()


def average(tensors: Iterable[Tensor]) -> None:
    """Replaces tensors by their means over the processes, in one exchange."""
    if not joined():
        return
    held = list(tensors)
    if not held:
        return
    flat = torch.cat([t.reshape(-1) for t in held])
    dist.all_reduce(flat)
    flat /= count()
    parts = torch.split(flat, [t.numel() for t in held])
    for tensor, part in zip(held, parts, strict=True):
        tensor.copy_(part.view_as(tensor))


def total(tensor: Tensor) -> Tensor:
    """The sum of a tensor over the processes."""
    if joined():
        dist.all_reduce(tensor)
    return tensor


def any_asks(asked: bool) -> bool:
    """Whether any process is asked to stop, so that all of them do at the same batch."""
    return asked if not joined() else max(gathered(asked))


def gathered(value: Any) -> list[Any]:
    """What each process has, in their order."""
    if not joined():
        return [value]
    values: list[Any] = [None] * count()
    dist.all_gather_object(values, value)
    return values


def require_equal(what: str, value: str) -> None:
    """Raises DiagnosticError where the processes do not all have the same text."""
    if len(set(gathered(value))) > 1:
        raise fail("E508", f"the processes of this run have come to different {what}")
