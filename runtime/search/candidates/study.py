"""Studies: which points of a space were tried, how well they did, and which is tried next.

NOTE: optuna's samplers propose, and its storages are shared. It is imported here and by the
strategies that name a sampler, and these when they are used. A sampler is made anew for every
point, seeded by the number of the trial, and depends on finished trials alone; so these are all the
state that there is.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from math import inf, isnan
from typing import Any, Protocol

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from ....compiler.diagnostics.diagnostic import DiagnosticError, fail
from ...runs.checkpoint import State
from ...runs.saved import Saved
from ...settings import Settings
from .storage import opened, shown

Point = Mapping[str, int]
"""The place of a candidate in every hole, by the name of its architecture parameter."""
TRAINED, GENOTYPE = "trained", "genotype"
"""Attributes of a trial in a storage."""
REMEDY = "give a journal file of a study, one that is not there yet, or the URL of a database"


@dataclass(frozen=True)
class Asked:
    """A point to be tried; `attributes` are what the sampler keeps with it."""

    number: int
    point: Point
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Finished:
    """A point with its score; `trained` is the number of the trial that was trained for it."""

    asked: Asked
    score: float
    trained: int


class Study(Protocol):
    """What is known of a space, and what to try in it; whether it is one process's own."""

    is_own: bool

    def ask(self, ahead: int = 0) -> Asked:
        """The next point to be tried; `ahead` is how many were asked for and not told yet."""
        ...

    def begin(self, asked: Asked, trained: int, genotype: str) -> None:
        """Says, where others read it, what will be told soon: of which genotype and trial."""
        ...

    def tell(self, asked: Asked, score: float, trained: int) -> None:
        """Keeps how well a point did."""
        ...

    def finished(self) -> Sequence[Finished]:
        """The points whose score is known, in the order of their numbers."""
        ...

    def state(self) -> list[Any]:
        """What `restore` goes on from; nothing where it is kept elsewhere."""
        ...

    def restore(self, saved: Saved, done: int) -> None:
        """Goes on from the state of another study, after so many rounds."""
        ...


Sampler = Callable[[int], BaseSampler]
"""A sampler of a seed."""
Ahead = Callable[[int], int]
"""From how many points are finished, how many can be asked for before the next is told, none of
them depending on another."""


def _of_trial(sampler: Sampler, seed: int, number: int) -> BaseSampler:
    """The sampler for the trial of a number."""
    sequence = np.random.SeedSequence((seed, number))
    return sampler(int(sequence.generate_state(1)[0]))


