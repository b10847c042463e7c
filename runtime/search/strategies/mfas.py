"""Sequential search: networks grow Cell by Cell, and a surrogate says which are worth training.

At a level the networks have the first Cells of the space. Each of the best of the level before is
extended by choices for the next Cell; the surrogate predicts how these do, some are sampled by a
softmax of the predictions, trained, and added to what the surrogate learns from. This is done in
several passes over the levels while the temperature of the softmax falls. After Perez-Rua et al.,
"MFAS: Multimodal Fusion Architecture Search", algorithm 1. Unlike there, no candidate is trained
twice, what is extended are the best of a level in all passes, and each candidate has settings of
its own, of which the surrogate knows nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, product
from math import ceil
from typing import TypeAlias

import numpy as np

from ....compiler.check.check import network_of
from ....compiler.diagnostics.diagnostic import Report
from ....compiler.network.choices import CellChoice, Choices, fill, listed
from ....compiler.network.fillings import choices
from ....compiler.network.network import Network
from ...data.files import Arrays
from ...genotypes.derive import choose
from ...genotypes.sample import draw_cell, draw_outputs
from ...genotypes.space import every_step, may_follow
from ...runs.checkpoint import State
from ...runs.saved import Saved
from ...tuning import every_own
from ..budgets import MOST_REPEATED
from ..candidates.prefix import first_cells
from ..candidates.saved import saved_choices, saved_trial
from ..candidates.surrogate import predicted
from ..candidates.trainer import Trainer
from ..candidates.trial import Trial
from ..strategy import Problem, Round
from ..streams import Stream, generator_of

Prefix: TypeAlias = tuple[CellChoice, ...]
"""What fills the first Cells."""
HOT, COLD = 2.0, 0.1
"""The temperature of the first pass, and of the last, for standardised scores."""
MOST_EXTENDED = 1_000
"""How many extensions are compared at a level; of more, so many are drawn."""


class Mfas:
    """Trains the candidates of a queue; where it is empty, the next level fills it."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.trainer = Trainer(problem)
        settings = problem.settings
        ends = levels(problem.network)
        passes = max(1, min(settings.passes, settings.candidates // len(ends)))
        self._plan = [(number, level) for number in range(passes) for level in ends]
        self._temperatures = np.geomspace(HOT, COLD, passes) if passes > 1 else [COLD]
        self._total = max(settings.candidates, len(ends))
        self._every = list(every_own(settings.tuned))
        self._known: dict[Choices, float] = {}
        self._queue: list[Trial] = []
        self._begun = 0
        self._fill()

    @property
    def rounds(self) -> int:
        """As many as there are candidates; fewer where the space has no more."""
        done, left = len(self._known), self._total - len(self._known)
        return done + (left if self._queue else 0)

    def round(self, index: int) -> Round:
        level, trial = self._plan[self._begun - 1], self._queue[0]
        self.trainer.train(trial, self.problem.settings.trial_epochs, self._queue)
        self._known[trial.choices] = trial.score
        self._queue.pop(0)
        self._fill()
        values = {"pass": level[0] + 1, "cells": level[1], "candidate": trial.number}
        whole = len(trial.choices.cells) == len(self.problem.network.cells)
        chosen = trial.chosen if whole else None
        return Round(chosen, trial.score, values={**values, **trial.told}, own=trial.own)

    # Levels

    def _fill(self) -> None:
        """Goes on to the next levels until one has something to train."""
        while not self._queue and self._begun < len(self._plan):
            passing, level = self._plan[self._begun]
            count = ceil((self._total - len(self._known)) / (len(self._plan) - self._begun))
            self._begun += 1
            first = len(self._known)
            sampled = self._sampled(passing, level, count)
            self._queue = [self._trial(number, one) for number, one in enumerate(sampled, first)]

    def _trial(self, number: int, choices: Choices) -> Trial:
        """A candidate; each combination of settings in turn."""
        return Trial(number, choices, own=self._every[number % len(self._every)])

    def _sampled(self, number: int, level: int, count: int) -> list[Choices]:
        """Untrained candidates of a level, the likelier the better they are thought to be."""
        generator = generator_of(self.problem.settings.seed, Stream.MFAS, self._begun)
        network, temperature = self.problem.network, self._temperatures[number]
        whole = level == len(network.cells)
        extensions = self._extensions(level, count, generator)
        if whole and not extensions:
            extensions = [self.problem.budgets.choose({})]
        extended = [c for c in extensions if c not in self._known]
        if not extended:
            return []
        worth = np.zeros(len(extended))
        if self._known:
            worth = predicted(network, self._known, extended, int(generator.integers(2**31)))
        order = np.argsort(-(worth / temperature + generator.gumbel(size=len(extended))))
        found: dict[Choices, None] = {}
        for place in order:
            one = extended[place]
            if whole:
                one = self.problem.budgets.repaired(one)
            if one not in self._known:
                found.setdefault(one)
            if len(found) == count:
                break
        return list(found)

    def _extensions(self, level: int, count: int, generator: np.random.Generator) -> list[Choices]:
        """The best candidates of the level before, with choices for the Cells up to this one.

        Where the output has holes, each has one way to fill them, drawn at random.
        """
        network, begun = self.problem.network, self._kept(level, count)
        short = first_cells(network, level)
        listed = begun
        for _ in range(len(begun[0]), level):
            following = (e for prefix in listed for e in _extended(network, prefix))
            listed = list(islice(following, MOST_EXTENDED + 1))
        drawn: dict[Prefix, None] = dict.fromkeys(listed if len(listed) <= MOST_EXTENDED else ())
        repeated = 0
        while len(listed) > MOST_EXTENDED > len(drawn) and repeated < MOST_REPEATED:
            one = begun[int(generator.integers(len(begun)))]
            for index in range(len(one), level):
                taken = [cell.inputs for cell in one]
                one = (*one, draw_cell(network, index, taken, generator))
            repeated = repeated + 1 if one in drawn else 0
            drawn.setdefault(one)
        return [Choices(cells, draw_outputs(short, generator)) for cells in drawn]

    def _kept(self, level: int, count: int) -> list[Prefix]:
        """The best candidates of the level before, as many as are trained at a level."""
        before = [known for _, known in self._plan if known < level]
        if not before:
            return [()]
        trained = [c for c in self._known if len(c.cells) == max(before)]
        best = sorted(trained, key=lambda c: -self._known[c])[:count]
        return list(dict.fromkeys(choices.cells for choices in best)) or [()]

    # What is kept

    def arrays(self) -> Arrays:
        return self.trainer.arrays()

    def state(self) -> State:
        self.trainer.close()
        return {
            "known": [[listed(c), float(score)] for c, score in self._known.items()],
            "queue": [trial.state() for trial in self._queue],
            "begun": self._begun,
        }

    def restore(self, saved: Saved, done: int) -> None:
        levels = [level for _, level in self._plan]
        rows = [one.items(least=2, most=2) for one in saved.at("known").items()]
        self._known = {
            saved_choices(choices, self.problem, levels): score.number(finite=False)
            for choices, score in rows
        }
        if not len(self._known) == len(rows) == done:
            raise saved.at("known").wrong(f"the candidates of {done} rounds")
        queue, begun = saved.at("queue"), saved.at("begun")
        stops = [self.problem.settings.trial_epochs]
        trials = queue.items(most=self._total)
        self._queue = [saved_trial(one, self.trainer, stops, levels) for one in trials]
        self._begun = begun.integer(1, len(self._plan))
        wanted = {trial.choices: trial.number for trial in self._queue}
        begun_so = (self._trial(trial.number, trial.choices) for trial in self._queue)
        level = self._plan[self._begun - 1][1]
        of_level = all(len(one.cells) == level and one not in self._known for one in wanted)
        is_continued = all(map(Trial.continues, self._queue, begun_so))
        numbers = list(range(done, done + len(trials)))
        if list(wanted.values()) != numbers or not of_level or not is_continued:
            raise queue.wrong("the candidates of its level that are left")
        if not trials and self._begun < len(self._plan):
            raise begun.wrong("the last level")
        self.trainer.forget()


explore = Mfas


def levels(network: Network) -> list[int]:
    """How many Cells the candidates of each level have; every Cell in the last.

    A level ends with a Cell that has something to choose, and is left out where the network cannot
    end there, such as where outputs are combined by an operation of two inputs.
    """
    any_choice = choose(network, {}, "per_input")
    found: list[int] = []
    for count in range(1, len(network.cells)):
        if network.cells[count - 1].holes:
            report = Report()
            short = first_cells(network, count)
            some = choose(short, {}, "per_input")
            network_of(fill(short, replace(some, cells=any_choice.cells[:count])), report)
            if not report.errors:
                found.append(count)
    return [*found, len(network.cells)]


def _extended(network: Network, prefix: Prefix) -> Iterator[Prefix]:
    """The prefix with every choice for the next Cell that the rule admits."""
    cell, taken = network.cells[len(prefix)], [cell.inputs for cell in prefix]
    for inputs in choices(cell):
        if may_follow(network, inputs, taken):
            for steps in product(*(every_step(step) for step in cell.steps)):
                yield (*prefix, CellChoice(inputs, steps))
