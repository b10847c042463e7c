"""The grammars and the schema, as files; `read` gives the text of one."""

from __future__ import annotations

from pathlib import Path


def read(name: str) -> str:
    """The text of a file of this folder."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
