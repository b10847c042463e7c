"""Averages of weights over the steps of a training, which are scored and kept in their place.

They are exponential moving averages without the bias of where they began: Kingma and Ba, "Adam"
(2015), section 7.2, after Polyak and Juditsky (1992). With the decay d, after step t,

    a(t) = a(t - 1) + (1 - d) / (1 - d^t) (w(t) - a(t - 1)),  so that a(1) = w(1)

Running statistics of batch norm are averaged like weights: to first order, they are those of the
averaged weights. A warm restart does not begin anew: what was before counts for as long as it would
without one, some 1 / (1 - d) steps.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor


def newest_share(decay: float, step: int) -> float:
    """What the weights count in their average after so many steps and this one."""
    return (1 - decay) / (1 - decay ** (step + 1))


class Averages:
    """The averages of tensors that are `held` elsewhere, by name."""

    def __init__(self, held: Mapping[str, Tensor]) -> None:
        """They begin as the tensors are."""
        self.held = held
        self.averages = {name: tensor.clone() for name, tensor in held.items()}

    @torch.no_grad()
    def follow(self, shares: Iterable[Tensor | float]) -> None:
        """Takes in the tensors, each of which counts its share."""
        every = zip(self.averages.values(), self.held.values(), shares, strict=False)
        for average, tensor, share in every:
            average.lerp_(tensor, share)

    @contextmanager
    def in_place(self) -> Generator[None]:
        """Within, the tensors are their averages."""
        moving = {name: tensor.clone() for name, tensor in self.held.items()}
        self._put(self.averages)
        try:
            yield
        finally:
            self._put(moving)

    @torch.no_grad()
    def _put(self, tensors: Mapping[str, Tensor]) -> None:
        for name, tensor in tensors.items():
            self.held[name].copy_(tensor)

    def state(self) -> dict[str, Tensor]:
        """Copies of the averages, on the CPU."""
        return {name: average.detach().cpu().clone() for name, average in self.averages.items()}

    @torch.no_grad()
    def restore(self, averages: Mapping[str, Tensor]) -> None:
        """Goes on from averages; where there is none, from the tensor."""
        for name, average in self.averages.items():
            average.copy_(averages.get(name, self.held[name]))
