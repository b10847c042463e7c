"""`fusewright check`: the plain form says what the option parser's says."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from fusewright.cli import main

GOOD = "network n(C = 4, L = 2)\nmodality m { A[c 3] }\noutput A\npredict 3 classes\n"
WRONG = GOOD.replace("output A", "output B")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "good.fuse").write_text(GOOD, encoding="utf-8")
    (tmp_path / "wrong.fuse").write_text(WRONG, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["fusewright", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("names", [["good.fuse"], ["wrong.fuse"], ["good.fuse", "wrong.fuse"]])
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_both_ways_of_reading_the_command_say_the_same(
    names: list[str],
    options: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plain = run(monkeypatch, "check", *names, *options), capsys.readouterr()
    parsed = run(monkeypatch, "check", *names, *options, "--set", "C=4"), capsys.readouterr()
    assert plain == parsed
    assert plain[0] == ("wrong.fuse" in names)


@pytest.mark.usefixtures("files")
def test_json_has_the_place_and_its_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "check", "good.fuse", "wrong.fuse", "--json")
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["file"], found["line"], found["column"]) == ("wrong.fuse", 3, 8)
    assert (found["end_line"], found["end_column"]) == (3, 9)
    assert (found["code"], found["severity"]) == ("E201", "error")
    assert found["fix"] == []
