"""Trained networks in files, for tests of what is deployed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusewright as fw
from fusewright.runtime.settings import Settings

from .running import problem, spec

NAMED = '3 classes { cat, `<script>alert(1)</script>`, `naïve, "quoted"` }'


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained run beside its data."""
    folder = tmp_path_factory.mktemp("trained")
    np.savez(folder / "data.npz", **problem())
    settings = Settings(strategy="darts", epochs=6, batch=16)
    found = fw.search(spec(), problem(), settings=settings, out=folder / "run")
    fw.train(found.genotype, problem(), settings=settings, out=folder / "run")
    return folder


def arrays_of(path: Path) -> dict[str, Any]:
    with np.load(path) as file:
        return dict(file)


def refused(at: Path, *arguments: str, blocked: Sequence[str] = ()) -> str:
    """The diagnostic of a command that must fail without a traceback, where packages are not."""
    code = (
        f"import sys; sys.argv = {['fusewright', *arguments]!r}; "
        f"sys.modules.update(dict.fromkeys({list(blocked)!r})); "
        "from fusewright.cli import main; main()"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=at, capture_output=True, text=True, check=False
    )
    assert found.returncode == 1, found.stderr
    assert "Traceback" not in found.stderr
    assert "error[E" in found.stderr
    return found.stderr
