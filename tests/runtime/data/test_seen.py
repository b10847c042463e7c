"""Validation samples count more where backbones have seen the training samples, and are said to."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fusewright.compiler.check.check import checked
from fusewright.compiler.diagnostics.diagnostic import DataWarning, DiagnosticError
from fusewright.compiler.network.network import Network
from fusewright.runtime.data.batches import Batches
from fusewright.runtime.data.dataset import Dataset, load_data
from fusewright.runtime.data.parts import Parts
from fusewright.runtime.data.seen import MOST_SAMPLES, USUAL_WEIGHT, saw_training, weighted
from fusewright.runtime.data.split import TRAIN, VALIDATION
from fusewright.runtime.settings import Settings
from fusewright.runtime.training.ensemble import train_ensemble

from ...support.ensembles import ensemble
from ...support.running import problem, spec

NETWORK = checked(spec())


def told(*, seen: bool, samples: int = 600) -> dict[str, Any]:
    """Samples with the label alone in them; where they were `seen`, in training samples alone."""
    data: dict[str, Any] = {**problem(samples), "split": np.arange(samples) // (samples // 6) % 3}
    generator = np.random.default_rng(0)
    noise = generator.permutation(data["labels"])
    known = data["split"] == TRAIN if seen else np.ones(samples, bool)
    data |= {name: 0 * data[name] for name in "ABD"}
    data["D"][:, 0] = 3.0 * np.where(known, data["labels"], noise)
    return data


def loaded(*, seen: bool, samples: int = 600) -> Dataset:
    return load_data(told(seen=seen, samples=samples), NETWORK)


@pytest.mark.parametrize("samples", [600, 3 * MOST_SAMPLES])
def test_training_samples_that_were_seen_are_noticed(samples: int) -> None:
    assert saw_training(loaded(seen=True, samples=samples), NETWORK)
    assert not saw_training(loaded(seen=False, samples=samples), NETWORK)


def test_too_few_samples_tell_nothing() -> None:
    assert not saw_training(loaded(seen=True, samples=120), NETWORK)


def test_groups_that_cannot_be_divided_tell_nothing() -> None:
    data = loaded(seen=True)
    assert not saw_training(replace(data, groups=np.zeros(len(data.labels), np.int64)), NETWORK)


def test_validation_samples_count_as_the_settings_say_or_as_is_found() -> None:
    data = loaded(seen=True)
    for setting, weight in ((0, USUAL_WEIGHT), (1, 1), (7, 7)):
        found = weighted(data, NETWORK, Settings(validation_weight=setting))
        assert found.seen
        times = np.ones(len(data.labels)) if found.times is None else found.times
        assert set(times[data.indices(VALIDATION)]) == {weight}
        assert set(times[data.split != VALIDATION]) == {1}
    assert weighted(loaded(seen=False), NETWORK, Settings()).times is None
    with pytest.raises(DiagnosticError, match="validation_weight"):
        Settings(validation_weight=-1)


def test_a_pass_is_as_long_and_draws_validation_samples_more_often() -> None:
    data = replace(loaded(seen=False), times=None)
    known, device = data.indices(TRAIN, VALIDATION), torch.device("cpu")
    times = np.where(data.split == VALIDATION, 4, 1)
    plain, heavy = (Batches(one, known, 32, device) for one in (data, replace(data, times=times)))
    assert torch.equal(plain.order(3).sort().values, torch.arange(len(known)))
    assert len(heavy.order(3)) == len(known)
    of_validation = torch.from_numpy(data.split[known] == VALIDATION)
    shares = [float(of_validation[heavy.order(seed)].float().mean()) for seed in range(20)]
    assert np.mean(shares) == pytest.approx(4 / 5, abs=0.03)


def test_samples_that_all_count_alike_are_each_drawn_once() -> None:
    data = loaded(seen=False)
    heavy = replace(data, times=np.where(data.split == VALIDATION, 4, 1))
    device = torch.device("cpu")
    for part in (TRAIN, VALIDATION):
        orders = [Batches(one, one.indices(part), 32, device).order(1) for one in (data, heavy)]
        assert torch.equal(*orders)
    halves = [np.sort(part) for part in np.array_split(data.indices(TRAIN), 2)]
    assert torch.equal(*(Parts(one, halves, 32, device).order(1) for one in (data, heavy)))


def test_training_an_ensemble_says_that_samples_were_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The data are read once, and looked at once, for the warning and for what is learned."""
    looked: list[Dataset] = []

    def counted(data: Dataset, network: Network) -> bool:
        looked.append(data)
        return saw_training(data, network)

    monkeypatch.setattr("fusewright.runtime.data.seen.saw_training", counted)
    with pytest.warns(DataWarning, match="know their labels better") as caught:
        train_ensemble(ensemble(), told(seen=True), out=tmp_path, epochs=1, batch=64)
    assert sum("W507" in str(one.message) for one in caught) == 1
    about = json.loads((tmp_path / "train.json").read_text(encoding="utf-8"))
    assert "W507" in [warning["code"] for warning in about["warnings"]]
    assert len(looked) == 1
