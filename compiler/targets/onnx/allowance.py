"""What a model may take to run, from the Program of the specification that it carries.

NOTE: models take up to 10 times the numbers and products that are counted here for their Programs,
and hold no larger value than is allowed here without `MARGIN`: an axis that is known only at run
time is resampled by tables of its places, which a Program does not have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod

from ....ops.types import CHANNELS, LENGTH, TensorType
from ...measure.sizes import count_macs
from ...program.program import Program
from .bounds import Allowance, Shape

MARGIN = 8
"""How many times as much a model may take as its Program."""
_TIMES = 10
"""How many times the numbers that its Program counts a model has that was written here."""
MARGIN_OF_ALL = 24
"""How many times the numbers in all values of its Program those of a model may have."""
_NODES_OF_A_VALUE = 64
_SMALL = 1 << 16
"""Numbers, products and nodes that are allowed in any case, of which nobody takes notice."""


def allowance(program: Program, shapes: Mapping[str, Shape]) -> Allowance:
    """What a model of a program may take, given features of these shapes, (batch, axes…)."""
    batch = max((shape[0] for shape in shapes.values()), default=1)
    values = [v.type.elements() * (batch if v.type.batched else 1) for v in program.values]
    given = [prod(shape) for shape in shapes.values()]
    tables = list(_tables(program, shapes))
    length = _length(program)
    largest = max(*values, *given, *tables)
    held = sum(values) + sum(tables) + sum(given)
    work = held + length * sum(given) + batch * count_macs(program)
    nodes = _NODES_OF_A_VALUE * len(program.values)
    return Allowance(
        MARGIN * largest + _SMALL,
        MARGIN_OF_ALL * held + _SMALL,
        MARGIN * _TIMES * work + _SMALL,
        nodes + 1000,
    )


def _tables(program: Program, shapes: Mapping[str, Shape]) -> Iterator[int]:
    """Numbers in what brings each feature to its places: a share of each of its own in each."""
    length = _length(program)
    for item in program.inputs:
        if item.name in shapes and item.kind == "feature":
            yield length * prod(shapes[item.name]) // _channels(item.type)


def _channels(type: TensorType) -> int:
    return next((a.size or 1 for a in type.axes if a.name in ("c", CHANNELS)), 1)


def _length(program: Program) -> int:
    """The most places that a value has."""
    axes = (axis for value in program.values for axis in value.type.axes)
    return max((axis.size or 1 for axis in axes if axis.name == LENGTH), default=1)
