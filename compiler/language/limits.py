"""How long and how deep what a text says may be, so that any text is read in bounded time."""

from __future__ import annotations

LONGEST_NAME = 1000
LONGEST_NUMBER = 40
"""Digits of a number."""
DEEPEST = 100
"""How deep expressions, objects and arrays may be nested."""
