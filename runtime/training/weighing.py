"""Losses other than the usual ones of a head, and weights of its classes.

With targets q, probabilities p, weights w of classes and the focus g of the focal loss (Lin and
others, "Focal Loss for Dense Object Detection", 2017; 0 for cross-entropy):

    classes  - sum_k  w_k q_k (1 - p_k)^g log p_k
    labels   - mean_k w_k q_k (1 - p_k)^g log p_k + (1 - q_k) p_k^g log(1 - p_k)
    values     mean_k |d_k|, or d_k^2 / 2 up to 1 and |d_k| - 1/2 above (Huber, 1964)

where d is the difference in standard deviations of the training samples. Weights of classes are
scaled so that a training sample has the weight 1 on average.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.network.network import EVIDENTIAL, Head
from ..losses import ABSOLUTE, FOCAL, HUBER, given_weights, require_loss
from ..settings import Settings

LEAST = 1e-6
"""The least of what is raised to the focus, whose gradient at 0 may be none."""


@dataclass(frozen=True)
class Weighing:
    """How the loss of a head differs from the usual one.

    `weights` (K,) are those of classes, or of labels where these are true.
    """

    head: Head
    loss: str = ""
    focus: float = 0.0
    weights: Tensor | None = None

    @classmethod
    def of(cls, head: Head, labels: Tensor, settings: Settings) -> Weighing | None:
        """What settings say of the loss, with labels to train on; None where that is the usual one.

        Raises DiagnosticError where it does not fit the head.
        """
        require_loss(settings.loss, head)
        weights = weights_of(head, labels, settings.class_weights)
        focus = settings.focus if settings.loss == FOCAL else 0.0
        if weights is None and not focus and settings.loss not in (ABSOLUTE, HUBER):
            return None
        return cls(head, settings.loss, focus, weights)

    def mean(self, logits: Tensor, labels: Tensor, smoothing: float | Tensor) -> Tensor:
        """The mean loss of logits (batch, K), or of each network's (networks, batch, K).

        Labels may be soft, and with `smoothing` are spread: see `loss_of`. Values are in standard
        deviations.
        """
        if self.head.kind == "values":
            return self._distances(logits - labels).mean((-2, -1))
        if self.head.kind == "classes":
            logs, against = functional.log_softmax(logits, -1), None
        else:
            logs, against = functional.logsigmoid(logits), functional.logsigmoid(-logits)
        targets = self._targets(logs, labels)
        if isinstance(smoothing, Tensor):
            smoothing = smoothing.to(logs)[:, None, None]
        even = 1 / self.head.count if self.head.kind == "classes" else 0.5
        return self._of_logs(logs, against, targets + smoothing * (even - targets)).mean(-1)

    def of_shares(self, shares: Tensor, labels: Tensor) -> Tensor:
        """The loss of each sample, (samples,), of probabilities, or of differences of values."""
        if self.head.kind == "values":
            return self._distances(shares).mean(-1)
        logs = shares.log()
        against = None if self.head.kind == "classes" else (1 - shares).log()
        return self._of_logs(logs, against, self._targets(logs, labels))

    def _targets(self, logs: Tensor, labels: Tensor) -> Tensor:
        if self.head.kind == "classes" and not labels.is_floating_point():
            return functional.one_hot(labels, self.head.count).to(logs)
        return labels.to(logs)

    def _of_logs(self, logs: Tensor, against: Tensor | None, targets: Tensor) -> Tensor:
        """The loss of each sample, of logarithms of probabilities (…, K) and of what they lack."""
        true = targets * self._focused(logs)
        if self.weights is not None:
            true = true * self.weights.to(true)
        if against is None:
            return -true.sum(-1)
        return -(true + (1 - targets) * self._focused(against)).mean(-1)

    def _focused(self, logs: Tensor) -> Tensor:
        if not self.focus:
            return logs
        return logs * (1 - logs.exp()).clamp(min=LEAST) ** self.focus

    def _distances(self, differences: Tensor) -> Tensor:
        if self.loss == ABSOLUTE:
            return differences.abs()
        return functional.smooth_l1_loss(
            differences, torch.zeros_like(differences), reduction="none"
        )


def weights_of(head: Head, labels: Tensor, text: str) -> Tensor | None:
    """Weights (K,): those that are given, or such that each class counts as much as another.

    None where the text is empty. Raises DiagnosticError where it does not fit the head.
    """
    if not text:
        return None
    given, counts = given_weights(text, head), _counts(head, labels)
    whole = float(len(labels))
    if head.kind == "labels":
        if given is not None:
            return torch.tensor(given)
        both = (counts > 0) & (counts < whole)
        return torch.where(both, (whole - counts) / counts.clamp(min=1), 1.0).float()
    occurs = counts > 0
    weights = 1 / counts.clamp(min=1) if given is None else torch.tensor(given).double()
    mean = (weights * counts).sum() / whole
    return torch.where(occurs, weights / mean, 1.0).float()


def _counts(head: Head, labels: Tensor) -> Tensor:
    """How many of the labels are of each class, or true, (K,); of soft ones their shares."""
    exact = labels.detach().cpu()
    if exact.is_floating_point():
        return exact.double().sum(0)
    return torch.bincount(exact, minlength=head.count).double()


def of_part(settings: Settings, head: Head) -> Settings:
    """The settings of one of several heads, whose loss is the one that it names, without metrics.

    Raises DiagnosticError where settings name one, or weights of classes, for all of them.
    """
    for name in ("loss", "class_weights"):
        if getattr(settings, name):
            message = f"the setting `{name}` is for one head, and there are several"
            remedy = (
                f"write it at the head: `{head.name}(loss = focal)`" if name == "loss" else None
            )
            raise fail("E506", message, help=remedy or "leave it out")
    loss = "" if head.loss in (None, EVIDENTIAL) else head.loss
    return settings.with_options(loss=loss, metrics="")
