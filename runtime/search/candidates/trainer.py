"""Candidates, trained together or one by one, and scored on samples that they do not learn.

What each draws depends on the seed, its own number and the step, so that it does not matter which
candidates are trained before it, beside it, or where.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite

import torch
from torch import Tensor

from ....compiler.check.check import checked
from ....compiler.diagnostics.diagnostic import DiagnosticError
from ....compiler.measure.sizes import count_macs
from ....compiler.network.choices import Choices, fill
from ....compiler.network.network import Network
from ....compiler.program.hoist import Hoisted
from ....compiler.program.program import Program
from ...data.files import Arrays
from ...data.parts import Parts
from ...data.split import TRAIN
from ...training.finite import first_not_finite, not_finite_at
from ...training.fitting import scored, start_from
from ...training.memory import bytes_of, parts_that_fit
from ...training.modality_dropout import ModalityDropout
from ...training.population import (
    Population,
    PopulationOptimiser,
    member_program,
)
from ...training.prepare import prepare, prepared
from ...training.together import trains_apart
from ...tuning import Own
from ..learner import Learner
from ..strategy import Problem
from .prefix import first_cells
from .trial import Trial


class Trainer:
    """Trains trials of a problem; those that are trained together are in memory together."""

    def __init__(self, problem: Problem, initial: Arrays | None = None) -> None:
        """Trials start from those of the `initial` weights that they have, by name."""
        self.problem, self.initial = problem, initial
        self._open: _Alone | _Together | None = None
        self._last: Trial | None = None
        self._kept = True
        self._programs: dict[tuple[Choices, Own], Hoisted] = {}
        self._samples = len(problem.data.indices(TRAIN))

    def train(self, trial: Trial, epochs: int, beside: Sequence[Trial] = ()) -> None:
        """Trains a trial until it has been trained for so many epochs, and scores it.

        Those beside it that are to be trained for as many are trained with it, as many as fit, and
        are not trained when they are given next. Raises Interrupted, after which it can be called
        again.
        """
        self._last = trial
        if trial.diverged:
            trial.end(epochs)
        if trial.scored >= epochs:
            return
        start = self.problem.allowance.elapsed
        if self._open is None or trial not in self._open.trials:
            self.close()
            self._open = None
            self._open = self._opened(self._fitting(trial, epochs, beside))
        before, self._kept = self.problem.meter.macs, False
        learned = self._learned(self._open.trials)
        try:
            self._open.train_until(epochs)
        finally:
            self._open.share(self.problem.meter.macs - before)
        self.close()
        self.problem.allowance.learn(start, self._learned(self._open.trials) - learned)

    def _learned(self, trials: Sequence[Trial]) -> int:
        """The samples that trials have been trained on, each as often as it was."""
        folds = [len(fold.train) for fold in self.problem.folds]
        return sum(t.epochs * (self._samples if t.fold is None else folds[t.fold]) for t in trials)

    def _fitting(self, trial: Trial, epochs: int, beside: Sequence[Trial]) -> list[_Member]:
        """A trial and those that stand where it stands, as many as are wanted and fit in memory."""
        settings = self.problem.settings
        most = 1 if trains_apart(settings) else settings.together
        alike = [
            other
            for other in beside
            if other is not trial
            and other.scored < epochs
            and not other.diverged
            and other.progress == trial.progress
            and other.shared == trial.shared
        ]
        if most == 1 or not alike:
            return [_Member(trial)]
        wanted = [trial, *alike][:most]
        needs = (bytes_of(self.program(one).program, one.settings(settings)) for one in wanted)
        part = next(parts_that_fit(needs, self.problem.device, settings.memory))
        return [_Member(wanted[place], self.program(wanted[place])) for place in part]

    def program(self, trial: Trial) -> Hoisted:
        """What a trial computes beside others."""
        key = trial.choices, trial.shared
        if key not in self._programs:
            network = _network(self.problem, trial)
            dropout = ModalityDropout.of(network, trial.settings(self.problem.settings))
            self._programs[key] = member_program(network, dropout)
        return self._programs[key]

    def _opened(self, members: Sequence[_Member]) -> _Alone | _Together:
        if len(members) == 1:
            return _Alone(self.problem, members[0].trial, self.initial)
        return _Together(self.problem, members, self.initial)

    def arrays(self) -> Arrays:
        """The weights of the trial that was trained last."""
        self.close()
        return {} if self._last is None or self._last.training is None else self._last.arrays()

    def close(self) -> None:
        """Keeps where the training is in the trials."""
        if self._open is not None and not self._kept:
            self._open.close()
            self._kept = True

    def forget(self) -> None:
        """Goes on with what is kept in the trials."""
        self._open = None


@dataclass(frozen=True)
class _Member:
    """A trial, with what it computes beside others where that is known."""

    trial: Trial
    hoisted: Hoisted | None = None


def _network(problem: Problem, trial: Trial) -> Network:
    within = problem.network.variant(trial.choices.variant)
    space = first_cells(within, len(trial.choices.cells))
    return checked(fill(space, trial.choices)) if space.has_holes else space


def _shared(initial: Arrays, program: Program) -> Arrays:
    """The weights of a hypernet that a candidate has too.

    A head over fewer outputs than the hypernet's has weights of its own.
    """
    sizes = {spec.name: spec.sizes for spec in program.parameters}
    return {name: a for name, a in initial.items() if sizes.get(name) == a.shape}


def _judge(learner: Learner, trial: Trial, epochs: int, logits: Tensor, labels: Tensor) -> None:
    """Scores a trial by what it gives for samples that it did not learn.

    Of one that belongs to a fold the outputs are kept, which are scored with those of other folds.
    """
    loss = float(learner.objective.loss(logits, labels))
    if not trial.diverged and not isfinite(loss):
        trial.failure = "what it gives for held-out samples is no finite number"
    if trial.diverged:
        trial.end(epochs)
    elif trial.fold is not None:
        trial.scored, trial.outputs = epochs, logits
    else:
        trial.tell(epochs, *learner.told(scored(logits, labels, learner.objective)))


class _Alone(Learner):
    """A trial with its network in memory."""

    def __init__(self, problem: Problem, trial: Trial, initial: Arrays | None) -> None:
        network = _network(problem, trial)
        problem = replace(problem, settings=trial.settings(problem.settings))
        module, data = prepare(network, problem.data, problem.settings, problem.device)
        self.trials = [trial]
        super().__init__(problem, module, data, trial.number, trial.folds)
        if trial.training is not None:
            self.module.load_state_dict(trial.training["module"])
            self.weights.restore(trial.training["optimiser"])
            self.epoch.restore(trial.training["epoch"])
        elif initial is not None:
            start_from(module, _shared(initial, module.program))

    def share(self, macs: int) -> None:
        """Adds multiply-adds to those of the trial."""
        self.trials[0].macs += macs

    def train_until(self, epochs: int) -> None:
        (trial,) = self.trials
        while trial.epochs < epochs and not trial.diverged:
            try:
                self.epoch.run([self.weight_pass()])
            except DiagnosticError as error:
                if error.diagnostics[0].code != "E508":
                    raise
                trial.failure = error.diagnostics[0].message
            trial.epochs += 1
        if trial.diverged:
            trial.end(epochs)
            return
        _judge(self, trial, epochs, self.outputs(), self.validation.labels.cpu())

    def close(self) -> None:
        (trial,) = self.trials
        trial.training = {
            "module": {n: t.detach().cpu().clone() for n, t in self.module.state_dict().items()},
            "optimiser": self.weights.state(),
            "epoch": self.epoch.state(),
        }


class _Together(Learner):
    """Trials with their networks in memory, as one Program."""

    def __init__(self, problem: Problem, given: Sequence[_Member], initial: Arrays | None) -> None:
        trials = [member.trial for member in given]
        networks = [member.hoisted for member in given if member.hoisted is not None]
        programs = [one.program for one in networks]
        each = [trial.settings(problem.settings) for trial in trials]
        dropout = ModalityDropout.of(problem.network, each[0])
        data = prepared(networks, problem.data, problem.device, dropout)
        folds = sorted({fold for trial in trials for fold in trial.folds})
        self.rows = [folds.index(fold) for trial in trials for fold in trial.folds]
        rows = self.rows if len(folds) > 1 else None
        self.population = Population(programs, each, problem.device, rows)
        self.trials = list(trials)
        super().__init__(problem, self.population.module, data, folds=folds)
        self._each = [count_macs(program) for program in programs]
        self.macs = sum(self._each)
        states = [t.training for t in trials if t.training is not None]
        for member, trial in enumerate(trials):
            if trial.training is not None:
                self.population.load(member, trial.training["module"])
            elif initial is not None:
                self.population.load(member, _shared(initial, programs[member]))
        if states:
            self.members.restore_members([state["optimiser"] for state in states])
            totals = [torch.as_tensor(state["epoch"]["total"]) for state in states]
            self.epoch.restore({**states[0]["epoch"], "total": torch.stack(totals)})

    def give_statistics(self) -> None:
        for member in range(len(self.trials)):
            self.population.load(member, self.objective.statistics)

    def optimiser(self) -> PopulationOptimiser:
        numbers = [trial.number for trial in self.trials]
        self.members = PopulationOptimiser(self.population, len(self.train), numbers)
        return self.members

    def share(self, macs: int) -> None:
        """Adds multiply-adds to those of the trials, each its part."""
        for trial, own in zip(self.trials, self._each, strict=True):
            trial.macs += macs * own / max(1, self.macs)

    def train_until(self, epochs: int) -> None:
        while self.trials[0].epochs < epochs:
            (losses,) = self.epoch.run([self.weight_pass()])
            for place, is_finite in enumerate(torch.isfinite(losses).tolist()):
                trial = self.trials[place]
                trial.epochs += 1
                if not is_finite and not trial.diverged:
                    trial.failure = not_finite_at(first_not_finite(self.population.tensors(place)))
        results = self.outputs()
        for place, trial in enumerate(self.trials):
            logits, labels = results[place], self.validation.labels
            if isinstance(self.validation, Parts):
                logits, labels = self.validation.own(self.rows[place], logits)
            _judge(self, trial, epochs, logits.clone(), labels.cpu())

    def close(self) -> None:
        epoch = self.epoch.state()
        totals = epoch["total"].expand(len(self.trials))
        states = self.members.member_states()
        for member, (trial, state) in enumerate(zip(self.trials, states, strict=True)):
            trial.training = {
                "module": self.population.tensors(member),
                "optimiser": state,
                "epoch": {**epoch, "total": totals[member].clone()},
            }
