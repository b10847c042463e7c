"""The worked example: the commands of its page, as they stand there, on fewer samples."""

from __future__ import annotations

import csv
import re
import runpy
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fusewright.compiler.syntax.format import format_text
from fusewright.runtime.store.read import Store

from ..support.paths import EXAMPLES
from ..support.running import command

HOME = EXAMPLES / "pictures_and_texts"
PAGE = (HOME / "README.md").read_text(encoding="utf-8")
SAMPLES = 60
LINES = re.findall(r"^\$ fusewright (.*)$", PAGE, re.MULTILINE)
JOINED = next(n for n, line in enumerate(LINES) if line.startswith("compile"))
"""How many commands come before the one that joins backbones and network."""


def test_its_specification_is_canonical() -> None:
    text = (HOME / "compare.fuse").read_text(encoding="utf-8")
    assert format_text(text, "compare.fuse") == text


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The example, with a table of a few samples."""
    pytest.importorskip("transformers")
    folder = tmp_path / "example"
    shutil.copytree(HOME, folder)
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    runpy.run_path(str(folder / "make_data.py"))["main"](folder, SAMPLES)
    yield folder
    monkeypatch.delitem(sys.modules, "backbones")


def test_its_commands_lead_from_a_table_to_predictions(folder: Path) -> None:
    assert [line.split()[0] for line in LINES] == [
        *("extract", "features", "search", "train", "evaluate", "predict", "compile", "predict")
    ]
    printed = [_run(folder, line) for line in LINES[:JOINED]]
    assert "Shapes[c 64, h 2, w 2] float32" in printed[0]
    store = Store.open(folder / "store")
    store.require_whole()
    assert store.manifest.samples == SAMPLES
    assert store.manifest.classes == ("less", "equal", "greater")
    assert len(_rows(folder / "predictions.csv")) == SAMPLES + 1
    assert "made: 0" in command(folder, *LINES[0].split())


def test_one_file_from_raw_inputs_predicts_what_is_predicted_of_features(folder: Path) -> None:
    pytest.importorskip("onnxscript")
    for line in LINES:
        _run(folder, line)
    of_features, from_raw = (_rows(folder / f"{n}.csv") for n in ("predictions", "from_raw"))
    assert of_features[0] == from_raw[0]
    logits = [
        np.array([row[-3:] for row in rows[1:]], np.float64) for rows in (of_features, from_raw)
    ]
    assert len(logits[0]) == SAMPLES
    np.testing.assert_allclose(logits[0], logits[1], atol=1e-3)


def _run(folder: Path, line: str) -> str:
    """What a command of the page prints, of a single epoch."""
    brief = ["--epochs", "1", "--threads", "1"] if line.startswith("train") else []
    return command(folder, *re.sub(r"--epochs \d+", "--epochs 1", line).split(), *brief)


def _rows(file: Path) -> list[list[str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))
