"""Single path: every weight step trains a genotype drawn at random, inside the hypernet.

There are no architecture parameters; genotypes are then compared with the weights that they share
(`ranking.py`), or trained on from these (`halving.py`). After Guo et al., "Single Path One-Shot".
"""

from __future__ import annotations

from math import inf

from ...data.files import Arrays
from ...genotypes.derive import one_hot
from ...metrics import TRAIN_LOSS
from ...runs.checkpoint import State
from ...runs.saved import Saved
from ..hypernet.hypernet import Hypernet
from ..hypernet.mixtures import Weights
from ..strategy import Problem, Round
from ..streams import Stream, generator_of


class SinglePath:
    """Trains a hypernet along random paths; it chooses nothing itself."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self.rounds = problem, problem.settings.epochs
        self.hypernet = Hypernet(problem)
        self._draws = generator_of(problem.settings.seed, Stream.SINGLE_PATH)

    def round(self, index: int) -> Round:
        (loss,) = self.hypernet.epoch.run([self.hypernet.weight_pass(self._path)])
        return Round(None, -inf, values={TRAIN_LOSS: float(loss)})

    def _path(self) -> Weights:
        """A genotype drawn at random, as weights of the mixtures."""
        choices = self.problem.budgets.draw(self._draws)
        return self.hypernet.tensors(one_hot(self.problem.network, choices, self.problem.relax))

    def arrays(self) -> Arrays:
        return self.hypernet.arrays()

    def state(self) -> State:
        return {"hypernet": self.hypernet.state(), "draws": self._draws.bit_generator.state}

    def restore(self, saved: Saved, done: int) -> None:
        is_left = done < self.rounds
        self.hypernet.restore(saved.at("hypernet"), passes=1, done=done if is_left else None)
        draws = saved.at("draws")
        if draws.at("bit_generator").text() != self._draws.bit_generator.state["bit_generator"]:
            raise draws.at("bit_generator").wrong("the generator that draws here")
        self._draws.bit_generator.state = {
            "bit_generator": draws.at("bit_generator").text(),
            "state": {
                n: draws.at("state").at(n).integer(most=2**128 - 1) for n in ("state", "inc")
            },
            "has_uint32": draws.at("has_uint32").integer(most=1),
            "uinteger": draws.at("uinteger").integer(most=2**32 - 1),
        }


explore = SinglePath
