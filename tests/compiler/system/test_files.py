"""Writing files: what is in their place already, links and modes, and what cannot be written."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import patch

import pytest

import fusewright as fw
from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.compiler.system import files, provenance
from fusewright.compiler.system.files import drafted, entries, write_file
from fusewright.runtime.runs.lock import locked


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_written_and_nothing_else(tmp_path: Path) -> None:
    write_file(tmp_path / "a.txt", b"one")
    write_file(tmp_path / "a.txt", b"two")
    assert [f.name for f in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_bytes() == b"two"


def test_a_new_file_has_the_mode_that_files_have(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    write_file(tmp_path / "new", b"")
    assert mode(tmp_path / "new") == mode(tmp_path / "usual")


def test_a_mode_stays_and_is_that_of_what_stands_beside(tmp_path: Path) -> None:
    (tmp_path / "a").touch(0o600)
    with drafted(tmp_path / "a") as draft:
        draft.write_bytes(b"one")
        draft.with_name("a.data").write_bytes(b"two")
    assert [mode(tmp_path / name) for name in ("a", "a.data")] == [0o600, 0o600]


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_stays(exists: bool, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    if exists:
        (folder / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(folder / "real")
    with drafted(tmp_path / "link", (".data",)) as draft:
        draft.write_bytes(b"new")
        draft.with_name(f"{draft.name}.data").write_bytes(b"more")
    assert (tmp_path / "link").is_symlink()
    assert {f.name: f.read_bytes() for f in folder.iterdir()} == {
        "real": b"new",
        "real.data": b"more",
    }


def test_a_fifo_is_written_to(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(fifo.read_bytes)
        write_file(fifo, b"through")
        assert found.result(10) == b"through"
    assert fifo.is_fifo()


def write_two(path: Path) -> None:
    with drafted(path) as draft:
        draft.write_bytes(b"")
        draft.with_name("other").write_bytes(b"")


def test_a_fifo_takes_one_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(fw.DiagnosticError, match="no regular file"):
        write_two(tmp_path / "fifo")
    assert [f.name for f in tmp_path.iterdir()] == ["fifo"]


def test_what_is_left_from_before_is_removed(tmp_path: Path) -> None:
    for name in ("a", "a.data", "a.old", "b.data"):
        (tmp_path / name).write_bytes(b"old")
    with drafted(tmp_path / "a", (".data", ".old")) as draft:
        draft.write_bytes(b"new")
        draft.with_name("a.data").write_bytes(b"new")
    found = {f.name: f.read_bytes() for f in tmp_path.iterdir()}
    assert found == {"a": b"new", "a.data": b"new", "b.data": b"old"}


def write_and_fail(path: Path) -> None:
    with drafted(path, (".data",)) as draft:
        draft.write_bytes(b"new")
        raise KeyError


def test_nothing_is_moved_where_the_block_raises(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "a.data").write_bytes(b"old")
    with pytest.raises(KeyError):
        write_and_fail(tmp_path / "a")
    assert {f.name: f.read_bytes() for f in tmp_path.iterdir()} == {"a": b"old", "a.data": b"old"}


def loop(place: Path) -> Path:
    (place / "loop").symlink_to(place / "loop")
    return place / "loop"


UNWRITABLE: dict[str, Callable[[Path], Path]] = {
    "is a folder": lambda place: place,
    "does not exist": lambda place: place / "none" / "a",
    "cannot write `/proc/a`": lambda place: Path("/proc/a"),
    "file name too long": lambda place: place / ("a" * 300),
    "leads to itself": loop,
}


@pytest.mark.parametrize("message", UNWRITABLE)
def test_what_cannot_be_written_is_diagnosed(message: str, tmp_path: Path) -> None:
    path = UNWRITABLE[message](tmp_path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(fw.DiagnosticError, match=message) as caught:
        write_file(path, b"")
    assert [d.code for d in caught.value.diagnostics] == ["E504"]
    assert sorted(tmp_path.iterdir()) == before


def test_a_long_name_is_written(tmp_path: Path) -> None:
    write_file(tmp_path / ("a" * 250), b"one")
    assert (tmp_path / ("a" * 250)).read_bytes() == b"one"


def test_a_folder_that_cannot_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b", "a"):
        (tmp_path / name).touch()
    assert [file.name for file in entries(tmp_path)] == ["a", "b"]
    monkeypatch.setattr(files, "MOST_ENTRIES", 1)
    with pytest.raises(DiagnosticError, match="more than 1 files and folders"):
        entries(tmp_path)

    def refused(_: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refused)  # root may list any
    for listed in (lambda: entries(tmp_path), lambda: locked(tmp_path, "train").__enter__()):
        with pytest.raises(DiagnosticError, match="cannot be read: permission denied") as caught:
            listed()
        assert [d.code for d in caught.value.diagnostics] == ["E504"]


def test_a_file_that_breaks_off_while_it_is_hashed(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    broken = OSError(errno.EIO, "Input/output error")
    with (
        patch.object(provenance, "file_digest", side_effect=broken),
        pytest.raises(DiagnosticError, match="cannot be read: input/output error") as caught,
    ):
        provenance.described(tmp_path / "a")
    assert [d.code for d in caught.value.diagnostics] == ["E504"]
