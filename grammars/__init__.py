"""The grammars and the schema, as files; `read` gives the text of one."""

from __future__ import annotations

import os


def path(name: str) -> str:
    """Where a file of this folder is."""
    return os.path.join(os.path.dirname(__file__), name)


def read(name: str) -> str:
    """The text of a file of this folder."""
    with open(path(name), encoding="utf-8") as file:
        return file.read()
