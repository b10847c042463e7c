"""The files of a run: a row for each says what binds it to its run, when it goes, and how it reads.

To add a file is to add its name to `names.py` and its row here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...compiler.documents.records import RecordKind, read_record
from ...compiler.system.files import read_text
from .names import (
    BACKBONES,
    CHECKPOINT,
    CONTROLS,
    DATA,
    ENSEMBLE,
    ENSEMBLE_FOLDER,
    GENOTYPE,
    HISTORY,
    MISSING,
    PROFILE,
    SEARCH_WEIGHTS,
    SPECIFICATION,
    TRAINING,
    WEIGHTS,
    about_file,
    settings_file,
)

SEARCH, TRAIN = "search", "train"
COMPARE = "compare again: `fusewright search … --resume`"
MEASURE = "measure again: `fusewright evaluate … --missing`"
ABOUT = RecordKind(schema="about")


@dataclass(frozen=True, kw_only=True)
class RunFile:
    """A file of a run: `of` are the stages whose records have its digest.

    It `goes` when one of these stages begins anew. `kind` is that of a record with a schema, which
    `read_kind` reads.
    """

    name: str
    of: Sequence[str] = ()
    goes: Sequence[str] = (SEARCH,)
    kind: RecordKind | None = None


FILES = (
    RunFile(name=CHECKPOINT),
    RunFile(name=TRAINING, goes=(SEARCH, TRAIN)),
    RunFile(name=CONTROLS, kind=RecordKind(schema="controls", remedy=COMPARE)),
    RunFile(
        name=DATA,
        kind=RecordKind(schema="data", remedy="remove it: the data are then looked at anew"),
    ),
    RunFile(
        name=MISSING,
        goes=(SEARCH, TRAIN),
        kind=RecordKind(schema="missing", remedy=MEASURE),
    ),
    RunFile(name=SPECIFICATION, of=(SEARCH,), goes=()),
    RunFile(name=settings_file(SEARCH), of=(SEARCH,), goes=()),
    RunFile(name=settings_file(TRAIN), of=(TRAIN,)),
    RunFile(name=GENOTYPE, of=(SEARCH, TRAIN)),
    RunFile(
        name=ENSEMBLE,
        of=(TRAIN,),
        kind=RecordKind(schema="ensemble", remedy="search again, or copy the whole folder"),
    ),
    RunFile(name=WEIGHTS, of=(TRAIN,)),
    RunFile(name=BACKBONES, of=(TRAIN,), goes=(SEARCH, TRAIN)),
    RunFile(name=SEARCH_WEIGHTS, of=(SEARCH,)),
    RunFile(name=HISTORY, of=(SEARCH, TRAIN), goes=()),
    RunFile(name=PROFILE, of=(SEARCH,)),
    RunFile(name=f"{ENSEMBLE_FOLDER}/{ENSEMBLE}", of=(SEARCH,), goes=()),  # with its folder
    RunFile(name=about_file(SEARCH), kind=ABOUT),
    RunFile(name=about_file(TRAIN), kind=ABOUT),
)
"""What is written anew goes first, and a stage's record last: it says that the run is whole."""
_KINDS = {file.name: file.kind for file in FILES if file.kind is not None}


def bound(stage: str) -> tuple[str, ...]:
    """What a stage writes that belongs together, where there is any."""
    return tuple(file.name for file in FILES if stage in file.of)


def outdated(stage: str) -> tuple[str, ...]:
    """What would seem to belong to a stage that begins anew."""
    return tuple(file.name for file in FILES if stage in file.goes)


def kind_of(record: Path) -> RecordKind:
    """The kind of a record by the name of its file."""
    return _KINDS.get(record.name, ABOUT)


def read_kind(record: Path) -> Any:
    """The values of a record; raises DiagnosticError where it is not of its kind."""
    return read_record(read_text(record), str(record), kind_of(record))
