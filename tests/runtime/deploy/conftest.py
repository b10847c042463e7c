"""A trained run, made once for the tests of a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import fusewright as fw
from fusewright.runtime.settings import Settings

from ...support.running import problem, spec


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained run beside its data."""
    folder = tmp_path_factory.mktemp("trained")
    np.savez(folder / "data.npz", **problem())
    settings = Settings(strategy="darts", epochs=6, batch=16)
    found = fw.search(spec(), problem(), settings=settings, out=folder / "run")
    fw.train(found.genotype, problem(), settings=settings, out=folder / "run")
    return folder
