"""What a search costs, in one currency for every strategy.

The unit is a weight step: a batch forward and backward through the hypernet under `per_input`, for
every strategy. A step of another network counts by its multiply-adds. A forward pass alone counts a
third of a step, since a backward pass takes twice as many multiply-adds.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any

from ...compiler.graph.build import build
from ...compiler.lowering.lower import lower
from ...compiler.measure.sizes import count_macs
from ...compiler.network.network import Network
from ...compiler.passes import optimise
from ...compiler.program.program import Program
from ..runs.saved import Saved

FORWARD, STEP = 1, 3
"""Forward passes that each kind of work is worth."""
MOST_MACS = 2**100
"""Above the multiply-adds of any search."""


def unit_program(network: Network) -> Program:
    """The hypernet that is the unit of cost.

    It is the one relaxed per input, so that costs compare whichever way a search relaxes.
    """
    return lower(build(network), "per_input")


def unit_macs(program: Program) -> int:
    """The multiply-adds of one sample through the hypernet that is the unit of cost."""
    return count_macs(optimise(program))


class Meter:
    """Counts multiply-adds, and seconds while it runs."""

    def __init__(self, hypernet_macs: int, batch: int) -> None:
        """`hypernet_macs` are those of one sample through the hypernet."""
        self._unit = max(1, STEP * hypernet_macs * batch)
        self.macs, self._seconds, self._since = 0, 0.0, perf_counter()

    def count(self, macs: int, samples: int, passes: int = STEP) -> None:
        """Adds work on samples through a network of so many multiply-adds for each."""
        self.macs += macs * samples * passes

    def weight_steps(self, macs: float) -> float:
        """The steps of the hypernet that so many multiply-adds are worth."""
        return macs / self._unit

    @property
    def cost(self) -> dict[str, float]:
        """The cost so far: `weight_steps` and `seconds`."""
        seconds = self._seconds + perf_counter() - self._since
        return {"weight_steps": self.weight_steps(self.macs), "seconds": seconds}

    def state(self) -> dict[str, Any]:
        """What `restore` goes on from."""
        return {"macs": self.macs, "seconds": self.cost["seconds"]}

    def restore(self, saved: Saved) -> None:
        """Goes on from another run's count."""
        self.macs = saved.at("macs").integer(most=MOST_MACS)
        self._seconds = saved.at("seconds").number(0)
        self._since = perf_counter()
