"""The worked example: the commands of its page, as they stand there, on fewer samples."""

from __future__ import annotations

import csv
import re
import runpy
import shutil
import sys
from pathlib import Path

import pytest

from fusewright.compiler.syntax.format import format_text
from fusewright.runtime.store.read import Store

from ..support.paths import EXAMPLES
from ..support.running import command

HOME = EXAMPLES / "pictures_and_texts"
PAGE = (HOME / "README.md").read_text(encoding="utf-8")
SAMPLES = 60


def test_its_specification_is_canonical() -> None:
    text = (HOME / "compare.fuse").read_text(encoding="utf-8")
    assert format_text(text, "compare.fuse") == text


def test_its_commands_lead_from_a_table_to_predictions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("transformers")
    folder = tmp_path / "example"
    shutil.copytree(HOME, folder)
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    runpy.run_path(str(folder / "make_data.py"))["main"](folder, SAMPLES)
    lines = re.findall(r"^\$ fusewright (.*)$", PAGE, re.MULTILINE)
    assert [line.split()[0] for line in lines] == [
        *("extract", "features", "search", "train", "evaluate", "predict")
    ]
    printed = [
        command(folder, *re.sub(r"--epochs \d+", "--epochs 1", line).split(), *_brief(line))
        for line in lines
    ]
    assert "Shapes[c 64, h 2, w 2] float32" in printed[0]
    store = Store.open(folder / "store")
    store.require_whole()
    assert store.manifest.samples == SAMPLES
    assert store.manifest.classes == ("less", "equal", "greater")
    with (folder / "predictions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) == SAMPLES + 1
    assert "made: 0" in command(folder, *lines[0].split())
    monkeypatch.delitem(sys.modules, "backbones")


def _brief(line: str) -> list[str]:
    return ["--epochs", "1", "--threads", "1"] if line.startswith("train") else []
