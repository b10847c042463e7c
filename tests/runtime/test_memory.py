"""What does not fit in the memory that is stated is refused, whichever way data come in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusewright as fw
from fusewright.compiler.check.check import checked
from fusewright.compiler.compile import to_program
from fusewright.compiler.measure.memory import learned, training_memory
from fusewright.runtime.data.dataset import load_data, load_features
from fusewright.runtime.data.files import StoredArrays
from fusewright.runtime.deploy.deploy import deploy
from fusewright.runtime.predict.teach import soft_targets
from fusewright.runtime.search.controls import compare_with_controls
from fusewright.runtime.search.loop import SearchResult
from fusewright.runtime.training.ensemble import train_ensemble
from fusewright.runtime.training.together import train_all, train_seeds

from ..support.ensembles import ensemble
from ..support.running import FIXED, problem, spec

MEMORY = "100KB"
LARGE = problem(3000)
"""204 KB of features."""
QUICK = fw.Settings(epochs=1, batch=16, strategy="darts", memory=MEMORY)
NETWORK = spec(FIXED)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained run, whose data were small."""
    place = tmp_path_factory.mktemp("memory") / "run"
    fw.train(NETWORK, problem(30), out=place, epochs=1, batch=16)
    return place


@pytest.fixture(scope="module")
def found() -> SearchResult:
    return fw.search(spec(), problem(30), settings=QUICK.with_options(memory=""))


Entry = Callable[[Any, Path, SearchResult], object]
ENTRIES: dict[str, Entry] = {
    "load_data": lambda data, *_: load_data(data, checked(NETWORK), 0, MEMORY),
    "load_features": lambda data, *_: load_features(data, checked(NETWORK), MEMORY),
    "train": lambda data, *_: fw.train(NETWORK, data, settings=QUICK),
    "train_seeds": lambda data, *_: train_seeds(NETWORK, data, [0, 1], settings=QUICK),
    "train_all": lambda data, *_: train_all([NETWORK], data, [QUICK]),
    "train_ensemble": lambda data, *_: train_ensemble(ensemble(), data, settings=QUICK),
    "search": lambda data, *_: fw.search(spec(), data, settings=QUICK),
    "controls": lambda data, _, found: compare_with_controls(spec(), data, found, settings=QUICK),
    "teacher": lambda data, run, _: soft_targets(run, NETWORK, data, QUICK),
    "evaluate": lambda data, run, _: fw.evaluate(run, data, memory=MEMORY),
    "predict": lambda data, run, _: fw.predict(run, data, memory=MEMORY),
    "calibration": lambda data, run, _: deploy(
        run, run / "net.onnx", data=data, precision="int8-static", memory=MEMORY
    ),
}


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
@pytest.mark.parametrize("stored", [False, True], ids=["arrays", "file"])
def test_data_that_do_not_fit_are_refused(
    entry: Entry, stored: bool, run: Path, found: SearchResult, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def read(arrays: StoredArrays, name: str) -> None:
        raise AssertionError(f"`{name}` is read")

    data: Any = LARGE
    if stored:
        np.savez_compressed(tmp_path / "data.npz", **LARGE)  # not to be read by samples
        data = tmp_path / "data.npz"
        monkeypatch.setattr(StoredArrays, "__getitem__", read)
    with pytest.raises(fw.DiagnosticError, match="100 KB is allowed") as caught:
        entry(data, run, found)
    assert [one.code for one in caught.value.diagnostics] == ["E512"]
    assert not (run / "net.onnx").exists()


def test_a_network_that_is_left_over_does_not_train_in_less_memory_than_it_needs() -> None:
    needed = training_memory(learned(to_program(NETWORK)), 16).total
    options: dict[str, Any] = {"epochs": 1, "batch": 16, "memory": f"{needed // 2}B"}
    for train in (
        lambda: fw.train(NETWORK, problem(90), **options),
        lambda: train_seeds(NETWORK, problem(90), [0, 1], **options),
    ):
        with pytest.raises(fw.DiagnosticError, match="training needs about"):
            train()


def test_the_members_of_an_ensemble_share_what_they_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez_compressed(tmp_path / "data.npz", **problem(60))
    names: list[str] = []
    read = StoredArrays.__getitem__

    def counted(arrays: StoredArrays, name: str) -> Any:
        names.append(name)
        return read(arrays, name)

    monkeypatch.setattr(StoredArrays, "__getitem__", counted)
    train_ensemble(ensemble(), tmp_path / "data.npz", epochs=1, batch=16)
    assert sorted(name for name in names if name in "ABD") == ["A", "B", "D"]
