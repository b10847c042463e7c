"""What the features of a network take in memory: those that are held, and batches of the others.

What a machine has no room for, or `--memory` does not allow, stays where it is and is read batch by
batch, if its samples can be read without the rest.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, prod
from os import PathLike
from pathlib import Path

from ...compiler.diagnostics.diagnostic import DiagnosticError
from ...compiler.measure.memory import Memory, data_memory, require_memory
from ...compiler.network.network import Network
from ...compiler.system.memory import available_memory, parse_memory
from .files import Source, headers_of, read_headers
from .formats import ArrayHeader
from .reading import AHEAD
from .rows import Rows, in_memory, single_bytes

HELD_SHARE = 2 / 3
"""The share of memory that features may take, with what is computed from them."""
BATCHES = AHEAD + 2
"""How many batches are in memory at once of what is read for each: some ahead, and that in use."""


@dataclass(frozen=True)
class Held:
    """What data will take in memory, and how many samples there are at most."""

    memory: Memory
    samples: int


@dataclass(frozen=True, slots=True)
class Extent:
    """The shape of an array, and whether its samples can be read without the rest."""

    shape: tuple[int, ...]
    is_apart: bool

    @property
    def bytes(self) -> int:
        return single_bytes(self.shape)


def held(source: Source, network: Network, batch: int, stated: str = "") -> Held:
    """What the features of a network take in float32, which is how they are held or read.

    Headers that cannot be read count as nothing: reading the arrays says what is wrong.
    """
    extents = _extents(source)
    read = {f.name: extents[f.name] for f in network.features if f.name in extents}
    read = {name: extent for name, extent in read.items() if extent.shape}
    samples = max((extent.shape[0] for extent in read.values()), default=0)
    apart = left_apart(read, room(stated))
    memory = data_memory((n, prod(extent.shape)) for n, extent in read.items() if n not in apart)
    if apart:
        one = sum(single_bytes(read[name].shape[1:]) for name in apart)
        memory += Memory({"batches": BATCHES * min(batch, samples) * one}, 0)
    return Held(memory, samples)


def require_held(source: Source, network: Network, stated: str = "") -> None:
    """Raises DiagnosticError where the features that are held need more memory than there is."""
    require_memory(held(source, network, 0, stated).memory, "the data", stated)


def room(stated: str = "") -> float:
    """Bytes that features may take, of the memory that is stated or that this process can have."""
    there = parse_memory(stated) if stated else available_memory()
    if there is None:
        return inf
    return HELD_SHARE * there / int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def left_apart(extents: Mapping[str, Extent], room: float) -> frozenset[str]:
    """The arrays that stay where they are: the largest, until there is room for the others."""
    taken = sum(extent.bytes for extent in extents.values())
    apart: set[str] = set()
    for name, extent in sorted(extents.items(), key=lambda item: -item[1].bytes):
        if taken <= room:
            break
        if extent.is_apart:
            apart.add(name)
            taken -= extent.bytes
    return frozenset(apart)


def _extents(source: Source) -> Mapping[str, Extent]:
    headers: Mapping[str, ArrayHeader]
    try:
        if isinstance(source, (str, PathLike)):
            headers = read_headers(Path(source))
        else:
            headers = headers_of(source)
    except DiagnosticError:
        return {}
    return {name: Extent(header.shape, header.is_apart) for name, header in headers.items()}


def extent_of(rows: Rows) -> Extent:
    """That of an array that is there."""
    return Extent(rows.shape, not in_memory(rows))
