"""What training may take of a device's memory: whether a network fits, and how many together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch

from ...compiler.measure.memory import require_memory, training_memory
from ...compiler.program.program import Program
from ...compiler.system.memory import available_memory, parse_memory
from ..settings import Settings

MEMORY_SHARE = 0.5
"""The share of free memory that networks may take that train together."""
WORTHWHILE = 300 << 20
"""Bytes above which networks train no faster together on a CPU, whose caches they leave."""
LIKELY = 4 << 30


def require_room(program: Program, batch: int, settings: Settings, device: torch.device) -> None:
    """Raises DiagnosticError where a Program cannot be trained in the memory that there is."""
    memory = training_memory(program, batch, averaged=settings.averaging > 0)
    require_memory(memory, "training", settings.memory, free_memory(device))


def bytes_of(program: Program, settings: Settings) -> int:
    """The memory that a step of a network takes at most, from the sizes of what it computes."""
    return training_memory(program, settings.batch, averaged=settings.averaging > 0).total


def parts_that_fit(
    needs: Iterable[int], device: torch.device, stated: str = ""
) -> Iterator[list[int]]:
    """The places of networks that need so many bytes, in parts that fit in memory together.

    No more needs are asked for than a part takes, and the first of the next. Where memory is
    `stated`, they take no more than that.
    """
    part, left = list[int](), affordable(device, stated)
    for place, need in enumerate(needs):
        if part and need > left:
            yield part
            part, left = [], affordable(device, stated)
        part.append(place)
        left -= need
    if part:
        yield part


def affordable(device: torch.device, stated: str = "") -> float:
    """The bytes that a population on a device may take."""
    share = MEMORY_SHARE * free_memory(device)
    if stated:
        share = min(share, parse_memory(stated))
    return min(share, WORTHWHILE) if device.type == "cpu" else share


def free_memory(device: torch.device) -> int:
    """The bytes that can be had on a device; what is likely, where the system does not say."""
    if device.type == "cuda":
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + kept
    found = available_memory()
    return LIKELY if found is None else found
