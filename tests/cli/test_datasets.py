"""The commands `datasets …`: listed, made small, checked and prepared."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import fusewright as fw
from fusewright.runtime.raw.check import check_public
from fusewright.runtime.raw.decoders import decoder
from fusewright.runtime.raw.open import open_raw
from fusewright.runtime.raw.public import public_sets
from fusewright.runtime.raw.tiny import write_tiny
from tests.support.application import app


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["datasets", *arguments])


def diagnosed(*arguments: str) -> str:
    """What is said of arguments that cannot be used."""
    error = run(*arguments).exception
    assert isinstance(error, fw.DiagnosticError), error
    return str(error)


def test_data_sets_are_listed_with_their_splits() -> None:
    listed = json.loads(run("list", "--json").stdout)
    assert {one["name"] for one in listed} == set(public_sets())
    assert "egogesture: EgoGesture, by subject" in run("list").stdout


@pytest.mark.parametrize("name", ["mmimdb", "ntu", "egogesture"])
def test_small_data_are_read_whole_and_are_not_the_real_ones(name: str, tmp_path: Path) -> None:
    assert not run("tiny", name, "--out", str(tmp_path / "data"), "--samples", "8").exit_code
    place = f"{name}:{tmp_path / 'data'}"
    said = json.loads(run("check", place, "--decode", "--json").stdout)
    assert sum(said["samples"].values()) == 8
    assert said["lacking"]
    assert not any(said["lacking"].values())
    assert [one["code"] for one in said["diagnostics"]] == ["E503"] * 3  # of each part
    assert "samples of `train`, not" in diagnosed("check", place)
    counted = replace(public_sets()[name], parts=said["samples"], listed={})
    assert not check_public(counted, tmp_path / "data").diagnostics


def test_what_is_broken_is_said_by_its_file(tmp_path: Path) -> None:
    write_tiny(public_sets()["ntu"], tmp_path, 8)
    skeletons = sorted((tmp_path / "nturgb+d_skeletons").iterdir())
    skeletons[0].write_bytes(skeletons[0].read_bytes()[:500])
    (tmp_path / "nturgb+d_rgb" / skeletons[1].name.replace(".skeleton", "_rgb.avi")).unlink()
    checked = check_public(public_sets()["ntu"], tmp_path, decode=True)
    assert checked.lacking == {"video": 1, "skeleton": 0}
    assert skeletons[0].name in checked.diagnostics[-1].message


def test_videos_are_made_smaller_once(tmp_path: Path) -> None:
    write_tiny(public_sets()["ntu"], tmp_path, 8)
    first = min((tmp_path / "nturgb+d_rgb").iterdir())
    first.write_bytes(b"RIFF")
    before = open_raw(f"ntu:{tmp_path}").columns["video"].read(2)
    said = diagnosed("prepare", f"ntu:{tmp_path}")
    assert first.name in said
    again = json.loads(run("prepare", f"ntu:{tmp_path}", "--json").stdout)
    assert (again["made"], again["kept"], len(again["broken"])) == (0, 8, 1)
    videos = open_raw(f"ntu:{tmp_path}").columns["video"]
    assert videos.read(0) is None  # which was broken
    after = videos.read(2)
    kind = decoder("video")
    pictures = [
        kind.decode(one, "it", kind.Transform(frames=4, resize=(16, 16))) for one in (before, after)
    ]
    assert pictures[0].shape == pictures[1].shape == (3, 4, 16, 16)
    assert abs(pictures[0] - pictures[1]).mean() < 0.05
    whole = kind.decode(after, "it", kind.Transform(frames=1))
    assert whole.shape == (3, 1, 256, 256)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["check", "ntuu:x"], "no data set `ntuu`"),
        (["check", "ntu"], "names no folder"),
        (["check", "ntu:nowhere"], "no such file or directory"),
        (["prepare", "mmimdb:x"], "nothing is prepared"),
        (["prepare", "ntu:nowhere"], "no folder `nturgb\\+d_rgb`"),
        (["tiny", "ntu", "--out", "there"], "holds something else than small data"),
        (["tiny", "ntu", "--out", "new", "--samples", "2"], "not from 8 to 10,000"),
    ],
)
def test_what_cannot_be_done_is_diagnosed(
    arguments: list[str], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there/own.txt").touch()
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    with pytest.raises(fw.DiagnosticError, match=why):
        raise result.exception
