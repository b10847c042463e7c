"""Checkpoints of other sizes than memory has."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

import fusewright as fw
from fusewright.compiler.system import archives
from fusewright.runtime.runs.checkpoint import (
    CheckpointPart,
    read_checkpoint,
    write_checkpoint,
)


def test_a_checkpoint_that_memory_does_not_hold_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "checkpoint.pt"
    write_checkpoint(path, "run", {"round": 1})
    assert read_checkpoint(path, "run") == {"round": 1}
    monkeypatch.setattr(archives, "available_memory", lambda: 100)
    with pytest.raises(fw.DiagnosticError, match="and there is 100 B") as caught:
        read_checkpoint(path, "run")
    assert [one.code for one in caught.value.diagnostics] == ["E512"]


def test_members_of_an_archive_count_as_what_they_would_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "checkpoint.pt"
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(1 << 20))
    assert path.stat().st_size < 10_000
    monkeypatch.setattr(archives, "available_memory", lambda: 100_000)
    with pytest.raises(fw.DiagnosticError, match=r"takes 1\.05 MB of memory"):
        read_checkpoint(path, "run")


def test_a_folder_that_is_gone_is_diagnosed(tmp_path: Path) -> None:
    state = {"candidate": CheckpointPart("first", {"round": 1})}
    with pytest.raises(fw.DiagnosticError, match=r"cannot create .*: no such file") as caught:
        write_checkpoint(tmp_path / "gone/checkpoint.pt", "run", state)
    assert [one.code for one in caught.value.diagnostics] == ["E504"]
    assert not (tmp_path / "gone").exists()
