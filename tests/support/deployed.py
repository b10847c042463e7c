"""Trained networks in files, for tests of what is deployed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

NAMED = '3 classes { cat, `<script>alert(1)</script>`, `naïve, "quoted"` }'


def arrays_of(path: Path) -> dict[str, Any]:
    with np.load(path) as file:
        return dict(file)


WITHOUT = """
class Without:
    def __init__(self, packages):
        self.packages = packages

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.packages:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
"""
"""A finder for which packages are not there; over None in `sys.modules` scipy stumbles."""


def refused(at: Path, *arguments: str, blocked: Sequence[str] = ()) -> str:
    """The diagnostic of a command that must fail without a traceback, where packages are not."""
    code = (
        f"import sys; sys.argv = {['fusewright', *arguments]!r}\n"
        f"{WITHOUT}\nsys.meta_path.insert(0, Without({list(blocked)!r}))\n"
        "from fusewright.cli import main; main()"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=at, capture_output=True, text=True, check=False
    )
    assert found.returncode == 1, found.stderr
    assert "Traceback" not in found.stderr
    assert "error[E" in found.stderr
    return found.stderr
