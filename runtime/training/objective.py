"""What is learned: the loss that follows from the head and the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.network.names import target_names
from ...compiler.network.network import EVIDENTIAL, Head
from ...compiler.targets.numpy.network import probabilities_of
from ..data.several import labels_by_head, outputs_by_head
from ..losses import OWN
from ..metrics import LABEL_THRESHOLD, is_thresholded
from ..settings import Settings
from .evidential import evidential
from .own_functions import NO_FUNCTIONS, OwnFunctions
from .own_loss import OwnLoss
from .own_metrics import metrics_in
from .scores import score_of
from .weighing import Weighing, of_part

Smoothing: TypeAlias = float | Tensor
"""The share of labels that is spread evenly, or that of each network, (networks,)."""
LEAST_SHARE = 1e-15
"""The probability below which one costs no more."""


@dataclass(frozen=True)
class Objective:
    """What a network is trained for: its head's loss, of values in their standard deviations.

    `scale` and `shift`, (K,), are those of the values to be predicted, over training samples. The
    metrics of `others` are measured beside those of the head.
    """

    head: Head
    scale: Tensor | None = None
    shift: Tensor | None = None
    weighing: Weighing | None = None
    own: OwnLoss | None = None
    others: tuple[tuple[str, Any], ...] = ()
    parts: tuple[Objective, ...] = ()

    @classmethod
    def of(
        cls,
        head: Head,
        labels: Tensor,
        settings: Settings,
        functions: OwnFunctions = NO_FUNCTIONS,
    ) -> Objective:
        """The objective with labels to train on, those of all training samples.

        What the settings have by name alone is among the `functions`.

        Raises DiagnosticError where a value is the same in all of them, or the settings of the loss
        do not fit the head.
        """
        if head.parts:
            others = metrics_in(settings.metrics, head, functions)
            every = labels_by_head(head, labels)
            parts = (cls.of(part, own, of_part(settings, part), functions) for part, own in every)
            return cls(head, others=others, parts=tuple(parts))
        if settings.loss.startswith(OWN):
            own, weighing = OwnLoss.of(head, settings.loss, functions, labels.device), None
        else:
            own, weighing = None, Weighing.of(head, labels, settings)
        others = metrics_in(settings.metrics, head, functions)
        if head.kind != "values":
            return cls(head, weighing=weighing, own=own, others=others)
        exact = labels.detach().cpu().double()
        for place, column in enumerate(exact.T):
            if bool((column == column[0]).all()):
                what = f"the value `{head.names[place]}`" if head.names else f"value {place + 1}"
                message = f"{what} is {float(column[0]):g} in every training sample"
                raise fail("E503", message, help="leave it out: there is nothing to learn")
        scale, shift = exact.std(0, correction=0).float(), exact.mean(0).float()
        return cls(head, scale.to(labels.device), shift.to(labels.device), weighing, own, others)

    @property
    def statistics(self) -> Mapping[str, Tensor]:
        """What a network's head has of the labels, by the names of its weights."""
        if self.parts:
            return {k: v for part in self.parts for k, v in part.statistics.items()}
        if self.scale is None or self.shift is None:
            return {}
        scale, shift = target_names(self.head.name)
        return {scale: self.scale, shift: self.shift}

    def loss(self, logits: Tensor, labels: Tensor, smoothing: Smoothing = 0.0) -> Tensor:
        """The mean loss of logits (batch, K), or (networks, batch, K); see `loss_of`.

        That of several heads is the sum of theirs, each with its weight.
        """
        if self.parts:
            every = zip(self.parts, outputs_by_head(self.head, logits), strict=True)
            own = labels_by_head(self.head, labels)
            losses = [
                part.head.weight * part.loss(given, truth, smoothing)
                for (part, given), (_, truth) in zip(every, own, strict=True)
            ]
            return torch.stack(losses).sum(0)
        if self.own is not None:
            return self.own.mean(logits, labels)
        if self.scale is not None:
            scale = self.scale.to(logits)
            logits, labels = logits / scale, labels / scale
        if self.weighing is not None:
            return self.weighing.mean(logits, labels, smoothing)
        return loss_of(self.head, logits, labels, smoothing)

    def loss_of_shares(self, shares: NDArray[np.float64], labels: NDArray[Any]) -> float:
        """The loss of what `shares_of` gives, or of means of that."""
        if self.own is not None:
            return self.own.of_shares(shares, labels)
        return float(self._losses_of_shares(shares, labels).mean())

    def cost_of_shares(self, shares: NDArray[np.float64], labels: NDArray[Any]) -> float:
        """What a choice keeps low: the loss, or the negative score where a threshold decides."""
        if is_thresholded(self.head):
            return -score_of(self.head, shares, labels)
        return self.loss_of_shares(shares, labels)

    def _losses_of_shares(
        self, shares: NDArray[np.float64], labels: NDArray[Any]
    ) -> NDArray[np.float64]:
        """The loss of each sample, (samples,).

        A share of 0 costs as much as one of `LEAST_SHARE`.
        """
        losses: NDArray[np.float64]
        if self.parts:
            every = zip(self.parts, outputs_by_head(self.head, shares), strict=True)
            own = labels_by_head(self.head, labels)
            losses = np.sum(
                [
                    part.head.weight * part._losses_of_shares(given, truth)
                    for (part, given), (_, truth) in zip(every, own, strict=True)
                ],
                0,
            )
            return losses
        if self.weighing is not None:
            return self._weighed(self.weighing, shares, labels)
        match self.head.kind:
            case "classes":
                of_truth = shares[np.arange(len(labels)), labels][:, None]
            case "labels":
                of_truth = np.where(labels > LABEL_THRESHOLD, shares, 1 - shares)
            case "values":
                losses = np.square((shares - labels) / self._deviations).mean(1)
                return losses
            case "several":
                raise AssertionError("several heads have losses of their own")
        losses = -np.log(np.clip(of_truth, LEAST_SHARE, None)).mean(1)
        return losses

    @property
    def _deviations(self) -> Any:
        return 1.0 if self.scale is None else self.scale.cpu().double().numpy()

    def _weighed(
        self, weighing: Weighing, shares: NDArray[np.float64], labels: NDArray[Any]
    ) -> NDArray[np.float64]:
        if self.head.kind == "values":
            given = (shares - labels) / self._deviations
        else:
            given = np.clip(shares, LEAST_SHARE, 1 - LEAST_SHARE)
        losses = weighing.of_shares(torch.from_numpy(given), torch.from_numpy(labels))
        return np.asarray(losses.numpy(), np.float64)


