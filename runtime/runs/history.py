"""Records of rounds and epochs as lines: `history.jsonl`, and what a checkpoint has of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

from ...compiler.documents.records import RecordKind, read_record

_KIND = RecordKind("history")


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


def read_lines(text: str, name: str) -> list[dict[str, Any]]:
    """The records of lines, with their stages.

    Raises DiagnosticError where one of them is none.
    """
    lines = enumerate(text.split("\n"), 1)
    return [read_record(line, name, _KIND, number) for number, line in lines if line.strip()]
