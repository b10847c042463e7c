"""Passes over batches that can be left after any batch and gone on with later."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import torch
from torch import Tensor

from ..data.batches import Batch, Batches
from ..parallel.interrupt import Interrupt
from ..parallel.processes import average
from .finite import not_finite
from .keys import seed_of
from .optimisers import Optimiser

LACKING = 1
"""Keeps draws of what samples lack apart from those of their order."""
Step = Callable[..., Tensor]
"""Takes a step for batches, one of each source, and returns the loss before it."""


@dataclass(frozen=True)
class Pass:
    """Steps of an optimiser over the batches of a source, beside as many of other sources."""

    optimiser: Optimiser
    step: Step
    sources: Sequence[Batches]


class Epoch:
    """Passes, one after the other; where they are is part of `state`."""

    def __init__(self, seeds: Sequence[int], interrupt: Interrupt) -> None:
        """The order of samples depends on the seed and on how many passes there were before.

        With several seeds, each network has its own order.
        """
        self._seeds, self._interrupt = seeds, interrupt
        self._passes, self._losses = 0, list[Tensor]()
        self._begin()

    def _begin(self) -> None:
        self._position, self._samples = 0, 0
        self._total = torch.zeros(())

    @property
    def begun(self) -> bool:
        """Whether it was left in its middle."""
        return bool(self._position or self._losses)

    def run(self, passes: Sequence[Pass]) -> list[Tensor]:
        """The mean loss of each pass over its samples: a number, or one for each network.

        Raises DiagnosticError where that of a single network is not finite, and Interrupted with
        everything kept for the next call.
        """
        for one in passes[len(self._losses) :]:
            self._losses.append(self._run(one))
            self._passes += 1
            self._begin()
        losses, self._losses = self._losses, []
        return losses

    def _run(self, one: Pass) -> Tensor:
        """Nothing is read from the device before the end of the pass."""
        drawn = [self._drawn(source, place) for place, source in enumerate(one.sources)]
        (first, (order, lacking)), *others = zip(one.sources, drawn, strict=True)
        self._total = self._total.to(one.optimiser.device)
        batches = first.along(order, self._position, lacking)
        beside = [_over_and_over(source, self._position, *drawn) for source, drawn in others]
        one.optimiser.module.train()
        with one.optimiser.stepping():
            for batch in batches:
                loss = one.step(batch, *(next(b) for b in beside))
                self._total = self._total + loss.detach() * batch.samples
                self._samples += batch.samples
                self._position += 1
                self._interrupt.check()
        average([self._total])
        mean = self._total.cpu() / self._samples
        if not mean.dim() and not isfinite(float(mean)):
            raise not_finite(one.optimiser.module)
        return mean

    def _drawn(self, source: Batches, place: int) -> tuple[Tensor, Tensor | None]:
        """The order of samples in a pass, and the modalities that they lack there."""
        passing = [(seed, self._passes, place) for seed in self._seeds]
        order = source.order(*(seed_of(*numbers) for numbers in passing))
        return order, source.lacking(order, *(seed_of(*numbers, LACKING) for numbers in passing))

    def state(self) -> dict[str, Any]:
        """What `restore` goes on from, in every process; they call it together."""
        total = self._total.detach().clone()
        average([total])
        return {
            "passes": self._passes,
            "losses": [loss.clone() for loss in self._losses],
            "position": self._position,
            "samples": self._samples,
            "total": total.cpu(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on where another run was."""
        self._passes, self._losses = int(state["passes"]), list(state["losses"])
        self._position, self._samples = int(state["position"]), int(state["samples"])
        self._total = state["total"]


def _over_and_over(
    source: Batches, start: int, order: Tensor, lacking: Tensor | None
) -> Iterator[Batch]:
    """The batches of a source from a position on, beginning anew after each pass."""
    start %= len(source)
    while True:
        yield from source.along(order, start, lacking)
        start = 0
