"""Evaluation of data that have no split: what was learned may be among what is scored."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import fusewright as fw
from fusewright.compiler.diagnostics.diagnostic import DataWarning

from ...support.running import FIXED, QUICK, problem, spec

DATA = {name: array for name, array in problem(60).items() if name != "split"}
SHUFFLED = {name: array[::-1] for name, array in DATA.items()}


def codes_of(done: Callable[[], object]) -> set[str]:
    """The codes of what is warned of while something is done."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        done()
    return {w.message.diagnostic.code for w in caught if isinstance(w.message, DataWarning)}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("learned") / "run"
    fw.train(spec(FIXED), DATA, out=folder, settings=QUICK)
    return folder


def test_a_split_of_other_data_is_doubted(run: Path) -> None:
    assert "W508" not in codes_of(lambda: fw.evaluate(run, DATA))
    assert "W508" in codes_of(lambda: fw.evaluate(run, SHUFFLED))
    first = {name: array[:40] for name, array in DATA.items()}
    assert "W508" in codes_of(lambda: fw.evaluate(run, first))


def test_a_split_that_is_stated_is_not(run: Path) -> None:
    assert "W508" not in codes_of(lambda: fw.evaluate(run, {**SHUFFLED, "split": np.full(60, 2)}))


def test_what_a_run_learned_is_known_where_it_is_compiled(run: Path, tmp_path: Path) -> None:
    place = tmp_path / "network.onnx"
    assert "W508" not in codes_of(lambda: fw.deploy(run, place, data=DATA))
    assert "W508" in codes_of(lambda: fw.deploy(run, place, data=SHUFFLED))


def test_an_onnx_file_knows_no_data(run: Path, tmp_path: Path) -> None:
    fw.deploy(run, tmp_path / "network.onnx")
    assert "W508" in codes_of(lambda: fw.evaluate(tmp_path / "network.onnx", DATA))
