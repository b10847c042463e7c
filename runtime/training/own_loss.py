"""A loss of one's own: a function or module of logits and labels, given in Python.

A run records its name alone, as `own:MODULE.NAME`: see `own_functions.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...compiler.diagnostics.diagnostic import DiagnosticError, fail
from ...compiler.diagnostics.text import shortened
from ...compiler.network.network import Head
from ...compiler.targets.numpy.network import logits_of
from .own_functions import LossFunction, OwnFunctions


@dataclass(frozen=True)
class OwnLoss:
    """The loss of a head by a function.

    Labels are as the head learns them: classes (batch,) by number, labels and values (batch, K), of
    which values are in their own units.
    """

    head: Head
    name: str
    function: LossFunction

    @classmethod
    def of(cls, head: Head, name: str, given: OwnFunctions, device: torch.device) -> OwnLoss:
        """That of a name in settings; raises DiagnosticError where it is not given."""
        function = given.loss
        if function is None:
            message = f"the loss `{shortened(name)}` is a function, which is not given here"
            raise fail("E506", message, help="in Python, give it again as `loss=`; or set another")
        return cls(head, name, function.to(device) if isinstance(function, nn.Module) else function)

    def mean(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss of logits (batch, K), or of each network's (networks, batch, K)."""
        if logits.dim() == 2:
            return self._mean(logits, labels)
        is_index = self.head.kind == "classes" and not labels.is_floating_point()
        each = labels.expand(logits.shape[:2] if is_index else logits.shape)
        return torch.stack([self._mean(*pair) for pair in zip(logits, each, strict=True)])

    @torch.no_grad()
    def of_shares(self, shares: NDArray[Any], labels: NDArray[Any]) -> float:
        """The loss of probabilities, or of values, (samples, K)."""
        logits = torch.from_numpy(logits_of(shares, self.head)).float()
        return float(self._mean(logits, torch.from_numpy(labels)))

    def _mean(self, logits: Tensor, labels: Tensor) -> Tensor:
        loss: Any = self.function(logits, labels)
        if not isinstance(loss, Tensor) or loss.shape not in ((), logits.shape[:1]):
            raise self._wrong(loss)
        if logits.requires_grad and not loss.requires_grad:
            message = f"the loss `{shortened(self.name)}` does not depend on the logits"
            raise fail("E506", message, help="compute it with torch, without `detach` or `no_grad`")
        return loss.mean()

    def _wrong(self, loss: Any) -> DiagnosticError:
        what = f"a tensor {tuple(loss.shape)}" if isinstance(loss, Tensor) else type(loss).__name__
        message = f"the loss `{shortened(self.name)}` gives {what}"
        return fail("E506", message, help="let it give one number, or one for each sample")
