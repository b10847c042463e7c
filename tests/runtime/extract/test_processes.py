"""Extraction in several processes, and in one that is killed: the same store, byte for byte."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ...support.extracting import extracted, shards
from ...support.killed_extraction import MOMENTS
from ...support.paths import ROOT
from ...support.processes import together
from ...support.raw import table

CODE = (
    "import sys; from pathlib import Path; from tests.support.extracting import extracted; "
    "extracted(Path(sys.argv[1]), raw=Path(sys.argv[2]))"
)


def test_two_processes_extract_what_one_does(tmp_path: Path) -> None:
    raw = table(tmp_path / "raw", 10, missing=(3, 4))
    extracted(tmp_path / "one", raw=raw)
    together(2, CODE, str(tmp_path / "two"), str(raw))
    assert shards(tmp_path / "one") == shards(tmp_path / "two")


def test_an_extraction_that_is_killed_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.support.killed_extraction", str(tmp_path)]
    done = subprocess.run(
        command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == MOMENTS
    whole = shards(tmp_path / "whole")
    assert "manifest.json" in whole
    for moment in range(MOMENTS):
        assert shards(tmp_path / f"killed{moment}") == whole, moment
