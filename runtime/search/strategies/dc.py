"""Divide and conquer: populations evolve on parts of the training samples, and one on all of them.

Each part of the training samples has a population whose individuals learn from it alone, which is
cheap; those of one more population learn from all of them. All are scored on validation samples.
Populations exchange what they know (`candidates/knowledge.py`), and the best of each part enters
the population on all samples, of which the search finds the best. After "DC-NAS:
Divide-and-Conquer Neural Architecture Search for Multi-Modal Classification" (AAAI 2024). Known of
it: trees of parameter-free operations over feature vectors (the library `dcnas`), 28 individuals,
15 iterations, sub-populations on folds and one on all data, two bases of knowledge. The rest is our
reading: crossover and mutation, tournaments of two, what the bases hold, who enters, and that
validation judges everyone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import ceil, sqrt

import numpy as np
import torch

from ....compiler.network.choices import Choices, listed
from ...data.dataset import Dataset
from ...data.files import Arrays
from ...data.folds import LEAST, USUAL_FOLDS, Fold, folds_of, parts_of
from ...data.split import TEST, VALIDATION
from ...metrics import on_validation
from ...runs.checkpoint import State
from ...runs.saved import Saved
from ...training.fitting import scored
from ...training.scores import selection_score
from ..budgets import MOST_REPEATED
from ..candidates.knowledge import Knowledge, bred
from ..candidates.saved import saved_choices, saved_trial
from ..candidates.trainer import Trainer
from ..candidates.trial import Trial
from ..strategy import Problem, Round
from ..streams import Stream, generator_of

INDIVIDUALS, ITERATIONS = 28, 15
"""Those of the paper; with fewer candidates both shrink in this ratio."""


class DivideAndConquer:
    """Trains the candidates of a queue; where it is empty, the next population fills it."""

    def __init__(self, problem: Problem) -> None:
        """Fewer candidates than two for every population all learn from all samples."""
        parts = parts_of_training(problem)
        self._total = problem.settings.candidates
        if self._total < 2 * (len(parts) + 1):
            parts = []
        self.problem = replace(problem, folds=parts)
        self.trainer = Trainer(self.problem)
        self._whole = len(parts)
        each = ceil(self._total / (len(parts) + 1))
        self._size = max(2, round(sqrt(each * INDIVIDUALS / ITERATIONS)))
        generations = max(1, round(each / self._size))
        populations = range(len(parts) + 1)
        self._plan = [(number, one) for number in range(generations) for one in populations]
        self._known: list[dict[Choices, float]] = [{} for _ in populations]
        self._queue: list[Trial] = []
        self._begun = 0
        self._fill()

    @property
    def rounds(self) -> int:
        """As many as there are candidates; fewer where the space has no more."""
        done = self._done
        return done + (self._total - done if self._queue else 0)

    @property
    def _done(self) -> int:
        return sum(map(len, self._known))

    def round(self, index: int) -> Round:
        (generation, population), trial = self._plan[self._begun - 1], self._queue[0]
        self.trainer.train(trial, self.problem.settings.trial_epochs, self._queue)
        values, score = self._told(trial)
        self._known[population][trial.choices] = score
        self._queue.pop(0)
        self._fill()
        is_whole = population == self._whole
        about: dict[str, object] = {"generation": generation + 1, "candidate": trial.number}
        if not is_whole:
            about["part"] = population + 1
        return Round(trial.chosen if is_whole else None, score, values={**about, **values})

    def _told(self, trial: Trial) -> tuple[dict[str, object], float]:
        """What a record says of a trial, and its score: of one of a part by its outputs."""
        if trial.fold is None or trial.diverged or trial.outputs is None:
            return dict(trial.told), trial.score
        head, held = self.problem.network.head, self.problem.folds[trial.fold].held
        labels = torch.from_numpy(self.problem.data.labels[held])
        metrics = scored(trial.outputs, labels, self.problem.objective(labels))
        told: dict[str, object] = {on_validation(name): value for name, value in metrics.items()}
        return told, selection_score(head, metrics)

    # Populations

    def _fill(self) -> None:
        """Goes on to the next populations until one has something to train."""
        while not self._queue and self._begun < len(self._plan):
            _, population = self._plan[self._begun]
            left = len(self._plan) - self._begun
            count = ceil((self._total - self._done) / left)
            self._begun += 1
            generator = generator_of(self.problem.settings.seed, Stream.DC, self._begun)
            found: dict[Choices, None] = {}
            repeated = 0
            for one in self._children(population, generator):
                if len(found) == count or repeated > MOST_REPEATED:
                    break
                is_new = one not in self._known[population] and one not in found
                repeated = 0 if is_new else repeated + 1
                if is_new:
                    found.setdefault(one)
            fold = None if population == self._whole else population
            first = self._done
            self._queue = [Trial(first + i, one, fold=fold) for i, one in enumerate(found)]

    def _children(self, population: int, generator: np.random.Generator) -> Iterator[Choices]:
        """What a population tries next, without end: who enters, then children of its best."""
        budgets, network = self.problem.budgets, self.problem.network
        best = self._best(population)
        if population == self._whole:
            entering = [self._best(part)[:1] for part in range(self._whole)]
            best += (newcomers := [one for each in entering for one in each])
            yield from newcomers
        knowledge = Knowledge(self._known)
        while True:
            if len(best) < 2:
                yield budgets.draw(generator)
                continue
            parents = self._parent(best, generator), self._parent(best, generator)
            yield budgets.repaired(bred(network, parents, knowledge, generator))

    def _best(self, population: int) -> list[Choices]:
        """The individuals of a population that live on, the best first."""
        known = self._known[population]
        return sorted(known, key=lambda one: -known[one])[: self._size]

    def _parent(self, best: Sequence[Choices], generator: np.random.Generator) -> Choices:
        """The better of two that are drawn."""
        return best[int(generator.integers(len(best), size=2).min())]

    # What is kept

    def arrays(self) -> Arrays:
        return self.trainer.arrays()

    def state(self) -> State:
        self.trainer.close()
        return {
            "known": [[[listed(c), float(s)] for c, s in one.items()] for one in self._known],
            "queue": [trial.state() for trial in self._queue],
            "begun": self._begun,
        }

    def restore(self, saved: Saved, done: int) -> None:
        populations, queue, begun = saved.at("known"), saved.at("queue"), saved.at("begun")
        each = populations.items(least=len(self._known), most=len(self._known))
        self._known = [self._restored(one) for one in each]
        if self._done != done:
            raise populations.wrong(f"the candidates of {done} rounds")
        self._begun = begun.integer(1, len(self._plan))
        stops = [self.problem.settings.trial_epochs]
        trials = queue.items(most=self._total)
        self._queue = [saved_trial(one, self.trainer, stops) for one in trials]
        population = self._plan[self._begun - 1][1]
        fold = None if population == self._whole else population
        wanted = {t.choices: t.number for t in self._queue if t.fold == fold}
        is_known = any(one in self._known[population] for one in wanted)
        if list(wanted.values()) != list(range(done, done + len(trials))) or is_known:
            raise queue.wrong("the candidates of its population that are left")
        if not trials and self._begun < len(self._plan):
            raise begun.wrong("the last population")
        self.trainer.forget()

    def _restored(self, saved: Saved) -> dict[Choices, float]:
        """A population's individuals with their scores."""
        rows = [one.items(least=2, most=2) for one in saved.items()]
        known = {saved_choices(c, self.problem): s.number(finite=False) for c, s in rows}
        if len(known) != len(rows):
            raise saved.wrong("individuals that differ")
        return known


explore = DivideAndConquer


def parts_of_training(problem: Problem) -> list[Fold]:
    """The training samples in parts, each to be learned from alone; validation judges all.

    As many as `folds` says, or four where the samples, or their groups, are enough; none where that
    is one. Parts that are too small to train on are left out.
    """
    data, settings = problem.data, problem.settings
    known = _without_validation(data)
    count = settings.folds or min(USUAL_FOLDS, parts_of(known) // LEAST)
    if count < 2:
        return []
    folds = folds_of(known, problem.network.head, count, settings.seed)
    validation = data.indices(VALIDATION)
    return [Fold(fold.held, validation) for fold in folds if len(fold.held) >= LEAST]


def _without_validation(data: Dataset) -> Dataset:
    """The data with training samples alone as those that are known."""
    return replace(data, split=np.where(data.split == VALIDATION, TEST, data.split))
