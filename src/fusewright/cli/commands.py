"""All commands: each module registers its own, and imports what it uses when it runs.

Their order is that of `fusewright --help`.
"""

# ruff: noqa: I001
from __future__ import annotations

from . import new
from . import front
from . import draw
from . import explain
from . import diff
from . import deploy
from . import runs
from . import reports
from . import profile
from . import lsp
from .app import app

__all__ = [
    "app",
    "deploy",
    "diff",
    "draw",
    "explain",
    "front",
    "lsp",
    "new",
    "profile",
    "reports",
    "runs",
]
