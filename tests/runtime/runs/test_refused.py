"""What the system refuses to remove of an earlier run is said, and nothing begins over it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from fusewright.compiler.diagnostics.diagnostic import DiagnosticError
from fusewright.runtime.data.identity import arrays_identity
from fusewright.runtime.runs.ensemble import write_ensemble
from fusewright.runtime.runs.folder import RunFolder
from fusewright.runtime.runs.tensorboard import Watch
from fusewright.runtime.training.kept import KeptRun

from ...support.ensembles import ensemble
from ...support.running import FIXED, spec


def _genotype(path: Path) -> None:
    RunFolder(path, "search").write_genotype(spec(FIXED), None)


def _ensemble(path: Path) -> None:
    write_ensemble(ensemble(), RunFolder(path))


def _watch(path: Path) -> None:
    Watch(path, "train")


def _begin_anew(path: Path) -> None:
    folder = RunFolder(path, "train")
    KeptRun(folder, "", resume=False, data=arrays_identity({})).drop()


BEGINNINGS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "training": ("missing.json", lambda path: RunFolder(path, "train").begin_training()),
    "search": ("controls.json", lambda path: RunFolder(path, "search").begin_search()),
    "an ensemble of before": (
        "ensemble/ensemble.json",
        lambda path: RunFolder(path, "search").begin_search(),
    ),
    "training again": ("training.pt", _begin_anew),
    "genotype": ("genotype.toml", _genotype),
    "ensemble": ("ensemble.json", _ensemble),
    "events": ("tensorboard/train/events.1", _watch),
}


@pytest.mark.parametrize("name", BEGINNINGS)
def test_what_cannot_be_removed_is_said(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, begin = BEGINNINGS[name]
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_bytes(b"{}")
    unlink = os.unlink

    def refuse(path: str, *, dir_fd: int | None = None) -> None:
        if Path(path).name == Path(file).name:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        unlink(path, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", refuse)
    with pytest.raises(DiagnosticError, match=r"cannot remove `.*`: input/output error"):
        begin(tmp_path)
    assert (tmp_path / file).read_bytes() == b"{}"
