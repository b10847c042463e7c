"""What a strategy is: how a search space is explored, round by round, to a genotype.

A strategy owns how holes are relaxed or sampled, how architecture parameters step, and how a
genotype is derived. The loop around it (`loop.py`) owns records, checkpoints and cost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...compiler.network.choices import Choices
from ...compiler.network.holes import Relaxation
from ...compiler.network.network import Network
from ...compiler.program.program import Program
from ..data.dataset import Dataset
from ..data.files import Arrays
from ..data.folds import Fold
from ..parallel.interrupt import Interrupt
from ..runs.checkpoint import State
from ..runs.saved import Saved
from ..settings import Settings
from ..training.objective import Objective
from ..training.own_functions import NO_FUNCTIONS, OwnFunctions
from ..tuning import Own
from .allowance import Allowance
from .budgets import Budgets
from .meter import Meter


@dataclass(frozen=True)
class Problem:
    """What is searched, on which data, with which settings; the test split is never read.

    `generator` draws the order of samples. Whatever a strategy chooses is within `budgets`: it is
    what they choose, draw or repair. `unit` is the hypernet of the unit of cost, where it is kept.
    `folds` divide training and validation samples, for trials that belong to one of them.
    `functions` are what the settings have by name alone. `allowance` is the time that it may take.
    """

    network: Network
    data: Dataset
    settings: Settings
    device: torch.device
    relax: Relaxation
    meter: Meter
    generator: torch.Generator
    interrupt: Interrupt
    budgets: Budgets
    unit: Program | None = None
    folds: Sequence[Fold] = ()
    functions: OwnFunctions = NO_FUNCTIONS
    allowance: Allowance = field(default_factory=Allowance)

    def objective(self, labels: Tensor) -> Objective:
        """What networks are trained for, with labels to train on."""
        return Objective.of(self.network.head, labels, self.settings, self.functions)

    @property
    def fold_samples(self) -> int:
        """How many samples an epoch of any fold has: as many as the smallest trains on."""
        return min(len(fold.train) for fold in self.folds)


GENOTYPE, ENSEMBLE = "genotype", "ensemble"
SEARCHED, PERCEPTRON = "best candidate", "perceptron"
RESAMPLES = 2_000
"""Resamples of what is held out, for the interval of a difference."""
LAST = "last"
"""In the record of a round that closes a rung, the last candidate with its metrics; beside it stand
those of the best, whose genotype the record has."""


@dataclass(frozen=True)
class Round:
    """What one round found: `choices` fill the holes, None where it has not chosen yet.

    Rounds compare by `level` and then by `score`, the metric on validation that selects; the later
    one wins ties. `values` go into the record; `own` are the settings that it was trained with.
    """

    choices: Choices | None
    score: float
    level: tuple[int, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    own: Own = ()


@dataclass(frozen=True)
class HeldOut:
    """Outputs for samples that were held out, by `GENOTYPE` and `ENSEMBLE`.

    Where perceptrons were compared with candidates, also by `SEARCHED` or `PERCEPTRON`, whichever
    the genotype is not.
    `samples` are their places in the data, in order; outputs are probabilities or values,
    (samples, K). `own` are the settings that the best candidate was trained with.
    """

    samples: NDArray[np.int64]
    outputs: Mapping[str, NDArray[np.float64]]
    own: Own = ()


@dataclass(frozen=True)
class Chosen:
    """A member of an ensemble: its weight, all of which add up to 1, and its own settings."""

    choices: Choices
    weight: float
    own: Own = ()


@runtime_checkable
class Ensembling(Protocol):
    """A strategy that finds an ensemble beside the one genotype."""

    def members(self) -> list[Chosen]:
        """The members, the heaviest first."""
        ...

    def held_out(self) -> HeldOut:
        """What the best genotype, and the ensemble, give for samples that they did not learn."""
        ...


class Strategy(Protocol):
    """Explores a search space in rounds."""

    @property
    def rounds(self) -> int:
        """How many there are, as far as that is known before they are done."""
        ...

    def round(self, index: int) -> Round:
        """Does the round with this index, from 0.

        Raises Interrupted, after which the round can be gone on with.
        """
        ...

    def arrays(self) -> Arrays:
        """The weights, by name, of what the last round found: a hypernet's, or a candidate's."""
        ...

    def state(self) -> State:
        """What `restore` goes on from, in the middle of a round too."""
        ...

    def restore(self, saved: Saved, done: int) -> None:
        """Goes on from the state of an equal strategy, of which so many rounds are done.

        Raises DiagnosticError where it is none.
        """
        ...
