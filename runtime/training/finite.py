"""Where a network stops giving finite numbers."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ...compiler.diagnostics.diagnostic import DiagnosticError, fail
from ...compiler.program.program import INPUT, PARAMETER, Value
from ...compiler.targets.torch.module import FusionModule


def not_finite(module: FusionModule, inputs: Mapping[str, Tensor] | None = None) -> DiagnosticError:
    """The diagnostic for a loss that is not finite; names where that begins, if it can be seen.

    `inputs` are those of the batch; without them, parameters alone are looked at.
    """
    return no_finite_loss(not_finite_at(_first_place(module, inputs)))


def not_finite_at(place: str | None) -> str:
    """What is said of a loss that is not finite, with the place, if it is known."""
    message = "the loss is no longer a finite number"
    return message if place is None else f"{message}: `{place}` is where that begins"


def no_finite_loss(message: str) -> DiagnosticError:
    """The diagnostic of what `not_finite_at` says."""
    return fail("E508", message, help="lower `max_learning_rate`, or scale the features")


def first_not_finite(tensors: Mapping[str, Tensor]) -> str | None:
    """The name of the first tensor that is not finite throughout."""
    return next((n for n, t in tensors.items() if not bool(torch.isfinite(t).all())), None)


@torch.no_grad()
def _first_place(module: FusionModule, inputs: Mapping[str, Tensor] | None) -> str | None:
    """The name of the first parameter, or the scope of the first value, that is not finite."""
    state, values = module.state_dict(), list[Tensor | None]()
    for value in module.program.values:
        found = _value(value, state, inputs or {}, values, module.training)
        if found is not None and not bool(torch.isfinite(found).all()):
            return value.name if value.record is None else "/".join(value.scope) or value.primitive
        values.append(found)
    return None


def _value(
    value: Value,
    state: Mapping[str, Tensor],
    inputs: Mapping[str, Tensor],
    values: list[Tensor | None],
    training: bool,
) -> Tensor | None:
    """The value, None where an input is not given that it depends on."""
    if value.primitive == PARAMETER:
        return state[value.name]
    if value.primitive == INPUT:
        return inputs.get(value.name)
    record, attributes = value.record, dict(value.attributes)
    arguments = [values[a] for a in value.arguments]
    if record is None or any(a is None for a in arguments):
        return None
    if record.modal:
        attributes["training"] = training
    return torch.as_tensor(record.torch(torch, *arguments, **attributes))
