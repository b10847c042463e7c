"""Arguments of primitives and parameters as equations write them: initial values, axes by name."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

from ...ops.types import TensorType
from ..diagnostics.diagnostic import did_you_mean, fail
from ..language import expression as x

_INITIALS = {"ones": 1.0, "zeros": 0.0}


def initial_of(e: x.Parameter, sizes: tuple[int, ...]) -> tuple[Any, float]:
    """Two axes start uniform in ±1/√fan-in, one axis at zero, unless it says otherwise."""
    initial = e.initial
    if initial is None:
        initial = "uniform" if len(e.sizes) > 1 else "zeros"
    if isinstance(initial, (int, float)):
        return float(initial), 0.0
    if initial == "uniform":
        return "uniform", 1 / sqrt(sizes[0])
    if initial in _INITIALS:
        return _INITIALS[initial], 0.0
    remedy = did_you_mean(initial, ["uniform", *_INITIALS]) or "use `ones`, `zeros` or `uniform`"
    raise fail("E303", f"unknown initial value `{initial}`", e.span, help=remedy)


def axis_names(e: x.Expression) -> tuple[str, ...]:
    items = e.items if isinstance(e, x.Group) else (e,)
    names = tuple(i.name for i in items if isinstance(i, x.Name))
    if len(names) < len(items):
        raise fail("E303", "`over` names axes, as `(length, channels)`", e.span)
    return names


def positions(type: TensorType, names: Sequence[str]) -> tuple[int, ...]:
    """The positions of named axes, counted from the last."""
    for name in names:
        type.size(name)
    return tuple(sorted(type.names.index(n) - len(type.axes) for n in dict.fromkeys(names)))
