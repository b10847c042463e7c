"""Run folders have an owner: one process writes, a second one is told so at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

import fusewright as fw
from fusewright.compiler.system.process import Process
from fusewright.runtime.runs.lock import locked
from fusewright.runtime.search.controls import compare_with_controls
from fusewright.runtime.training.ensemble import train_ensemble

from ...support.ensembles import ensemble
from ...support.paths import ROOT
from ...support.running import FIXED, QUICK, problem, same, spec, without_cost

DATA = problem(60)
LOCK = "run.lock"
HOLDER = """
import sys
from pathlib import Path
from fusewright.runtime.runs.lock import locked
with locked(Path(sys.argv[1]), "search"):
    print("held", flush=True)
    sys.stdin.read()
"""


def refused(work: Callable[[], object], message: str = "another process writes into") -> str:
    """The diagnostic of work that is refused, as a text."""
    with pytest.raises(fw.DiagnosticError, match=message) as caught:
        work()
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "E507"
    return f"{diagnostic.message}; {diagnostic.help}"


def hold(folder: Path) -> None:
    """Holds a folder for a moment, and leaves no lock."""
    with locked(folder, "search"):
        assert (folder / LOCK).exists()
    assert not (folder / LOCK).exists()


def record(folder: Path, process: Process) -> Path:
    """A lock file that a process has written."""
    about = {"command": "search", "since": "yesterday", "host": process.host}
    text = json.dumps({**about, "process": process.number, "began": process.began})
    (folder / LOCK).write_text(text, encoding="utf-8")
    return folder / LOCK


# Two at once


def test_a_second_writer_is_refused_and_the_first_unharmed(tmp_path: Path) -> None:
    run, told = tmp_path / "run", list[str]()
    others: list[Callable[[], object]] = [
        lambda: fw.search(spec(), DATA, out=run, settings=QUICK, seed=1),
        lambda: fw.search(spec(), DATA, out=run, settings=QUICK, seed=1, overwrite=True),
        lambda: fw.search(spec(), DATA, out=run, settings=QUICK, resume=True),
        lambda: fw.train(spec(FIXED), DATA, out=run, settings=QUICK),
        lambda: train_ensemble(ensemble(), DATA, out=run, settings=QUICK),
        lambda: train_ensemble(ensemble(), DATA, out=run / "ensemble", settings=QUICK),
    ]

    def second(_: dict[str, Any]) -> None:
        told.extend(refused(other) for other in others)

    found = fw.search(spec(), DATA, out=run, settings=QUICK, report=second)
    assert len(told) == len(others) * QUICK.epochs
    assert all(f"`search`, process {os.getpid()} on " in text for text in told)
    whole = fw.search(spec(), DATA, settings=QUICK)
    assert found.genotype == fw.load(run / "genotype.fuse") == whole.genotype
    assert same(found.weights, whole.weights)
    lines = (run / "history.jsonl").read_text(encoding="utf-8").splitlines()
    stages = [json.loads(line) for line in lines]
    assert [one.pop("stage") for one in stages] == ["search"] * QUICK.epochs
    assert without_cost(stages) == without_cost(json.loads(json.dumps(whole.history)))
    assert not (run / LOCK).exists()
    assert not (run / "ensemble").exists()


class EnoughError(Exception):
    """What is looked for has been seen."""


def test_training_and_controls_hold_the_folder_too(tmp_path: Path) -> None:
    found = fw.search(spec(), DATA, out=tmp_path, settings=QUICK)
    told: list[str] = []

    def second(*_: object) -> None:
        told.append(refused(lambda: hold(tmp_path)))
        raise EnoughError

    def compare(one: fw.SearchResult) -> None:
        compare_with_controls(
            spec(), DATA, one, settings=QUICK, out=tmp_path, random=False, told=second
        )

    with pytest.raises(EnoughError):
        fw.train(found.genotype, DATA, out=tmp_path, settings=QUICK, report=second)
    with pytest.raises(EnoughError):
        compare(found)
    assert [text.partition("`, process")[0][-6:] for text in told] == ["`train", "search"]
    refused(lambda: compare(replace(found, history=found.history[:1])), "holds another search")
    assert not (tmp_path / "controls.json").exists()
    hold(tmp_path)


def test_many_that_come_at_once_go_one_by_one(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def come(_: int) -> None:
        try:
            with locked(tmp_path, "search"):
                inside.append(1)
                most.append(len(inside))
                inside.pop()
        except fw.DiagnosticError:
            pass

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(come, range(400)))
    assert set(most) == {1}
    assert not [*tmp_path.iterdir()]


def test_a_training_does_not_mix_with_a_search(tmp_path: Path) -> None:
    fw.search(spec(), DATA, out=tmp_path, settings=QUICK)
    other = spec(FIXED)
    refused(
        lambda: fw.train(other, DATA, out=tmp_path, settings=QUICK, overwrite=True),
        "holds the search of another genotype",
    )
    (tmp_path / "search.json").unlink()
    with pytest.raises(fw.DiagnosticError, match="holds a search that was stopped"):
        fw.train(other, DATA, out=tmp_path, settings=QUICK, overwrite=True)


def test_to_resume_replaces_no_training(tmp_path: Path) -> None:
    fw.train(spec(FIXED), DATA, out=tmp_path, settings=QUICK)
    refused(
        lambda: fw.search(spec(), DATA, out=tmp_path, settings=QUICK, resume=True),
        "already holds a train",
    )
    assert (tmp_path / "weights.safetensors").exists()


# What is left behind


def test_a_process_that_is_killed_leaves_a_lock_that_counts_no_more(tmp_path: Path) -> None:
    path = os.pathsep.join(["src", *sys.path])
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as holder:  # fmt: skip
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert f"process {holder.pid} on " in refused(lambda: hold(tmp_path))
        holder.kill()
    assert (tmp_path / LOCK).exists()
    hold(tmp_path)


@pytest.mark.parametrize(
    "left",
    [
        replace(Process.own(), began="1234abcd.5"),  # its number is another process's now
        replace(Process.own(), number=2**30),
        replace(Process.own(), number=2**70),
    ],
    ids=["number taken again", "no such number", "no number at all"],
)
def test_a_record_of_a_process_that_is_gone_counts_no_more(left: Process, tmp_path: Path) -> None:
    record(tmp_path, left)
    hold(tmp_path)


def test_a_record_alone_counts_where_a_file_system_has_no_locks(tmp_path: Path) -> None:
    lock = record(tmp_path, Process.own())
    assert "since yesterday; wait for its end" in refused(lambda: hold(tmp_path))
    assert lock.exists()


def test_a_lock_of_another_machine_is_not_taken(tmp_path: Path) -> None:
    lock = record(tmp_path, Process("elsewhere", 7, "x"))
    said = refused(lambda: fw.train(spec(FIXED), DATA, out=tmp_path, settings=QUICK))
    assert "`search`, process 7 on elsewhere since yesterday" in said
    assert f"if that process has ended, remove `{lock}`" in said
    assert [file.name for file in tmp_path.iterdir()] == [LOCK]
    lock.unlink()
    hold(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[" * 5000, b'{"process": "x"}'])
def test_a_record_that_says_nothing_counts_not(content: bytes, tmp_path: Path) -> None:
    (tmp_path / LOCK).write_bytes(content)
    hold(tmp_path)


def test_a_lock_that_cannot_be_removed_counts_no_more(tmp_path: Path) -> None:
    refusal = OSError(5, "Input/output error")
    with patch.object(Path, "unlink", side_effect=refusal), locked(tmp_path, "search"):
        pass
    assert (tmp_path / LOCK).read_bytes() == b""
    hold(tmp_path)


# Where nothing can be written


def test_a_place_that_is_not_to_be_written_into_is_diagnosed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / LOCK).symlink_to(tmp_path / "file")
    for place in (Path("/proc/run"), tmp_path / "file", tmp_path / "file/run", tmp_path / "linked"):
        with pytest.raises(fw.DiagnosticError, match=r"cannot (write|create)") as caught:
            fw.train(spec(FIXED), DATA, out=place, settings=QUICK)
        assert [d.code for d in caught.value.diagnostics] == ["E504"]
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(fw.DiagnosticError, match="cannot write into"):
        hold(tmp_path)
    assert (tmp_path / "file").read_bytes() == b""


def test_a_run_that_cannot_begin_leaves_no_folder(tmp_path: Path) -> None:
    wrong = DATA | {"A": np.zeros((3, 3), np.float32)}
    with pytest.raises(fw.DiagnosticError):
        fw.search(spec(), wrong, out=tmp_path / "a" / "b", settings=QUICK)
    assert not [*tmp_path.iterdir()]


# Drafts


def test_drafts_of_the_dead_go_when_the_next_run_begins(tmp_path: Path) -> None:
    own = Process.own()
    homes = (tmp_path, tmp_path / "checkpoint.parts", tmp_path / "ensemble")
    for home in homes:
        home.mkdir(exist_ok=True)
        for number in (own.number, 2**30):
            folder = home / f".fusewright-{number}@{own.began}@{own.host}@abc"
            folder.mkdir()
            (folder / "checkpoint.pt").write_bytes(b"half")
    hold(tmp_path)
    for home in homes:
        left = [one.name for one in home.glob(".fusewright-*")]
        assert left == [f".fusewright-{own.number}@{own.began}@{own.host}@abc"]
