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
    place = _first_place(module, inputs)
    return no_finite_loss("" if place is None else f": `{place}` is where that begins")


def no_finite_loss(where: str = "") -> DiagnosticError:
    """The diagnostic for a loss that is not finite, with where that begins."""
    message = f"the loss is no longer a finite number{where}"
    return fail("E508", message, help="lower `max_learning_rate`, or scale the features")


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
