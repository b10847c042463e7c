"""Controls: what a search has to beat, scored on the samples that its genotype is scored on.

Simple models, networks without a Cell, the genotype in trusted fusion beside its modalities (TEF),
and at the search's own cost random genotypes (`random_controls.py`). They learn what the candidates
of the search learned: all but what a fold holds out where finalists were compared by folds, else,
and beside random genotypes, the training split; the test split is never read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

from ...compiler.check.check import checked
from ...compiler.diagnostics.diagnostic import DiagnosticError
from ...compiler.graph.build import build
from ...compiler.language.spec import Spec
from ...compiler.language.without_cells import is_beside
from ...compiler.lowering.lower import lower
from ...compiler.measure.sizes import count_macs
from ...compiler.network.holes import Relaxation
from ...compiler.network.network import Network
from ...compiler.passes import optimise
from ..data.batches import Batches
from ..data.classes import with_names
from ..data.dataset import Dataset
from ..data.folds import Fold, chosen_folds
from ..data.seen import Readings
from ..data.several import joined_labels, outputs_by_head
from ..data.sources import Data, source_of
from ..data.split import TEST, TRAIN
from ..latency.profile import read_profile
from ..metrics import SELECTION_METRIC
from ..parallel.interrupt import Interrupt
from ..parallel.processes import join, rank
from ..parallel.threads import computing
from ..predict.comparison import difference, scored_by_head
from ..progress import clock_text
from ..runs.begin import found_again
from ..runs.beside import of_a_genotype
from ..runs.controls import Control, Controls
from ..settings import Settings
from ..training.fitting import device_of, predict_all, start_from
from ..training.modality_dropout import without_if_alone
from ..training.objective import shares_of
from ..training.prepare import prepare
from ..training.scores import score_of
from ..training.together import Member, train_networks
from .allowance import Allowance
from .baselines import baselines
from .candidates.starts import RESTART, own_of
from .loop import SearchResult
from .meter import STEP, Meter, unit_macs, unit_program
from .perceptron import NARROW
from .plans import CONTROL
from .random_controls import RandomControls
from .search import with_rule
from .simple import Outputs, simple_models
from .strategy import ENSEMBLE, GENOTYPE, PERCEPTRON, RESAMPLES, SEARCHED, Problem
from .tef import TEF, tef
from .variants import budgets_of

FOUND, MEAN_OF_MEMBERS, SIMPLE_MODELS = "found genotype", "ensemble", "simple models"
SIMPLE = 2
"""Networks that simple models take the time of."""
Told = Callable[[str, float], None]
"""Receives the name and score of every model that has been trained."""


def count_of_controls(spec: Spec, settings: Settings) -> int:
    """The networks that the controls of a specification cost as much as, without random ones.

    Raises DiagnosticError where the specification is none.
    """
    checked(with_rule(spec, settings))
    views = tef(spec) is not None and _takes_views(settings)
    return SIMPLE + len(baselines(spec)) + views


def _takes_views(settings: Settings) -> bool:
    """Whether views, which learn by a loss of their own, learn what is asked for."""
    return not (settings.loss or settings.class_weights)


def compare_with_controls(
    spec: Spec,
    data: Data,
    found: SearchResult,
    *,
    settings: Settings,
    out: str | PathLike[str] | None = None,
    told: Told | None = None,
    random: bool = True,
    readings: Readings | None = None,
    allowance: Allowance | None = None,
) -> Controls:
    """Trains the controls of what a search found, and scores all of them on the same samples.

    Without `random` genotypes, which cost as much as the search, they are cheap.
    `spec`, `data` and `settings` are those of the search. With `out`, its run folder, the result is
    written there. What `readings` have of the data is not read again. The `allowance` is what is
    left of the time of the search; without it there is no limit. Raises DiagnosticError where the
    data or the settings cannot be used, or the folder is not that of the search.
    """
    data = source_of(data)
    network = with_names(checked(with_rule(spec, settings)), data)
    here = settings.with_options(device=join(settings.device))
    with found_again(out, found.history) as folder, computing(settings.threads):
        samples = (readings or Readings()).weighted(data, network, settings)
        by_folds = found.held_out is not None and settings.compares_by_folds and not random
        usual = settings if by_folds else settings.with_options(folds=1)
        folds = chosen_folds(samples, network.head, usual)
        here = here.for_samples(samples.learned)
        comparison = _Comparison(network, samples, here, told, folds, allowance or Allowance())
        controls = comparison.run(found, random=random)
        if folder is not None and rank() == 0:
            controls.write(folder.path)
    return controls


class _Comparison:
    """Contenders by what they give for samples that folds hold out, in the order of the data."""

    def __init__(
        self,
        network: Network,
        data: Dataset,
        settings: Settings,
        told: Told | None,
        folds: Sequence[Fold],
        allowance: Allowance,
    ) -> None:
        self.network, self.data, self.settings, self.told = network, data, settings, told
        self.device, self.folds, self.allowance = device_of(settings), folds, allowance
        self.held = np.concatenate([fold.held for fold in folds])
        self._judge(np.sort(self.held))
        self.relax: Relaxation = cast(Relaxation, settings.relax)
        profile = read_profile(settings.profile) if settings.profile else None
        self.budgets = budgets_of(network, self.relax, profile)
        self.unit = unit_macs(unit_program(network))
        self.training = self.of_found = settings

    def _judge(self, samples: NDArray[np.int64]) -> None:
        """Lets contenders be compared by these samples, of those that are held out."""
        order = np.argsort(self.held)
        self.order = order[np.searchsorted(self.held[order], samples)]
        self.truth = self.data.labels[samples]
        self.groups = None if self.data.groups is None else self.data.groups[samples]

    def run(self, found: SearchResult, *, random: bool) -> Controls:
        self.training = self._with(found.candidate_training)
        self.of_found = self._with(found.training)
        known: Mapping[str, Outputs] = {}
        if found.held_out is not None and not random:
            known = found.held_out.outputs
            self._judge(found.held_out.samples)
        cost, bought = found.cost["weight_steps"], 0
        specs = baselines(self._usual(found.genotype)) | self._views(found.genotype)
        if GENOTYPE in known:
            first = known[GENOTYPE]
        elif (score := found.score) is not None and not self._has_time_for_controls():
            row = Control(FOUND, score, (score,), self._cost(found.genotype))
            return self._controls(found, [row], self._all_left_out(specs))
        else:
            (first,) = self._networks({FOUND: found.genotype}, []).values()
        rows = [self._row(FOUND, first, None, found.genotype)]
        if ENSEMBLE in known:
            rows.append(self._row(MEAN_OF_MEMBERS, known[ENSEMBLE], first))
        if SEARCHED in known:
            row = self._row(SEARCHED, known[SEARCHED], first)
            rows.append(replace(row, is_kept=False))
        if PERCEPTRON in known:
            rows.append(self._row(PERCEPTRON, known[PERCEPTRON], first))
        if known.keys() & {SEARCHED, PERCEPTRON}:
            del specs[PERCEPTRON]
        left_out: list[str] = []
        for name, outputs in self._simple(left_out):
            rows.append(self._row(name, outputs, first))
        train = self._in_time if self.allowance.is_limited else self._networks
        for name, outputs in train(specs, left_out).items():
            rows.append(self._row(name, outputs, first, specs[name]))
        if random:
            drawn = RandomControls(self._problem(self.network), self.settings, self._tell)
            several, bought = drawn.rows(cost)
            rows += several
        return self._controls(found, rows, left_out, bought)

    def _with(self, own: Settings | None) -> Settings:
        """The settings of the search, with those that a network was trained with."""
        return self.settings.with_options(**(of_a_genotype(own) if own else {}))

    def _controls(
        self, found: SearchResult, rows: list[Control], left_out: list[str], bought: int = 0
    ) -> Controls:
        return Controls(
            SELECTION_METRIC[self.network.head.kind], self.training.epochs,
            found.cost["weight_steps"], bought, tuple(rows), tuple(left_out), len(self.folds),
        )  # fmt: skip

    def _has_time_for_controls(self) -> bool:
        """Whether what was found can be trained anew, and one network to compare it with."""
        allowance = self.allowance
        return not allowance.is_limited or self._expected(2) <= allowance.left

    def _all_left_out(self, specs: Mapping[str, Spec]) -> list[str]:
        """That there is no time for any control."""
        each, left = self._expected(1), self.allowance.left
        simple = _told(SIMPLE_MODELS, self._expected(SIMPLE), left)
        return [simple, *(_told(name, each, left) for name in specs)]

    def _row(
        self, name: str, outputs: Outputs, first: Outputs | None, spec: Spec | None = None
    ) -> Control:
        """A contender, and by how much the found genotype, `first`, is ahead of it."""
        head = self.network.head
        score = score_of(head, outputs, self.truth)
        self._tell(name, score)
        cost = 0.0 if spec is None else self._cost(spec)
        if first is None:
            return Control(name, score, (score,), cost)
        best, other = (scored_by_head(head, one[None], self.truth) for one in (first, outputs))
        ahead = difference(best, other, self.groups, resamples=RESAMPLES, seed=self.settings.seed)
        return Control(name, score, (score,), cost, ahead)

    def _cost(self, spec: Spec) -> float:
        """The weight steps that a network takes in all folds."""
        macs = count_macs(optimise(lower(build(checked(spec))), "training"))
        return Meter(self.unit, self.settings.batch).weight_steps(macs * self._samples * STEP)

    def _simple(self, left_out: list[str]) -> list[tuple[str, Outputs]]:
        if self.allowance.is_limited:
            needed, left = self._expected(SIMPLE), self.allowance.left
            if needed > left:
                left_out.append(_told(SIMPLE_MODELS, needed, left))
                return []
        try:
            models = simple_models(
                self.data, self.network, self.folds, self.settings.seed,
                class_weights=self.training.class_weights,
            )  # fmt: skip
            return [(name, outputs[self.order]) for name, outputs in models]
        except (DiagnosticError, ValueError, MemoryError) as error:  # whatever the data are
            left_out.append(f"{SIMPLE_MODELS}: {error}")
            return []

    def _usual(self, genotype: Spec) -> Spec:
        """The genotype, or the space with its numbers where it stands beside that."""
        if not is_beside(genotype, self.network.space):
            return genotype
        return replace(self.network.spec, network=genotype.network)

    def _views(self, genotype: Spec) -> dict[str, Spec]:
        """The genotype as a view beside single ones, which learns by a loss of its own."""
        views = tef(genotype)
        return {TEF: views} if views is not None and _takes_views(self.training) else {}

    def _in_time(self, specs: Mapping[str, Spec], left_out: list[str]) -> dict[str, Outputs]:
        """What networks give that there is time for: those of the fewest multiply-adds go first."""
        found: dict[str, Outputs] = {}
        waiting = sorted(specs, key=lambda name: self._known_cost(specs[name]))
        while waiting:
            each, left = self._expected(1), self.allowance.left
            count = int(max(0.0, left) // each) if each else len(waiting)
            if not count:
                left_out += [_told(name, each, left) for name in waiting]
                break
            found |= self._networks({name: specs[name] for name in waiting[:count]}, left_out)
            waiting = waiting[count:]
        return {name: found[name] for name in specs if name in found}

    def _known_cost(self, spec: Spec) -> float:
        """The weight steps that a network takes; none where it cannot be made."""
        try:
            return self._cost(spec)
        except DiagnosticError:
            return 0.0

    @property
    def _samples(self) -> int:
        """The samples that a network is trained on in all folds, as often as it is."""
        return self.training.epochs * sum(len(fold.train) for fold in self.folds)

    def _expected(self, controls: int) -> float:
        """The seconds that so many controls are likely to take."""
        longest = self.training.epochs * max(len(fold.train) for fold in self.folds)
        return self.allowance.expected(controls * max(CONTROL * longest, self._samples))

    def _networks(self, specs: Mapping[str, Spec], left_out: list[str]) -> dict[str, Outputs]:
        """What networks give for what is held out, trained together; those that can be."""
        networks: dict[str, Network] = {}
        for name, spec in specs.items():
            try:
                networks[name] = checked(spec)
            except DiagnosticError as error:
                left_out.append(f"{name}: {error.diagnostics[0].message}")
        try:
            return self._trained(networks)
        except DiagnosticError as error:
            alone = next(iter(networks)) if len(networks) == 1 else None
            if alone == FOUND:
                raise
            if alone is not None:
                left_out.append(f"{alone}: {error.diagnostics[0].message}")
                return {}
        found: dict[str, Outputs] = {}
        for name in networks:  # one of them cannot be trained
            found |= self._networks({name: specs[name]}, left_out)
        return found

    def _trained(self, networks: Mapping[str, Network]) -> dict[str, Outputs]:
        parts: dict[str, list[Outputs]] = {name: [] for name in networks}
        ready = {
            name: prepare(network, self.data, self.settings, self.device)
            for name, network in networks.items()
        }
        pairs = [(name, fold) for fold in self.folds for name in networks]
        members = [self._member(networks[n], fold, self._training_of(n)) for n, fold in pairs]
        for (name, fold), result in zip(pairs, train_networks(members), strict=True):
            module, features = ready[name]
            start_from(module, result.weights)
            batches = Batches(features, fold.held, self.settings.batch, self.device)
            outputs = predict_all(module, batches)
            if self._is_of_views(networks[name]):
                outputs = outputs_by_head(networks[name].head, outputs)[-1]  # all, combined
            parts[name].append(shares_of(self.network.head, outputs))
        return {name: np.concatenate(given)[self.order] for name, given in parts.items()}

    def _training_of(self, name: str) -> Settings:
        """The settings of the best candidate, but of what was found and of a perceptron its own."""
        if name in (FOUND, TEF):
            return self.of_found
        if name != PERCEPTRON:
            return self.training
        own = dict(own_of(NARROW, self.settings))
        if RESTART in own:
            own[RESTART] = self.training.epochs
        return self.training.with_options(**own)

    def _member(self, network: Network, fold: Fold, training: Settings) -> Member:
        """A network with what it learns: each head of views learns the genotype's labels."""
        split = np.full(len(self.data.labels), TEST)
        split[fold.train] = TRAIN
        data = replace(self.data, split=split)
        if self._is_of_views(network):
            every = [data.labels] * len(network.heads)
            data = replace(data, labels=joined_labels(every))
        return Member(network, data, without_if_alone(network, training))

    def _is_of_views(self, network: Network) -> bool:
        return bool(network.heads) and not self.network.heads

    def _problem(self, network: Network) -> Problem:
        meter = Meter(self.unit, self.settings.batch)
        generator = torch.Generator().manual_seed(self.settings.seed)
        return Problem(
            network, self.data, self.training, self.device, self.relax, meter, generator,
            Interrupt(), self.budgets,
        )  # fmt: skip

    def _tell(self, name: str, score: float) -> None:
        if self.told is not None and rank() == 0:
            self.told(name, score)


def _told(name: str, seconds: float, left: float) -> str:
    """That there is no time for a control."""
    needed, had = clock_text(seconds), clock_text(max(0.0, left))
    return f"{name}: it would take about {needed}, of {had} that are left"