@contextmanager
def _quiet() -> Generator[None]:
    """Within, optuna neither logs nor warns."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        optuna.logging.set_verbosity(before)


def _distributions(sizes: Mapping[str, int]) -> dict[str, BaseDistribution]:
    return {name: CategoricalDistribution(range(size)) for name, size in sizes.items()}


# In memory


class OwnStudy:
    """A study of one process, built anew from its finished trials whenever it is asked."""

    is_own = True

    def __init__(self, sizes: Mapping[str, int], sampler: Sampler, settings: Settings) -> None:
        """`sizes` says how many candidates each hole has."""
        self._sizes = sizes
        with _quiet():
            self._distributions = _distributions(sizes)
        self._sampler = partial(_of_trial, sampler, settings.seed)
        self._finished: list[Finished] = []

    def ask(self, ahead: int = 0) -> Asked:
        number = len(self._finished) + ahead
        with _quiet():
            study = optuna.create_study(direction="maximize", sampler=self._sampler(number))
            study.add_trials([self._trial(one) for one in self._finished])
            trial = study.ask(self._distributions)
            (kept,) = study.get_trials(deepcopy=False, states=[TrialState.RUNNING])
        return Asked(number, dict(trial.params), dict(kept.system_attrs))

    def _trial(self, one: Finished) -> FrozenTrial:
        return create_trial(
            value=one.score,
            params=dict(one.asked.point),
            distributions=self._distributions,
            system_attrs=dict(one.asked.attributes),
        )

    def begin(self, asked: Asked, trained: int, genotype: str) -> None:
        pass

    def tell(self, asked: Asked, score: float, trained: int) -> None:
        self._finished.append(Finished(asked, score, trained))

    def finished(self) -> Sequence[Finished]:
        return self._finished

    def state(self) -> list[Any]:
        return [[asked_state(one.asked), float(one.score), one.trained] for one in self._finished]

    def restore(self, saved: Saved, done: int) -> None:
        rows = [one.items(least=3, most=3) for one in saved.items(least=done, most=done)]
        self._finished = []
        for number, (point, score, trained) in enumerate(rows):
            asked = asked_of(point, self._sizes)
            if asked.number != number:
                raise point.at("number").wrong(f"{number}")
            told = score.number(finite=False)
            self._finished.append(Finished(asked, told, trained.integer(most=number)))
        saved.tried("what its sampler can go on from", self.ask)


def asked_state(asked: Asked) -> State:
    """A point to be tried, for a checkpoint."""
    attributes = dict(asked.attributes)
    return {"number": asked.number, "point": dict(asked.point), "attributes": attributes}


def asked_of(saved: Saved, sizes: Mapping[str, int]) -> Asked:
    """The point that `asked_state` wrote down, in a space of these sizes."""
    places = saved.at("point").fields(list(sizes))
    point = {name: places[name].integer(most=size - 1) for name, size in sizes.items()}
    attributes = {name: one.plain() for name, one in saved.at("attributes").named().items()}
    return Asked(saved.at("number").integer(), point, attributes)


# In a storage


class SharedStudy:
    """A study in a storage, which several processes try points for at once.

    A process that has died leaves a trial that runs for ever and that nobody waits for.
    """

    is_own = False

    def __init__(
        self, sizes: Mapping[str, int], sampler: Sampler, settings: Settings, name: str
    ) -> None:
        """Opens the study of that name, or begins it, in the storage of the settings."""
        self._sizes, self._place = sizes, settings.storage
        with self._storing():
            self._distributions = _distributions(sizes)
            storage = opened(settings.storage)
            self._require_sound(storage, name)
            self._study = optuna.create_study(
                storage=storage,
                study_name=name,
                direction="maximize",
                sampler=_Anew(partial(_of_trial, sampler, settings.seed)),
                load_if_exists=True,
            )

    def _require_sound(self, storage: BaseStorage, name: str) -> None:
        """Raises ValueError before anything is written where the study cannot be gone on with."""
        studies = [s for s in optuna.get_all_study_summaries(storage) if s.study_name == name]
        if not studies:
            return
        for trial in optuna.load_study(study_name=name, storage=storage).get_trials(deepcopy=False):
            known = ((n, self._distributions.get(n)) for n in trial.params)
            if any(trial.distributions[n] != distribution for n, distribution in known):
                raise ValueError("a trial is none of this space")
            if trial.state is TrialState.COMPLETE:
                self._read(trial)

    def ask(self, ahead: int = 0) -> Asked:
        with self._storing():
            self._asked = self._study.ask(self._distributions)
            return Asked(self._asked.number, self._point(self._asked.params))

    def begin(self, asked: Asked, trained: int, genotype: str) -> None:
        with self._storing():
            self._asked.set_user_attr(TRAINED, trained)
            self._asked.set_user_attr(GENOTYPE, genotype)

    def tell(self, asked: Asked, score: float, trained: int) -> None:
        with self._storing():
            self._study.tell(asked.number, score, skip_if_finished=True)

    def finished(self) -> Sequence[Finished]:
        with self._storing():
            trials = self._study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
            return [self._read(trial) for trial in trials]

    def _read(self, trial: FrozenTrial) -> Finished:
        """A trial that may have been written by anyone."""
        score, trained = trial.value, trial.user_attrs.get(TRAINED, trial.number)
        if not isinstance(score, float) or isnan(score) or score == inf:
            raise ValueError("a trial has no score")
        if not isinstance(trained, int) or trained < 0:
            raise ValueError("a trial was trained under no number")
        return Finished(Asked(trial.number, self._point(trial.params)), score, trained)

    def _point(self, params: Mapping[str, Any]) -> Point:
        fits = params.keys() == self._sizes.keys() and all(
            isinstance(place, int) and 0 <= place < self._sizes[name]
            for name, place in params.items()
        )
        if not fits:
            raise ValueError("a trial is none of this space")
        return dict(params)

    @contextmanager
    def _storing(self) -> Generator[None]:
        """Within, whatever a storage raises is a diagnostic.

        NOTE: what is read was written by anyone; optuna replays it as it stands, and its errors and
        those of database drivers have no common base.
        """
        try:
            with _quiet():
                yield
        except DiagnosticError:
            raise
        except OSError as error:
            message = f"cannot use {shown(self._place)}: {error.strerror or error}"
            raise fail("E504", message, help="choose another storage") from None
        except Exception as error:  # noqa: BLE001  (of any database)
            name = type(error).__name__
            message = f"{shown(self._place)} cannot hold the study of this search: {name}"
            raise fail("E507", message, help=REMEDY) from None

    def state(self) -> list[Any]:
        return []

    def restore(self, saved: Saved, done: int) -> None:
        saved.items(most=0)


class _Anew(BaseSampler):
    """Hands every trial to a sampler of its own."""

    def __init__(self, of_trial: Callable[[int], BaseSampler]) -> None:
        self._of_trial = of_trial

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        self._inner = self._of_trial(trial.number)
        self._inner.before_trial(study, trial)

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return self._inner.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self._inner.sample_relative(study, trial, search_space)

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        return self._inner.sample_independent(study, trial, param_name, param_distribution)
