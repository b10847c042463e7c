"""Holes of a network: slots with their candidates, and how a hypernet relaxes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from ..diagnostics.source import Span


@dataclass(frozen=True, slots=True)
class Slot:
    """An input of a Cell or Step: one name where it is fixed, the candidates where it is open."""

    candidates: tuple[str, ...]
    open: bool
    span: Span | None = field(default=None, compare=False, repr=False)


def union(slots: Sequence[Slot]) -> tuple[str, ...]:
    """The candidates of the open slots among these, each once: the rows of α or β."""
    return tuple(dict.fromkeys(c for slot in slots if slot.open for c in slot.candidates))


Relaxation = Literal["shared", "per_input"]


RELAXATIONS: tuple[Relaxation, ...] = get_args(Relaxation)