def shares_of(head: Head, logits: Tensor) -> NDArray[np.float64]:
    """What is averaged of several networks, (samples, K): probabilities, or values."""
    exact = logits.double().numpy()
    return probabilities_of(exact, head)


def loss_of(head: Head, logits: Tensor, labels: Tensor, smoothing: Smoothing = 0.0) -> Tensor:
    """The mean loss of logits (batch, K): cross-entropy, binary cross-entropy, squared error.

    Of logits (networks, batch, K) it is the loss of each network. Labels may be soft: probabilities
    (batch, K), of classes too. With `smoothing` a class, or a label, has that share of what it is
    spread over all of them evenly; values have none, and evidence has none.
    """
    if head.loss == EVIDENTIAL:
        return evidential(logits, labels)
    if logits.dim() == 3:
        losses = _losses(head, logits, labels)
    else:
        match head.kind:
            case "classes":
                losses = functional.cross_entropy(logits, labels)
            case "labels":
                losses = functional.binary_cross_entropy_with_logits(logits, labels)
            case "values":
                losses = functional.mse_loss(logits, labels)
            case "several":
                raise AssertionError("several heads are asked one by one")
    if head.kind == "values" or (isinstance(smoothing, float) and not smoothing):
        return losses
    if isinstance(smoothing, Tensor):
        smoothing = smoothing.to(losses)
    return losses + smoothing * (_even(head, logits) - losses)


def _even(head: Head, logits: Tensor) -> Tensor:
    """The mean loss where every class, or both states of every label, are equally true."""
    if head.kind == "classes":
        return -functional.log_softmax(logits, -1).mean((-2, -1))
    both = functional.logsigmoid(logits) + functional.logsigmoid(-logits)
    return -both.mean((-2, -1)) / 2


def _losses(head: Head, logits: Tensor, labels: Tensor) -> Tensor:
    count = len(logits)
    if head.kind == "classes":
        flat, repeated = logits.flatten(0, 1), labels.expand(logits.shape[:2]).reshape(-1)
        losses = functional.cross_entropy(flat, repeated, reduction="none")
        return losses.view(count, -1).mean(1)
    each = (
        functional.binary_cross_entropy_with_logits
        if head.kind == "labels"
        else functional.mse_loss
    )
    return each(logits, labels.expand_as(logits), reduction="none").flatten(1).mean(1)
