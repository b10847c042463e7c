"""A candidate that is trained by itself: what it chooses, where its training is, how it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

from torch import Tensor

from ....compiler.network.choices import Choices, listed
from ... import tuning
from ...data.files import Arrays
from ...fields import SHARED
from ...metrics import VALIDATION_LOSS
from ...runs.checkpoint import CheckpointPart, State
from ...runs.identity import identity_of
from ...settings import Settings
from ...tuning import Own


@dataclass(eq=False)
class Trial:
    """A candidate with the epochs that it has been trained for, and where its training is.

    `choices` fill the Cells of the space, or the first of them, where its network has no others.
    Of one that belongs to a `fold`, `outputs` are what it gives for the samples that this holds
    out, (samples, K), instead of scores.
    `scores` and `losses` are those on validation after each call of `Trainer.train`, `metrics` all
    of the last; `macs` are the multiply-adds that it has cost, and `failure` says why there are no
    more scores, where its loss is no finite number.
    """

    number: int
    choices: Choices
    epochs: int = 0
    scores: list[float] = field(default_factory=list[float])
    losses: list[float] = field(default_factory=list[float])
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])
    training: State | None = None
    scored: int = 0
    failure: str = ""
    macs: float = 0
    fold: int | None = None
    outputs: Tensor | None = None
    own: Own = ()

    @property
    def folds(self) -> list[int]:
        """The fold that it belongs to, if any."""
        return [] if self.fold is None else [self.fold]

    @property
    def diverged(self) -> bool:
        """Whether its loss is no finite number."""
        return bool(self.failure)

    @property
    def chosen(self) -> Choices | None:
        """Its choices, if they can be what a search finds."""
        return None if self.diverged else self.choices

    @property
    def told(self) -> Mapping[str, Any]:
        """What a record says of it: its metrics, or why there are none; and its own settings."""
        told = {"failure": self.failure} if self.diverged else self.metrics
        return {**told, **({"settings": dict(self.own)} if self.own else {})}

    def continues(self, begun: Trial | None) -> bool:
        """Whether it is the candidate, in the fold, that was begun."""
        if begun is None:
            return False
        same = (begun.number, begun.choices, begun.own, begun.fold)
        return (self.number, self.choices, self.own, self.fold) == same

    def settings(self, usual: Settings) -> Settings:
        """The settings that it is trained with."""
        return usual.with_options(**dict(self.own))

    @property
    def shared(self) -> Own:
        """Those of its own settings that what is trained beside it has, too."""
        return tuple((name, value) for name, value in self.own if name in SHARED)

    @property
    def score(self) -> float:
        """The last score; below every other where its loss is no finite number."""
        return -inf if self.diverged else self.scores[-1]

    @property
    def progress(self) -> tuple[int, int]:
        """The epochs that it has been trained for, and the batches of the one that it is in."""
        return self.epochs, 0 if self.training is None else self.training["epoch"]["position"]

    def tell(self, epochs: int, score: float, metrics: Mapping[str, float]) -> None:
        """Keeps how well it does after so many epochs."""
        self.scored, self.metrics = epochs, metrics
        self.scores.append(score)
        self.losses.append(metrics[VALIDATION_LOSS])

    def end(self, epochs: int) -> None:
        """Keeps that its loss is no finite number; it needs no training any more."""
        self.scored, self.metrics = epochs, {}

    def arrays(self) -> Arrays:
        """The weights where its training is, or their averages."""
        assert self.training is not None
        tensors = self.training["module"] | self.training["optimiser"]["averages"]
        return {name: tensor.numpy().copy() for name, tensor in tensors.items()}

    def state(self) -> State:
        """What an equal trial can be made of.

        Where its training is at rest, it stays as it is until the trial is trained again.
        """
        return {
            "number": self.number,
            "choices": listed(self.choices),
            "epochs": self.epochs,
            "scores": list(self.scores),
            "losses": list(self.losses),
            "metrics": dict(self.metrics),
            "training": self._resting() or self.training,
            "macs": self.macs,
            "scored": self.scored,
            "failure": self.failure,
            "fold": self.fold,
            "outputs": self.outputs,
            "own": tuning.listed(self.own),
        }

    def _resting(self) -> CheckpointPart | None:
        """Where its training is, between epochs."""
        if self.training is None or self.training["epoch"]["position"]:
            return None
        choices = identity_of(str(listed(self.choices)), str(self.own))[:16]
        name = f"trial-{self.number}-{self.epochs}-{choices}"
        return CheckpointPart(name if self.fold is None else f"fold-{name}", self.training)
