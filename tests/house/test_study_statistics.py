"""The study's statistics: known constants, metrics as the runtime measures them, intervals."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from benchmarks.study.diagram import diagram
from benchmarks.study.statistics import (
    MARGIN,
    alike,
    critical_difference,
    critical_value,
    friedman,
    ranks,
    verdict,
)
from numpy.typing import NDArray

from fusewright.compiler.language.nodes import HEAD_KINDS, HeadKind
from fusewright.compiler.network.network import Head
from fusewright.compiler.targets.numpy.network import logits_of
from fusewright.runtime.metrics import SELECTION_METRIC
from fusewright.runtime.predict.comparison import difference, scored
from fusewright.runtime.runs.statistics import Interval
from fusewright.runtime.training.scores import metrics_of

DEMSAR = {2: 1.960, 3: 2.343, 4: 2.569, 5: 2.728, 6: 2.850, 7: 2.949, 8: 3.031, 9: 3.102, 10: 3.164}
"""Critical values of Nemenyi's test at 0.05: Table 5 (a) of Demšar (2006)."""


@pytest.mark.parametrize("count", DEMSAR)
def test_critical_values_are_those_of_the_table(count: int) -> None:
    assert critical_value(count) == pytest.approx(DEMSAR[count], abs=1e-3)


def test_the_critical_difference_is_that_of_the_published_example() -> None:
    """Four classifiers on fourteen sets."""
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=5e-3)


def test_equal_scores_share_their_ranks() -> None:
    found = ranks(np.array([[0.9, 0.7, 0.8], [0.5, 0.5, 0.1]]))
    assert found.tolist() == [[1, 3, 2], [1.5, 1.5, 3]]


def test_one_order_on_every_set_is_no_chance() -> None:
    """Of three contenders on ten sets: χ² = 20 with two degrees of freedom."""
    assert friedman(np.tile([0.1, 0.2, 0.3], (10, 1))) == pytest.approx(np.exp(-10))


def test_those_within_the_difference_are_alike() -> None:
    assert alike([3.0, 1.0, 1.5, 2.2], 1.0) == [(1, 2), (2, 3), (3, 0)]
    assert alike([1.0, 2.0, 3.0], 0.5) == []
    assert alike([1.0, 1.1, 1.2], 0.5) == [(0, 1, 2)]


def made_up(kind: HeadKind, seed: int) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Probabilities or values (2, 40, 3), and labels."""
    generator = np.random.default_rng(seed)
    outputs = generator.uniform(0.05, 0.95, (2, 40, 3))
    if kind == "classes":
        return outputs / outputs.sum(-1, keepdims=True), generator.integers(3, size=40)
    if kind == "labels":
        return outputs, generator.integers(2, size=(40, 3))
    return outputs, outputs[0] + generator.normal(size=(40, 3))


@pytest.mark.parametrize("kind", HEAD_KINDS)
def test_metrics_are_those_of_the_runtime(kind: HeadKind) -> None:
    outputs, labels = made_up(kind, 0)
    found = scored(kind, outputs, labels).metrics
    for own, one in zip(outputs, found, strict=True):
        logits = logits_of(own, Head(3, kind, None))
        expected = metrics_of(
            Head(3, kind, None), torch.from_numpy(logits), torch.from_numpy(np.asarray(labels))
        )
        assert one == pytest.approx(expected[SELECTION_METRIC[kind]], abs=1e-6)


@pytest.mark.parametrize("kind", HEAD_KINDS)
def test_a_contender_does_not_differ_from_itself(kind: HeadKind) -> None:
    one = scored(kind, *made_up(kind, 0))
    found = difference(one, one, resamples=200)
    assert (found.mean, found.low, found.high) == (0, 0, 0)
    assert verdict(found) == "undecided"


def right(share: float, seeds: int, samples: int = 1000) -> NDArray[np.float64]:
    """Outputs of two classes for labels that are all 0, right for a share of the samples."""
    outputs = np.zeros((seeds, samples, 2))
    outputs[:, : round(share * samples), 0] = 1
    outputs[:, round(share * samples) :, 1] = 1
    return outputs


def test_an_interval_is_as_wide_as_the_differences_vary() -> None:
    """Of 1,000 pairs, 100 differ by one: mean 0.1, standard error √(0.09 / 1000)."""
    labels = np.zeros(1000, np.int64)
    high, low = (scored("classes", right(share, 3), labels) for share in (0.9, 0.8))
    found = difference(high, low)
    assert found.mean == pytest.approx(0.1)
    half = 1.96 * np.sqrt(0.09 / 1000)
    assert found.low == pytest.approx(0.1 - half, abs=2e-3)
    assert found.high == pytest.approx(0.1 + half, abs=2e-3)
    assert verdict(found) == "above"
    assert verdict(difference(low, high)) == "below"
    assert difference(high, low) == found


def test_samples_of_one_group_are_one_draw() -> None:
    labels = np.zeros(1000, np.int64)
    high, low = (scored("classes", right(share, 1), labels) for share in (0.9, 0.8))
    alone = difference(high, low, resamples=500)
    together = difference(high, low, np.arange(1000) // 50, resamples=500)
    assert together.mean == alone.mean
    assert together.high - together.low > 3 * (alone.high - alone.low)


def test_seeds_vary_too() -> None:
    labels = np.zeros(1000, np.int64)
    mixed = np.concatenate([right(0.95, 1), right(0.75, 1)])
    steady = scored("classes", right(0.8, 3), labels)
    found = difference(scored("classes", mixed, labels), steady, resamples=500)
    assert found.low < 0 < found.high


@pytest.mark.parametrize(
    ("mean", "low", "high", "expected"),
    [
        (0.02, 0.01, 0.03, "above"),
        (-0.02, -0.03, -0.01, "below"),
        (0.02, -0.01, 0.05, "undecided"),
        (MARGIN / 2, 0.001, MARGIN, "undecided"),
    ],
)
def test_a_verdict_is_certain_and_matters(
    mean: float, low: float, high: float, expected: str
) -> None:
    assert verdict(Interval(mean, low, high)) == expected


def test_the_diagram_names_every_contender_and_escapes() -> None:
    mean_ranks = {"late <fusion>": 1.5, "simbamm": 1.9, "a & b": 2.9, "'four'": 3.7}
    root = ElementTree.fromstring(diagram(mean_ranks, 1.2))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    texts = [element.text for element in root.iter() if element.text]
    assert set(mean_ranks) <= set(texts)
    thick = [e for e in root.iter() if e.get("stroke-width") == "4"]
    assert len(thick) == 3


def test_resamples_in_which_a_value_does_not_vary_are_left_out() -> None:
    truth = np.repeat([[0.0], [1.0]], 10, 0)
    outputs = np.random.default_rng(0).normal(truth, 0.1)[None]
    groups = np.repeat([0, 1], 10)
    found = difference(
        scored("values", outputs, truth), scored("values", outputs * 0.9, truth), groups
    )
    assert all(np.isfinite((found.mean, found.low, found.high)))
    assert abs(found.low) < 1
