"""Folds: every known sample is held out once, groups stay together, and test stays out of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.network.network import Head
from fusewright.runtime.data.dataset import Dataset, load_data
from fusewright.runtime.data.folds import folds_of
from fusewright.runtime.data.split import TEST

from ...support.running import problem, spec

CLASSES = Head(3, "classes", None)


def dataset(labels: np.ndarray, split: np.ndarray, groups: np.ndarray | None) -> Dataset:
    return Dataset({"A": np.zeros((len(labels), 1), np.float32)}, labels, split, groups)


@given(st.integers(20, 80), st.integers(2, 5), st.integers(0, 99), st.booleans())
def test_every_known_sample_is_held_out_once(
    samples: int, count: int, seed: int, grouped: bool
) -> None:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 3, samples)
    split = generator.choice(3, samples, p=[0.6, 0.2, 0.2])
    split[:10] = 0
    groups = generator.integers(0, 12, samples) if grouped else None
    if groups is not None:
        groups[:10] = np.arange(10)
    data = dataset(labels, split, groups)
    folds = folds_of(data, CLASSES, count, seed)
    known = np.flatnonzero(split != TEST)
    assert len(folds) == count
    assert np.array_equal(np.sort(np.concatenate([f.held for f in folds])), known)
    for fold in folds:
        assert np.array_equal(np.sort(np.concatenate([fold.train, fold.held])), known)
        if groups is not None:
            assert not set(groups[fold.train]) & set(groups[fold.held])
    again = folds_of(data, CLASSES, count, seed)
    assert all(np.array_equal(a.held, b.held) for a, b in zip(folds, again, strict=True))


def test_classes_are_in_each_fold_as_in_the_whole() -> None:
    labels = np.repeat([0, 1, 2], [40, 20, 12])
    data = dataset(labels, np.zeros(72, np.int64), None)
    for fold in folds_of(data, CLASSES, 4, 0):
        assert np.bincount(labels[fold.held]).tolist() == [10, 5, 3]


def test_what_cannot_be_divided_is_diagnosed() -> None:
    data = dataset(np.zeros(6, np.int64), np.zeros(6, np.int64), np.array([0, 0, 0, 1, 1, 1]))
    with pytest.raises(fw.DiagnosticError, match="2 groups cannot be divided into 3 folds"):
        folds_of(data, CLASSES, 3, 0)
    with pytest.raises(fw.DiagnosticError, match="6 samples cannot be divided into 7 folds"):
        folds_of(dataset(data.labels, data.split, None), CLASSES, 7, 0)


def test_groups_are_read_as_names_or_numbers() -> None:
    network = checked(spec())
    data = problem(30)
    names = np.array(["ann", "bob", "eve"])[np.arange(30) % 3]
    loaded = load_data({**data, "groups": names}, network)
    assert loaded.groups is not None
    assert loaded.groups[:4].tolist() == [0, 1, 2, 0]
    assert load_data(data, network).groups is None
    with pytest.raises(fw.DiagnosticError, match="`groups` is"):
        load_data({**data, "groups": names[:-1]}, network)


def test_groups_stay_together_in_a_split_that_is_drawn() -> None:
    network, data = checked(spec()), problem(300)
    del data["split"]
    groups = np.random.default_rng(0).integers(0, 40, 300)
    shares: list[np.ndarray] = []
    for seed in range(5):
        split = load_data({**data, "groups": groups}, network, seed).split
        assert all(len(set(split[groups == group])) == 1 for group in set(groups))
        shares.append(np.bincount(split, minlength=3) / 300)
    assert np.allclose(np.mean(shares, 0), [0.6, 0.2, 0.2], atol=0.06)
    assert len({tuple(share) for share in shares}) > 1


def test_groups_are_part_of_what_data_are_known_by() -> None:
    network, data = checked(spec()), problem(30)
    plain = load_data(data, network).digest()
    one, other = (
        load_data({**data, "groups": np.arange(30) // n}, network).digest() for n in (2, 3)
    )
    assert len({plain, one, other}) == 3
