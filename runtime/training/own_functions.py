"""Loss and metrics that are functions given in Python; settings record their names.

Where that name is read again, by a training with the settings of a search or by `resume`, what it
names has to be given again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from ...compiler.diagnostics.diagnostic import fail
from ..losses import own_name

if TYPE_CHECKING:  # outputs are predicted and measured without torch, too
    from torch import Tensor

LossFunction: TypeAlias = "Callable[[Tensor, Tensor], Tensor]"
"""Gives the loss of logits (batch, K) for labels: one number, or one for each sample, (batch,)."""


@dataclass(frozen=True)
class OwnFunctions:
    """A loss of one's own, and metrics by the names that settings have of them."""

    loss: LossFunction | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict[str, Any])


NO_FUNCTIONS = OwnFunctions()
OWN = tuple(item.name for item in fields(OwnFunctions))
"""The settings that may be functions in Python."""


def functions_in(options: Mapping[str, Any]) -> tuple[OwnFunctions, dict[str, Any]]:
    """What is given in options to train, and these with the names of it alone, as settings are.

    Raises DiagnosticError for a `loss` that cannot be one.
    """
    named, loss, metrics = dict(options), options.get("loss"), dict[str, Any]()
    is_own = loss is not None and not isinstance(loss, str)
    if is_own:
        _require_loss(loss)
        named["loss"] = own_name(loss)
    if (given := options.get("metrics")) is not None and not isinstance(given, str):
        metrics = _named(given)
        named["metrics"] = ", ".join(metrics)
    return OwnFunctions(cast(LossFunction, loss) if is_own else None, metrics), named


def _require_loss(loss: Any) -> None:
    from torch import nn

    if not callable(loss):
        message = f"`loss` is a {type(loss).__name__}, no name and no function"
        raise fail("E506", message, help="give a name, or a function of logits and labels")
    if isinstance(loss, nn.Module) and any(p.requires_grad for p in loss.parameters()):
        message = "the loss has parameters of its own, which nothing here trains"
        raise fail("E506", message, help="make them buffers, or `requires_grad_(False)`")


def _named(metrics: Sequence[Any] | Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Metrics by name, that of their head before it where they are by heads.

    Of one name, those after the first are numbered.
    """
    if isinstance(metrics, Mapping):
        return {
            f"{head}.{name}": metric
            for head, own in metrics.items()
            for name, metric in _named(own).items()
        }
    named: dict[str, Any] = {}
    for metric in metrics:
        name = metric if isinstance(metric, str) else own_name(metric)
        number = sum(known.partition("#")[0] == name for known in named)
        named[f"{name}#{number + 1}" if number else name] = metric
    return named
