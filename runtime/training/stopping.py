"""Early stopping: epochs end where the loss of samples that are held out gets no better.

Prechelt, "Early Stopping – But When?" (1998): the criterion `UP`, over epochs in a row. The weights
of the best epoch are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf, isfinite
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from ..data.batches import Batches
from ..data.dataset import Dataset
from ..data.split import VALIDATION
from ..metrics import BEST_EPOCH, VALIDATION_LOSS, on_validation
from ..runs.saved import Saved
from ..settings import Settings
from .fitting import scored, training_batches
from .objective import Objective
from .optimisers import WeightOptimiser


@dataclass
class Stopping:
    """When a training stops, by samples that it does not learn, and the weights of its best epoch.

    `outputs` gives logits for them, (samples, K), and `labels` are theirs, which are hard where
    others are learned. `held` is what moves, by name; the averages that its `optimiser` has are
    what is scored and kept.
    """

    patience: int
    outputs: Callable[[], Tensor]
    labels: Tensor
    objective: Objective
    optimiser: WeightOptimiser
    held: Mapping[str, Tensor]
    _best: dict[str, Tensor] = field(default_factory=dict[str, Tensor])

    def scored(self, history: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """What an epoch adds to its record, which comes after those of the history.

        The metrics of what is held out, and the best epoch so far, whose weights are kept.
        """
        with self.optimiser.averages.in_place():
            found = scored(self.outputs(), self.labels, self.objective)
            told = {on_validation(name): value for name, value in found.items()}
            best = _best_loss(history)
            if best is None or _loss(told) < best:
                self._best = {name: t.detach().cpu().clone() for name, t in self.held.items()}
                return {**told, BEST_EPOCH: len(history) + 1}
        return {**told, BEST_EPOCH: history[-1][BEST_EPOCH]}

    def is_over(self, history: Sequence[Mapping[str, Any]]) -> bool:
        """Whether none of the last epochs, as many as the patience, was better."""
        return bool(history) and len(history) - history[-1][BEST_EPOCH] >= self.patience

    @torch.no_grad()
    def put(self) -> None:
        """Puts the weights of the best epoch where they are held."""
        for name, tensor in self._best.items():
            self.held[name].copy_(tensor)

    def state(self) -> dict[str, Tensor]:
        """The weights of the best epoch; nothing before the first has ended."""
        return dict(self._best)

    def read(self, saved: Saved, history: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
        """What `restore` goes on from; raises DiagnosticError where it is none of this training."""
        for number, record in enumerate(history, 1):
            best = record.get(BEST_EPOCH)
            if not isinstance(best, int) or not 1 <= best <= number:
                raise saved.wrong(f"beside records that each say their `{BEST_EPOCH}`")
        each = saved.fields(list(self.held) if history else [])
        return {
            name: one.tensor(self.held[name].shape, self.held[name].dtype)
            for name, one in each.items()
        }

    def restore(self, best: dict[str, Tensor]) -> None:
        """Goes on from what was read."""
        self._best = best


def held_out(
    data: Dataset, truth: NDArray[Any] | None, settings: Settings, device: torch.device
) -> tuple[Batches, Tensor]:
    """The validation samples of data, which lack no more than they do, with their labels."""
    batches = training_batches(replace(data, absence=None), (VALIDATION,), settings, device)
    labels = data.labels if truth is None else truth
    return batches, torch.from_numpy(labels[data.indices(VALIDATION)])


def _best_loss(history: Sequence[Mapping[str, Any]]) -> float | None:
    """The loss of the best epoch; None before there is one."""
    return _loss(history[history[-1][BEST_EPOCH] - 1]) if history else None


def _loss(record: Mapping[str, Any]) -> float:
    """A loss that is no number is the worst."""
    loss = record.get(VALIDATION_LOSS)
    return loss if isinstance(loss, float) and isfinite(loss) else inf
