"""Drafts: folders that a process leaves which is killed, and that the next one removes."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from fusewright.compiler.system.drafts import draft_folder, sweep
from fusewright.compiler.system.files import write_file
from fusewright.compiler.system.process import Process


def drafts(home: Path) -> list[Path]:
    return [*home.glob(".fusewright-*")]


def draft_of_a_killed_process(home: Path) -> None:
    """Forks a process that drafts, and kills it there."""
    child = os.fork()
    if not child:
        try:
            with draft_folder(home) as folder:
                Path(folder, "half").write_bytes(b"half")
                while True:
                    time.sleep(1)
        finally:
            os._exit(1)
    while not [*home.glob(".fusewright-*/half")]:
        time.sleep(0.001)
    sweep(home)
    assert len(drafts(home)) == 1  # it lives
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_what_a_killed_process_left_goes_with_the_next_file(tmp_path: Path) -> None:
    draft_of_a_killed_process(tmp_path)
    assert len(drafts(tmp_path)) == 1
    write_file(tmp_path / "a", b"whole")
    assert [file.name for file in tmp_path.iterdir()] == ["a"]


def test_what_is_not_known_to_be_left_stays(tmp_path: Path) -> None:
    own = Process.own()
    others = (own, replace(own, host="elsewhere", number=2**30))
    names = [f".fusewright-{one.number}@{one.began}@{one.host}@abc" for one in others]
    for name in (*names, ".fusewright-abc", ".fusewright-x@y@z@abc"):
        (tmp_path / name).mkdir()
    with draft_folder(tmp_path):
        sweep(tmp_path)
        assert len(drafts(tmp_path)) == 5
    assert len(drafts(tmp_path)) == 4
    sweep(tmp_path / "none")


def test_a_process_is_told_from_a_later_one_of_its_number() -> None:
    own = Process.own()
    assert own == Process.own()
    assert not own.is_gone
    assert replace(own, began="1234abcd.5").is_gone
    assert replace(own, number=2**30).is_gone
    assert not replace(own, number=2**30, host="elsewhere").is_gone
