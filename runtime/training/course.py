"""The epochs of a training, which can be left after any batch and gone on with.

A training that is kept writes a checkpoint after epochs, so seldom that it takes little of the
time, and where it is asked to stop.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from time import monotonic
from typing import Any

import torch
from torch import Tensor

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.language.spec import Spec
from ...compiler.program.weights import Weights
from ...compiler.resolve.resolve import resolve
from ...compiler.tools.meaning import meaning
from ..data.batches import Batch, Batches
from ..data.identity import DataIdentity, arrays_identity
from ..fields import NOT_DECIDING
from ..metrics import TRAIN_LOSS
from ..parallel.interrupt import Interrupt, Interrupted, stopping_on_signals
from ..parallel.processes import gathered, rank
from ..runs.checkpoint import State
from ..runs.folder import RunFolder
from ..runs.history import line_of
from ..runs.identity import run_identity
from ..runs.randomness import random_state, read_random_state, restore_random_state
from ..runs.saved import Saved
from ..runs.tensorboard import watching
from ..settings import Settings
from .epoch import Epoch, Pass
from .fitting import Report
from .kept import HISTORY, KeptRun, records_in
from .objective import Objective
from .optimisers import WeightOptimiser
from .saved import read_epoch
from .stopping import Stopping

STAGE, STOPPING = "train", "best"
WRITING = 0.05
"""The share of the time that writing checkpoints may take."""


class Course:
    """The epochs of a training: what moves is `held` elsewhere, by name."""

    def __init__(
        self,
        optimiser: WeightOptimiser,
        objective: Objective,
        batches: Batches,
        settings: Settings,
        held: Mapping[str, Tensor],
        generator: torch.Generator,
        stopping: Stopping | None = None,
    ) -> None:
        self.interrupt = Interrupt()
        self.history: list[dict[str, Any]] = []
        self._optimiser, self._pass = optimiser, weight_pass(optimiser, objective, batches)
        self._settings, self._held, self._generator = settings, held, generator
        self._epoch = Epoch([settings.seed], self.interrupt)
        self._stopping = stopping

    def run(self, report: Report | None, keep: Callable[[], None] = lambda: None) -> None:
        """Every epoch that is left, or until it stops early; `keep` is called between two of them.

        Raises DiagnosticError where the loss is not finite, and Interrupted.
        """
        while not self._is_over():
            if self.history and not self._epoch.begun:
                keep()
            (loss,) = self._epoch.run([self._pass])
            record: dict[str, Any] = {"epoch": len(self.history) + 1, TRAIN_LOSS: float(loss)}
            if self._stopping is not None:
                record |= self._stopping.scored(self.history)
            self.history.append(record)
            if report is not None and rank() == 0:
                report(self.history[-1])

    def _is_over(self) -> bool:
        if self._stopping is not None and self._stopping.is_over(self.history):
            return True
        return len(self.history) >= self._settings.epochs

    def run_kept(self, report: Report | None, kept: KeptRun) -> None:
        """As `run`, from where the run was, with checkpoints; `report` receives all records.

        Raises DiagnosticError where it is asked to stop, with everything kept for the next call.
        """
        saved = kept.read()
        if saved is None:
            kept.drop()
        else:
            self._restore(saved)
            for record in self.history:
                if report is not None and rank() == 0:
                    report(record)
        pace = _Pace()

        def keep() -> None:
            if pace.is_due():
                kept.write(self._state())
                pace.written()

        try:
            with stopping_on_signals(self.interrupt):
                self.run(report, keep)
        except Interrupted:
            kept.write(self._state())
            message = f"the training was stopped in epoch {len(self.history) + 1}"
            raise fail("E510", message, help="go on with `--resume`") from None

    def _state(self) -> State:
        device = self._optimiser.device
        return {
            "held": {name: t.detach().cpu().clone() for name, t in self._held.items()},
            "optimiser": self._optimiser.state(),
            "epoch": self._epoch.state(),
            "random": gathered(random_state(device, self._generator)),
            HISTORY: "".join(line_of(STAGE, record) for record in self.history),
            **({} if self._stopping is None else {STOPPING: self._stopping.state()}),
        }

    @torch.no_grad()
    def _restore(self, saved: Saved) -> None:
        """Goes on from a checkpoint; raises DiagnosticError where it is none of this training."""
        device = self._optimiser.device
        history = records_in(saved.at(HISTORY), STAGE, "epoch")
        if len(history) > self._settings.epochs:
            raise saved.at(HISTORY).wrong(f"the records of {self._settings.epochs} epochs at most")
        own = saved.at("held").fields(list(self._held))
        held = {
            name: own[name].tensor(t.shape, t.dtype, finite=bool(torch.isfinite(t).all()))
            for name, t in self._held.items()
        }
        optimiser = self._optimiser.read(saved.at("optimiser"))
        epoch = read_epoch(saved.at("epoch"))
        if epoch["passes"] != len(history):
            raise saved.at("epoch").at("passes").wrong("as many as there are records")
        random = [
            read_random_state(one, device, self._generator)
            for one in saved.at("random").items(least=1)
        ]
        stopping = self._stopping
        best = {} if stopping is None else stopping.read(saved.at(STOPPING), history)
        saved.require_read()
        for name, tensor in self._held.items():
            tensor.copy_(held[name])
        self._optimiser.restore(optimiser)
        self._epoch.restore(epoch)
        self.history = history
        if stopping is not None:
            stopping.restore(best)
        restore_random_state(random[rank() % len(random)], device, self._generator)


def kept_training(
    folder: RunFolder,
    resume: bool,
    spec: Spec,
    settings: Settings,
    data: DataIdentity,
    start: Weights | None,
    others: Mapping[str, Any],
) -> KeptRun:
    """A training that is kept, which goes on with all of these alone: `others` are plain values."""
    identity = run_identity(
        asdict(settings.usual(NOT_DECIDING)),
        specification=meaning(resolve(spec)),
        data=data.digest,
        weights=arrays_identity(start).digest if start is not None else "",
        options=json.dumps(others, sort_keys=True),
    )
    return KeptRun(folder, identity, resume, data)


@contextmanager
def watched(kept: KeptRun | None, settings: Settings, report: Report | None) -> Generator[Report]:
    """Within, what it gives tells of epochs: to `report`, and as events where these are asked for.

    Both are told by the first process alone.
    """
    asked = settings.tensorboard and rank() == 0
    with watching(kept.folder.path if kept and asked else None, STAGE) as watch:

        def tell(record: dict[str, Any]) -> None:
            watch(record["epoch"], record)
            if report is not None:
                report(record)

        yield tell


class _Pace:
    """Says when a checkpoint is due, which is the same for all processes."""

    def __init__(self) -> None:
        self._from, self._asked = 0.0, 0.0

    def is_due(self) -> bool:
        """Whether writing one now leaves writing its share."""
        self._asked = monotonic()
        due: bool = gathered(self._asked >= self._from)[0]
        return due

    def written(self) -> None:
        """One was written since that was asked."""
        now = monotonic()
        self._from = now + (now - self._asked) / WRITING


def weight_pass(optimiser: WeightOptimiser, objective: Objective, batches: Batches) -> Pass:
    """Steps over the batches."""

    def step(batch: Batch) -> Tensor:
        loss = optimiser.loss(objective, batch)
        optimiser.step(loss)
        return loss

    return Pass(optimiser, step, [batches])
