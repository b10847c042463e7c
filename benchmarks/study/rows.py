"""The rows of a study, in a file that is only added to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

Rows: TypeAlias = Mapping[str, Mapping[str, Any]]
"""Rows by key."""


@dataclass
class Study:
    """The rows of a study, each with a key, in a file that is only added to."""

    path: Path
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path) -> Study:
        """The study in a file, or a new one; a last line that is cut short is dropped."""
        study = cls(path)
        if path.exists():
            text = path.read_text(encoding="utf-8")
            if text and not text.endswith("\n"):
                path.write_text(text[: text.rfind("\n") + 1], encoding="utf-8")
            for line in text.splitlines():
                try:
                    row = json.loads(line)
                except ValueError:
                    continue
                study.rows[row["key"]] = row
        return study

    def row(self, key: str, make: Any) -> dict[str, Any]:
        """The row with this key; made and added if it is missing."""
        if key not in self.rows:
            found = {"key": key, **make()}
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(found) + "\n")
            self.rows[key] = found
            shown = {k: v for k, v in found.items() if isinstance(v, (int, float))}
            print(key, shown, flush=True)
        return self.rows[key]
