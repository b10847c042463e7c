"""How much memory a Program takes, estimated before any of it is had.

An estimate names what memory is for and the largest parts of it. Some of it is certain: every
parameter is held, with its gradient and the two moments of Adam where it is trained. What a batch
makes is estimated, to a factor of four (`benchmarks/memory.py`). So a run is refused on a machine
that lacks what is certain, or a quarter of the estimate; where the limit is stated, the estimate
itself has to keep it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..diagnostics.diagnostic import fail
from ..program.hoist import hoist
from ..program.program import PARAMETER, Program
from ..system.memory import available_memory, memory_text, parse_memory

NUMBER_BYTES = 4
KEPT = 2.5
"""How many times a step's values are in memory at once: forward, backward, and some in between."""
HELD_TO_COMPUTE = 2
"""How many of the largest value are in memory at once where nothing is learned."""
OPTIMISER_COPIES = 3
"""What training holds of a parameter beside itself: its gradient and two moments."""
AVERAGED_COPIES = 2
"""What averages of weights take beside those: themselves, and the weights where they stand for
them."""
SAFETY = 4
"""How many times as much as is needed an estimate may say."""
TRAINING_USES: Sequence[str] = ("parameters", "optimiser", "activations")
_SHOWN = 3


@dataclass(frozen=True)
class Memory:
    """Bytes by what they are for, those that are certain, and parts by their names."""

    uses: Mapping[str, int]
    certain: int
    parts: tuple[tuple[str, int], ...] = ()

    @property
    def total(self) -> int:
        return sum(self.uses.values())

    @property
    def largest(self) -> list[tuple[str, int]]:
        """The largest parts, the largest first."""
        return sorted(self.parts, key=lambda part: -part[1])[:_SHOWN]

    def __add__(self, other: Memory) -> Memory:
        return Memory(
            {**self.uses, **other.uses}, self.certain + other.certain, self.parts + other.parts
        )

    def as_json(self) -> dict[str, Any]:
        """The bytes of each use and of the largest parts."""
        largest = [{"name": name, "bytes": count} for name, count in self.largest]
        return {**self.uses, "total": self.total, "largest": largest}


def training_memory(program: Program, batch: int, *, averaged: bool = False) -> Memory:
    """What training takes for a batch, of a Program without what depends on features alone.

    Where weights are `averaged`, averages of them are kept. A population is one Program, whose
    parameters are stacks; so is a hypernet, whose mixtures compute every candidate. An axis known
    only at run time counts as 1.
    """
    read = {value.name for value in program.values if value.primitive == PARAMETER}
    names: list[tuple[str, int]] = []
    parameters = optimiser = averages = 0
    for spec in program.parameters:
        held = NUMBER_BYTES * spec.elements
        moved = OPTIMISER_COPIES * held if spec.name in read and spec.kind != "statistic" else 0
        kept = AVERAGED_COPIES * held if averaged and spec.kind != "architecture" else 0
        parameters, optimiser = parameters + held, optimiser + moved
        averages += kept
        names.append((f"`{spec.name}`", held + moved + kept))
    values = [(name, int(KEPT * count)) for name, count in _values(program, batch)]
    activations = sum(count for _, count in values)
    each = (parameters, optimiser, activations)
    uses: dict[str, int] = dict(zip(TRAINING_USES, each, strict=True))
    if averaged:
        uses["averages"] = averages
    return Memory(uses, parameters + optimiser + averages, (*names, *values))


def network_memory(program: Program, batch: int = 0) -> Memory:
    """What a network takes that learns nothing: its parameters, and two values of a batch."""
    names = [(f"`{p.name}`", NUMBER_BYTES * p.elements) for p in program.parameters]
    parameters = sum(count for _, count in names)
    values = _values(program, batch)
    activations = HELD_TO_COMPUTE * max((count for _, count in values), default=0)
    uses = {"parameters": parameters, "activations": activations}
    return Memory(uses, parameters, (*names, *values))


def learned(program: Program) -> Program:
    """What of a Program is computed for every batch; the rest depends on features alone."""
    from ..passes import optimise

    return hoist(optimise(program, "training")).program


def data_memory(sizes: Iterable[tuple[str, int]]) -> Memory:
    """What features in memory take, of so many numbers each, by name."""
    parts = tuple((f"`{name}`", NUMBER_BYTES * count) for name, count in sizes)
    total = sum(count for _, count in parts)
    return Memory({"data": total}, total, parts)


def _values(program: Program, batch: int) -> list[tuple[str, int]]:
    """The bytes of each value that is computed for a batch, by its place."""
    return [
        (
            f"{value.primitive} of {'.'.join(value.scope) or 'the network'}",
            NUMBER_BYTES * batch * value.type.elements(),
        )
        for value in program.values
        if value.type.batched
    ]


def require_memory(memory: Memory, what: str, stated: str = "", there: int | None = None) -> None:
    """Raises DiagnosticError where `what` cannot be had in the memory that is stated.

    Where none is, it is what is `there`, or else what this machine has.
    """
    if stated:
        limit, refused = parse_memory(stated), memory.total > parse_memory(stated)
    else:
        there = available_memory() if there is None else there
        if there is None:
            return
        limit = there
        refused = exceeds(memory, limit)
    if refused:
        has = f"{memory_text(limit)} is allowed" if stated else f"there is {memory_text(limit)}"
        largest = ", ".join(f"{name} {memory_text(count)}" for name, count in memory.largest)
        batch = ", a smaller batch" if memory.uses.get("activations") else ""
        remedy = f"take smaller numbers such as C{batch}"
        more = f"allow more: `--memory {_rounded(memory.total)}`"
        raise fail(
            "E512",
            f"{what} needs about {memory_text(memory.total)} of memory, and {has}",
            help=f"the largest parts are {largest}; {remedy}, or {more}",
        )


def exceeds(memory: Memory, limit: int) -> bool:
    """Whether it is certain that a machine with so many bytes does not do."""
    return memory.certain > limit or memory.total > SAFETY * limit


def _rounded(count: int) -> str:
    gigabytes = -(-count // 10**9)
    return f"{gigabytes}GB"
