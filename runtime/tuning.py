"""Settings that are searched with the architecture: what a candidate may have of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import prod
from typing import TypeAlias

from ..compiler.diagnostics.diagnostic import did_you_mean, fail, one_of
from ..compiler.diagnostics.text import shortened
from ..compiler.system.numbers import number_of

Own: TypeAlias = tuple[tuple[str, int | float], ...]
"""Settings of one candidate by name."""
MOST_COMBINATIONS = 1_000
FORM = "write `weight_decay = 1e-4 | 1e-2, max_learning_rate = 1e-3`, say"


def ranges(text: str, tuned: Sequence[str]) -> Mapping[str, tuple[int | float, ...]]:
    """The values that each of some settings may have: `NAME = VALUE | VALUE, NAME = …`.

    `tuned` are the names of those that can be searched with the architecture. Raises
    DiagnosticError where the text is none of these.
    """
    found: dict[str, tuple[int | float, ...]] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, given, values = (piece.strip() for piece in part.partition("="))
        if not given:
            raise fail("E506", f"`{part}` in `tune` has no value", help=FORM)
        if name not in tuned:
            remedy = did_you_mean(name, tuned) or f"those that can are {one_of(tuned, 20)}"
            raise fail("E506", f"`{name}` cannot be searched with the architecture", help=remedy)
        if name in found:
            raise fail("E506", f"`tune` names `{name}` twice", help="keep one of them")
        found[name] = tuple(_number(value.strip()) for value in values.split("|"))
        if len(set(found[name])) < len(found[name]):
            raise fail("E506", f"`tune` gives `{name}` a value twice", help="keep one of them")
    combinations = prod(map(len, found.values()))
    if combinations > MOST_COMBINATIONS:
        message = f"`tune` has {combinations:,} combinations, more than {MOST_COMBINATIONS:,}"
        raise fail("E506", message, help="write fewer values")
    return found


def _number(text: str) -> int | float:
    try:
        return number_of(text)
    except ValueError:
        raise fail("E506", f"`{shortened(text)}` in `tune` is no number", help=FORM) from None


def listed(own: Own) -> list[list[str | int | float]]:
    """Settings of a candidate as lists, for a file."""
    return [[*pair] for pair in own]


def every_own(known: Mapping[str, Sequence[int | float]]) -> Iterator[Own]:
    """Every way to take one value for each setting."""
    for values in product(*known.values()):
        yield tuple(zip(known, values, strict=True))
