"""What a shell asks before anything else: the version, and help in its short form."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import fusewright as fw
from fusewright.cli.screen import bar
from fusewright.cli.screen.bar import JsonLines, Lines
from tests.support.application import app
from tests.support.running import as_npz, problem, spec


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


def test_the_version_is_the_package_s() -> None:
    assert fw.__version__ == version("fusewright")
    assert run("--version") == (0, f"fusewright {fw.__version__}\n")


@pytest.mark.parametrize("command", [(), ("search",), ("features", "show")])
def test_help_is_asked_for_by_one_letter_too(command: tuple[str, ...]) -> None:
    short, long = run(*command, "-h"), run(*command, "--help")
    assert short == long
    assert short[0] == 0
    assert "Usage:" in short[1]


def test_help_lists_settings_by_who_reads_them() -> None:
    shown = run("search", "--help")[1]
    groups = dict(re.findall(r"─ Settings of ([^─]*?) ─+╮\n(.*?)╰", shown, re.DOTALL))
    assert "--epochs" in groups["darts, gdas or single-path"]
    assert "--passes" in groups["mfas"]
    assert not any("--seed" in text for text in groups.values())


# Progress where there is no terminal


def lines_of(capsys: pytest.CaptureFixture[str], seconds: Sequence[float]) -> list[str]:
    """What is printed of a search whose rounds end at these times."""
    times = iter((0.0, *seconds, seconds[-1]))
    lines = Lines("search", lambda: next(times))
    for done in range(1, len(seconds) + 1):
        lines.show(done, len(seconds), f"best {done / 10}")
    lines.end()
    return capsys.readouterr().err.splitlines()


def test_what_is_short_prints_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert lines_of(capsys, [0.5, 1.0, 1.5]) == []


def test_lines_come_at_intervals_with_the_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    assert lines_of(capsys, [1, 3, 8, 14, 60]) == [
        "search 2/5, 0:00:03, 0:00:04 left: best 0.2",
        "search 4/5, 0:00:14, 0:00:04 left: best 0.4",
        "search 5/5, 0:01:00: best 0.5",
    ]


def test_json_lines_are_objects_with_the_numbers_of_each_round(
    capsys: pytest.CaptureFixture[str],
) -> None:
    times = iter((0.0, 2.0, 2.1, 2.15, 8.0))
    lines = JsonLines("search", lambda: next(times))
    for done in range(1, 5):
        lines.show(done, 4, "best", {"validation_accuracy": done / 4, "loss": float("nan")})
    lines.end()
    found = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(one["done"], one["seconds"], one["left"]) for one in found] == [
        (1, 2.0, 6.0),
        (4, 8.0, 0.0),
    ]
    assert found[1]["validation_accuracy"] == 1.0
    assert all("loss" not in one for one in found)


def test_a_search_prints_its_progress_as_json_and_nothing_else_of_it(tmp_path: Path) -> None:
    (tmp_path / "n.fuse").write_text(str(spec()), encoding="utf-8")
    data = str(as_npz(problem(), tmp_path))
    quick = "--strategy darts --epochs 2 --batch 16 --threads 1 --no-controls --json".split()
    words = ["search", str(tmp_path / "n.fuse"), "--data", data, "--out", str(tmp_path / "r")]
    done = CliRunner().invoke(app, [*words, *quick])
    assert done.exit_code == 0, done.output
    lines = [line for line in done.stderr.splitlines() if line.startswith("{")]
    progress = [json.loads(line) for line in lines]
    assert progress[-1]["progress"] == "search"
    assert (progress[-1]["done"], progress[-1]["total"]) == (2, 2)
    assert "validation_accuracy" in progress[-1]
    assert json.loads(done.stdout)["genotype"]
    done = CliRunner().invoke(app, [*words, *quick, "--overwrite", "--quiet"])
    assert '"progress"' not in done.stderr


def test_an_hour_prints_some_dozen_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert 20 <= len(lines_of(capsys, [float(s) for s in range(1, 3601)])) <= 50


def test_a_search_without_a_terminal_tells_of_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bar, "FIRST", 0.0)
    (tmp_path / "n.fuse").write_text(str(spec()), encoding="utf-8")
    np.savez(tmp_path / "data.npz", **problem(240))
    given = ("search", "n.fuse", "--data", "data.npz", "--no-controls", "--strategy", "darts")
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(app, [*given, "--epochs", "1", "--out", "a"]).stderr
    assert told.startswith("search 1/1, 0:00:")
    assert "weight steps" in told
    assert not CliRunner().invoke(app, [*given, "--epochs", "1", "--out", "b", "--quiet"]).stderr
