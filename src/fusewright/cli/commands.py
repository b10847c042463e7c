"""All commands: each module registers its own, and imports what it uses when it runs."""

from __future__ import annotations

from . import diff, explain, front, lsp, new, runs
from .app import app

__all__ = ["app", "diff", "explain", "front", "lsp", "new", "runs"]
