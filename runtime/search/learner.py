"""A network in memory that a search trains, and scores on samples that it does not learn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ...compiler.measure.sizes import count_macs
from ...compiler.targets.torch.module import FusionModule
from ..data.batches import Batch, Batches
from ..data.dataset import Dataset
from ..data.parts import Parts
from ..data.split import TRAIN, VALIDATION
from ..metrics import on_validation
from ..training.epoch import Epoch, Pass
from ..training.fitting import give_statistics, predict_all, scored, training_batches
from ..training.optimisers import NONE, WeightOptimiser
from ..training.scores import selection_score
from .meter import FORWARD, STEP
from .strategy import Problem


class Learner:
    """A prepared network with its batches and the optimiser of its weights; its cost is counted."""

    def __init__(
        self,
        problem: Problem,
        module: FusionModule,
        data: Dataset,
        number: int = 0,
        folds: Sequence[int] = (),
    ) -> None:
        """The network draws by its `number`; in a fold, it does not learn what that holds out."""
        self.problem, self.module, self.number = problem, module, number
        self.macs = count_macs(module.program)
        self.train, self.validation = self._batches(data, [*folds])
        learned = data.labels[data.indices(TRAIN, *((VALIDATION,) if folds else ()))]
        known = torch.from_numpy(learned).to(problem.device)
        self.objective = problem.objective(known)
        self.give_statistics()
        self.weights = self.optimiser()
        self.epoch = Epoch([problem.settings.seed], problem.interrupt)

    def _batches(self, data: Dataset, folds: Sequence[int]) -> tuple[Batches, Batches]:
        """What is learned, and what is scored on: the splits, or the parts of folds."""
        settings, device = self.problem.settings, self.problem.device
        if not folds:
            learned = training_batches(data, (TRAIN,), settings, device)
            whole = replace(data, absence=None)
            return learned, training_batches(whole, (VALIDATION,), settings, device)
        chosen = [self.problem.folds[fold] for fold in folds]
        train, held = [fold.train for fold in chosen], [fold.held for fold in chosen]
        size, most = settings.batch, self.problem.fold_samples
        if len(folds) == 1:
            learned = Batches(data, train[0], size, device, most=most)
            return learned, Batches(data, held[0], size, device)
        return Parts(data, train, size, device, most=most), Parts(data, held, size, device)

    def give_statistics(self) -> None:
        """Lets what is trained give values as those of the labels are."""
        give_statistics(self.module, self.objective)

    def optimiser(self) -> WeightOptimiser:
        """That of the weights."""
        settings, batches = self.problem.settings, len(self.train)
        return WeightOptimiser(self.module, settings, batches, self.number)

    def weight_pass(self, mixing: Callable[[], Mapping[str, Tensor]] = lambda: NONE) -> Pass:
        """Steps of the weights over the training batches, each under mixtures of its own."""

        def step(batch: Batch) -> Tensor:
            with torch.no_grad():
                mixed = mixing()
            loss = self.weights.loss(self.objective, batch, mixed)
            self.weights.step(loss)
            self.count(batch, STEP)
            return loss

        return Pass(self.weights, step, [self.train])

    def count(self, batch: Batch, passes: int) -> None:
        """Adds so many forward passes of a batch to the cost."""
        self.problem.meter.count(self.macs, batch.samples, passes)

    def score(self, mixed: Mapping[str, Tensor] = NONE) -> tuple[float, dict[str, float]]:
        """The metric that selects, and all metrics, on validation in evaluation mode."""
        logits, labels = self.outputs(mixed), self.validation.labels.cpu()
        return self.told(scored(logits, labels, self.objective))

    def outputs(self, mixed: Mapping[str, Tensor] = NONE) -> Tensor:
        """Logits (samples, K) on validation, or on what is held out, in evaluation mode."""
        with self.weights.averages.in_place():
            logits = predict_all(self.module, self.validation, weights=mixed)
        self.problem.meter.count(self.macs, self.validation.length, FORWARD)
        return logits

    def told(self, metrics: dict[str, float]) -> tuple[float, dict[str, float]]:
        """The metric that selects, and all of them by the names that records have."""
        score = selection_score(self.problem.network.head, metrics)
        return score, {on_validation(name): value for name, value in metrics.items()}
