"""Where a training is, read from a checkpoint: moments, scales, and the place in an epoch."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, TypeAlias

from torch import Tensor
from torch.amp import GradScaler

from ...compiler.program.program import PARAMETER, Program
from ..runs.saved import LARGEST, Saved, Shapes

Moments: TypeAlias = dict[str, Tensor]
LEAST_SCALE = 2.0**-126


def read_steps(
    saved: Saved,
    shapes: Shapes,
    resting: Collection[str],
    *,
    finite: bool = True,
    is_scaled: bool = False,
) -> dict[str, Any]:
    """The moments in an optimiser's state of a checkpoint, and how many losses it has had.

    Parameters of these shapes move, all of them from the first step on, but for those that are
    `resting`, which need not; only where losses are scaled may that come later.
    """
    draws, moments = saved.at("draws").integer(), saved.at("moments")
    is_begun = bool(shapes and draws) and not (is_scaled and not moments.named())
    wanted = [n for n in shapes if is_begun and (n not in resting or n in moments.named())]
    each = moments.fields(wanted)
    return {"moments": {n: _moments(each[n], shapes[n], finite) for n in wanted}, "draws": draws}


def _moments(saved: Saved, shape: Sequence[int], finite: bool) -> Moments:
    found = saved.fields(("step", "exp_avg", "exp_avg_sq"))
    return {
        "step": found["step"].tensor((), finite=finite, least=0),
        "exp_avg": found["exp_avg"].tensor(shape, finite=finite),
        "exp_avg_sq": found["exp_avg_sq"].tensor(shape, finite=finite, least=0),
    }


def read_scaler(saved: Saved, scaler: GradScaler) -> dict[str, Any]:
    """A state of such a scaler in a checkpoint; raises DiagnosticError where it is none."""
    known = scaler.state_dict()
    found = saved.fields(list(known))
    return {
        name: found[name].integer() if type(value) is int else found[name].number(LEAST_SCALE)
        for name, value in known.items()
    }


def still(program: Program) -> set[str]:
    """The parameters that steps need not move: biases that batch norm subtracts again.

    See `compiler/passes/absorb_bias.py`; they may be joined before.
    """
    moving = {program.output}
    for index, value in reversed(list(enumerate(program.values))):
        if index in moving:
            first, last = 1, 1
            if value.primitive == "normalised":  # of so many stacks: x, their biases, and the rest
                last += len(dict(value.attributes)["sizes"])
            moving.update((*value.arguments[:first], *value.arguments[last:]))
    names = {i: v.name for i, v in enumerate(program.values) if v.primitive == PARAMETER}
    return {name for index, name in names.items() if index not in moving}


def read_epoch(saved: Saved, passes: int = 1, *, finite: bool = True) -> dict[str, Any]:
    """A state of an epoch of so many passes in a checkpoint; raises DiagnosticError otherwise.

    It is that of one network, whose loss is a number.
    """
    position = saved.at("position").integer()
    return {
        "passes": saved.at("passes").integer(),
        "losses": [one.real() for one in saved.at("losses").items(most=passes - 1)],
        "position": position,
        "samples": saved.at("samples").integer(min(1, position), LARGEST if position else 0),
        "total": saved.at("total").real(finite=finite),
    }
