"""Records of rounds and epochs as lines: `history.jsonl`, and what a checkpoint has of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from ...compiler.documents.records import RecordKind, read_record
from ...compiler.system.files import read_bytes
from .names import LONGEST_HISTORY

_KIND = RecordKind(schema="history")


def plain(value: Any) -> Any:
    """A record as JSON can have it: a number that is not finite is None."""
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def line_of(stage: str, record: Mapping[str, Any]) -> str:
    """A record of a stage as a line."""
    return json.dumps(plain({"stage": stage, **record}), allow_nan=False) + "\n"


def read_history(path: Path, stage: str) -> list[dict[str, Any]]:
    """The records of a stage in a file; raises DiagnosticError where they cannot be read."""
    try:
        text = read_bytes(path, LONGEST_HISTORY).decode()
    except UnicodeDecodeError as error:
        raise _KIND.wrong(str(path), f"byte {error.start} is not UTF-8") from None
    return [r for r in read_lines(text, str(path)) if r.pop("stage") == stage]


def read_lines(text: str, name: str) -> list[dict[str, Any]]:
    """The records of lines, with their stages.

    Raises DiagnosticError where one of them is none.
    """
    lines = enumerate(text.split("\n"), 1)
    return [read_record(line, name, _KIND, number) for number, line in lines if line.strip()]
