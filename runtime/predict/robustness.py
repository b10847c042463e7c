"""How a network does where modalities are missing: its metric along the share of samples without.

Which samples lack an optional modality is drawn at random several times, and what lacks at a share
lacks at every larger one. A network gives the same for a sample whatever it is given beside it, so
the samples are computed once for each set of modalities that some of them lack.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...compiler.diagnostics.diagnostic import Diagnostic, Note, Report, fail
from ...compiler.network.names import presence_name
from ...compiler.network.network import Network
from ...compiler.program.program import INPUT
from ...compiler.program.weights import WeightSource
from ..data.checks import warn
from ..data.dataset import Dataset
from ..data.presence import all_lacking
from ..data.sources import Data, source_of
from ..data.split import TEST
from ..metrics import SELECTION_METRIC
from ..progress import Progress, no_progress
from ..runs.missing import MissingCurve, MissingPoint, Robustness
from ..settings import Settings
from .comparison import Scored, intervals, scored_by_head
from .evaluate import to_evaluate
from .open import Model, open_predictor
from .outputs import shares_in
from .predictor import Predictor

SHARES = tuple(step / 10 for step in range(11))
"""The shares of samples that lack a modality."""
MASKS = 20
"""How often it is drawn which samples do."""
RESAMPLES = 1_000


def robustness(
    model: Model,
    data: Data,
    *,
    weights: WeightSource | None = None,
    settings: Settings | None = None,
    progress: Progress = no_progress,
    **options: Any,
) -> Robustness:
    """The metric that selects, on the test split, where ever more samples lack modalities.

    `model`, `data` and `options` are as in `evaluate`; the setting `seed` draws which samples lack
    what. Raises DiagnosticError where the network has no optional modality.
    """
    predictor = open_predictor(model, weights)
    settings = (settings or predictor.settings).with_options(**options)
    require_optional(predictor.network)
    samples = to_evaluate(predictor, source_of(data), settings)
    return robustness_with(predictor, samples, settings, progress)


def require_optional(network: Network) -> list[str]:
    """The modalities that samples may lack; raises DiagnosticError where there are none."""
    names = [m.name for m in network.spec.modalities if m.optional]
    if not names:
        first = network.spec.modalities[0].name
        message = f"samples of `{network.name}` cannot lack a modality: none is optional"
        remedy = f"write `modality {first} optional {{ … }}`, and train it anew"
        raise fail("E506", message, help=remedy)
    return names


def robustness_with(
    predictor: Predictor, samples: Dataset, settings: Settings, progress: Progress = no_progress
) -> Robustness:
    """The curves of a network that is open, on the test split of samples."""
    network, test = predictor.network, samples.indices(TEST)
    names = require_optional(network)
    warn(_idle(predictor, names))
    every = np.ones(len(samples.labels), np.int64)
    present = [samples.features.get(presence_name(name), every)[test] == 1 for name in names]
    orders = _orders(present, settings.seed)
    together: list[tuple[int, ...]] = [(place,) for place in range(len(names))]
    together += [tuple(range(len(names)))] * (len(names) > 1)
    given = _Outputs(predictor, samples, test, names, settings)
    curves = [[_lacking(orders, own, share) for share in SHARES] for own in together]
    given.compute([codes for curve in curves for codes in curve], progress)
    flat = [given.scored(codes) for curve in curves for codes in curve]
    _require_numbers(flat, SELECTION_METRIC[network.head.kind])
    groups = None if samples.groups is None else samples.groups[test]
    found = intervals(flat, groups, resamples=RESAMPLES, seed=settings.seed)
    points = (
        MissingPoint(share, one.mean, one.low, one.high)
        for share, one in zip(cycle(SHARES), found, strict=False)
    )
    return Robustness(
        SELECTION_METRIC[network.head.kind],
        len(test),
        MASKS,
        tuple(
            MissingCurve(tuple(names[place] for place in own), tuple(islice(points, len(SHARES))))
            for own in together
        ),
        tuple(m.name for m in network.spec.modalities if not m.optional),
    )


def _idle(predictor: Predictor, names: Sequence[str]) -> tuple[Diagnostic, ...]:
    """Says of which modalities the network takes nothing: its score is the same without them."""
    taken = {value.name for value in predictor.program.values if value.primitive == INPUT}
    report = Report()
    for modality in predictor.network.spec.modalities:
        if modality.name in names and taken.isdisjoint(f.name for f in modality.features):
            message = f"the network takes no feature of `{modality.name}`"
            note = Note("the score is the same without it")
            report.add("W402", message, modality.span, notes=[note])
    return tuple(report.diagnostics)


def _require_numbers(several: Sequence[Scored], metric: str) -> None:
    """Raises DiagnosticError where the metric means nothing."""
    if not all(np.isfinite(one.metrics).all() for one in several):
        message = f"`{metric}` of the test split is no number: a value does not vary there"
        raise fail("E503", message, help="give test samples whose values differ")


def _orders(present: Sequence[NDArray[np.bool_]], seed: int) -> NDArray[np.float64]:
    """When each sample comes to lack each modality, (masks, modalities, samples).

    Shares from 0 of the samples that have it; above 1 where a sample lacks it already.
    """
    generator = np.random.default_rng(seed)
    orders = np.full((MASKS, len(present), len(present[0])), 2.0)
    for of_mask in orders:
        for order, there in zip(of_mask, present, strict=True):
            count = int(there.sum())
            order[there] = (generator.permutation(count) + 0.5) / max(1, count)
    return orders


def _lacking(
    orders: NDArray[np.float64], modalities: Sequence[int], share: float
) -> NDArray[np.int64]:
    """What samples lack at a share, as a sum of two to the power of places, (masks, samples)."""
    chosen = orders[:, list(modalities)] < share
    codes: NDArray[np.int64] = (chosen * (1 << np.array(modalities))[:, None]).sum(1)
    return codes


@dataclass(frozen=True)
class _Outputs:
    """What a network gives for test samples that lack this or that: probabilities or values."""

    predictor: Predictor
    data: Dataset
    test: NDArray[np.int64]
    names: Sequence[str]
    settings: Settings
    known: dict[int, tuple[NDArray[np.int64], NDArray[Any]]] = field(
        default_factory=dict[int, tuple[NDArray[np.int64], NDArray[Any]]]
    )
    """By what is lacking, the places of samples that do, in order, and their outputs."""

    def compute(self, wanted: Sequence[NDArray[np.int64]], progress: Progress) -> None:
        """Computes what `scored` needs for all that is wanted, each of it (masks, samples)."""
        needed: dict[int, NDArray[np.bool_]] = {}
        for codes in wanted:
            for code in np.unique(codes).tolist():
                here = (codes == code).any(0)
                needed[code] = needed.get(code, here) | here
        whole, done = sum(int(here.sum()) for here in needed.values()), 0
        for code, here in needed.items():
            places = np.flatnonzero(here)
            self.known[code] = places, self._given(code, places)
            done += len(places)
            progress(done, whole)

    def _given(self, code: int, places: NDArray[np.int64]) -> NDArray[Any]:
        network, chosen = self.predictor.network, self.test[places]
        lacking = [name for place, name in enumerate(self.names) if code >> place & 1]
        data = replace(self.data, features=all_lacking(self.data.features, network, lacking))
        outputs = self.predictor.outputs(data, chosen, self.settings, no_progress)
        return shares_in(network.head, self.predictor.output, outputs.astype(np.float64))

    def scored(self, codes: NDArray[np.int64]) -> Scored:
        """What the outputs are worth of samples that lack what (masks, samples) says."""
        head = self.predictor.network.head
        outputs = np.empty((*codes.shape, head.count))
        for code in np.unique(codes).tolist():
            masks, places = np.nonzero(codes == code)
            computed, given = self.known[code]
            outputs[masks, places] = given[np.searchsorted(computed, places)]
        one = scored_by_head(head, outputs, self.data.labels[self.test])
        return replace(one, parts=one.parts.mean(0, keepdims=True))
