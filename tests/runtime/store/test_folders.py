"""Folders of stores: listed, bounded and removed, but never what a process is writing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import fusewright as fw
from fusewright.runtime.data.files import read_arrays
from fusewright.runtime.store.folders import prune, remove_store, stores_in, writing
from fusewright.runtime.store.write import StoreWriter

from ...support.running import command
from ...support.stores import contents, shard_of, small_arrays, small_plan, write_store


def used(folder: Path, seconds: int) -> None:
    """Makes a store one that was used last at a time."""
    for file in folder.iterdir():
        os.utime(file, (seconds, seconds))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three stores, of which `b` was used longest ago, and what is none."""
    for name, seconds in (("a", 3000), ("b", 1000), ("c", 2000)):
        write_store(tmp_path / name)
        used(tmp_path / name, seconds)
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "thesis.tex").write_text("mine", encoding="utf-8")
    (tmp_path / "link").symlink_to("a")
    return tmp_path


def test_stores_are_listed_with_what_they_take(folder: Path) -> None:
    StoreWriter(folder / "d", small_plan()).write(0, shard_of(small_plan(), small_arrays(), 0))
    stores = {facts.folder.name: facts for facts in stores_in(folder)}
    assert [*stores] == ["a", "b", "c", "d"]
    taken = sum(file.stat().st_size for file in (folder / "a").iterdir())
    assert (stores["a"].samples, stores["a"].bytes, stores["a"].used) == (10, taken, 3000)
    assert stores["d"].samples is None
    shown = command(folder, "features", "list", ".")
    assert "b: " in shown
    assert "d: " in shown
    assert "not finished" in shown
    assert shown.endswith(f"4 stores, {shown.rpartition(', ')[2]}")
    listed = json.loads(command(folder, "features", "list", ".", "--json"))
    assert [one["store"] for one in listed] == ["a", "b", "c", "d"]
    assert listed[0]["used"] == "1970-01-01 00:50:00 UTC"


def test_what_was_used_longest_ago_goes_first(folder: Path) -> None:
    size = stores_in(folder)[0].bytes
    pruned = prune(folder, 2 * size)
    assert [facts.folder.name for facts in pruned.removed] == ["b"]
    assert pruned.bytes == 2 * size
    read_arrays(folder / "c")  # used just now
    assert [facts.folder.name for facts in prune(folder, size).removed] == ["a"]
    assert not prune(folder, size).removed
    assert (folder / "papers" / "thesis.tex").exists()


def test_what_a_process_writes_stays(folder: Path) -> None:
    with writing(folder / "b", "extract"):
        assert "`extract`, process" in (stores_in(folder)[1].owner or "")
        with pytest.raises(fw.DiagnosticError, match="another process writes into") as caught:
            remove_store(folder / "b")
        assert caught.value.diagnostics[0].code == "E513"
        pruned = prune(folder, 0)
    assert [facts.folder.name for facts in pruned.removed] == ["c", "a"]
    assert [facts.folder.name for facts in pruned.in_use] == ["b"]
    assert len(contents(folder / "b")) == 10


def test_a_store_is_removed_whole_and_nothing_else(folder: Path) -> None:
    (folder / "c" / "notes.txt").write_text("mine", encoding="utf-8")
    for name, message in (
        ("c", "holds `notes.txt`"),
        ("papers", "no feature store"),
        ("link", "is a link"),
        ("none", "no feature store"),
    ):
        with pytest.raises(fw.DiagnosticError, match=message) as caught:
            remove_store(folder / name)
        assert caught.value.diagnostics[0].code == "E513"
    assert len(contents(folder / "c")) == 11
    assert "removed `a`" in command(folder, "features", "remove", "a")
    assert not (folder / "a").exists()


def test_pruning_by_command_says_what_went(folder: Path) -> None:
    told = json.loads(command(folder, "features", "prune", ".", "--most", "1KB", "--json"))
    assert [one["store"] for one in told["removed"]] == ["b", "c", "a"]
    assert told["bytes"] == 0
    assert command(folder, "features", "prune", ".", "--most", "1KB") == "0 stores left, 0 B\n"
