"""All commands: each module registers its own, and imports what it uses when it runs."""

from __future__ import annotations

from . import front, runs
from .app import app

__all__ = ["app", "front", "runs"]
