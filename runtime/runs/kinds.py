"""The kinds of record that stand in run folders, each with its schema and what helps if damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...compiler.documents.records import RecordKind, read_record
from ...compiler.system.files import read_text
from .names import CONTROLS, DATA, ENSEMBLE, MISSING

COMPARE = "compare again: `fusewright search … --resume --controls`"
MEASURE = "measure again: `fusewright evaluate … --missing`"
ABOUT = RecordKind(schema="about")
_KINDS = {
    CONTROLS: RecordKind(schema="controls", remedy=COMPARE),
    DATA: RecordKind(schema="data", remedy="remove it: the data are then looked at anew"),
    MISSING: RecordKind(schema="missing", remedy=MEASURE),
    ENSEMBLE: RecordKind(schema="ensemble", remedy="search again, or copy the whole folder"),
}


def kind_of(record: Path) -> RecordKind:
    """The kind of a record by the name of its file."""
    return _KINDS.get(record.name, ABOUT)


def read_kind(record: Path) -> Any:
    """The values of a record; raises DiagnosticError where it is not of its kind."""
    return read_record(read_text(record), str(record), kind_of(record))
