"""What the features of a network take in memory, as the headers of their files say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from os import PathLike
from pathlib import Path

from ...compiler.diagnostics.diagnostic import DiagnosticError
from ...compiler.measure.memory import Memory, data_memory
from ...compiler.network.network import Network
from .files import Source, read_headers


@dataclass(frozen=True)
class Held:
    """What data will take in memory, and how many samples there are at most."""

    memory: Memory
    samples: int


def held(source: Source, network: Network) -> Held:
    """What the features of a network take in float32, which is how they are held.

    Headers that cannot be read count as nothing: reading the arrays says what is wrong.
    """
    shapes = _shapes(source)
    names = [feature.name for feature in network.features if shapes.get(feature.name)]
    memory = data_memory((name, prod(shapes[name])) for name in names)
    return Held(memory, max((shapes[name][0] for name in names), default=0))


def _shapes(source: Source) -> Mapping[str, tuple[int, ...]]:
    if isinstance(source, (str, PathLike)):
        try:
            return {name: header.shape for name, header in read_headers(Path(source)).items()}
        except DiagnosticError:
            return {}
    return {name: getattr(array, "shape", ()) for name, array in source.items()}
