"""What binds the files of a run together: digests of them, in the record of the stage that wrote.

A digest is of what a file says: of a specification as it is printed, of settings and records as
values, of a history without costs, of weights their bytes. So a file that is formatted anew, or
written anew by a search that goes on, still belongs to its run. A run of before there were digests
is read without them.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

from ...compiler.diagnostics.diagnostic import DiagnosticError, Note, fail
from ...compiler.load import load
from ...compiler.system.files import DAMAGED, is_file, is_there, read_text
from ...compiler.system.provenance import described
from .files import bound, read_kind
from .history import read_history
from .names import DIGESTS, about_file

MOST_LOOKED_AT = 100
"""Run folders beside one that are looked at for where a file comes from."""


def digests(folder: Path, stage: str) -> dict[str, str]:
    """The digests of what a stage has written into a folder, by name."""
    names = [name for name in bound(stage) if is_file(folder / name)]
    return {name: digest(folder / name, stage) for name in names}


def digest(path: Path, stage: str = "") -> str:
    """The SHA-256 of what a file says; of a history, what it says of a stage.

    That of its bytes, where it cannot be read as what its name says it is.
    """
    try:
        match path.suffix:
            case ".fuse":
                return _of_text(str(load(path)))
            case ".toml":
                return _of_value(tomllib.loads(read_text(path)))
            case ".json":
                return _of_value(json.loads(read_text(path)))
            case ".jsonl":
                return digest_of_records(read_history(path, stage))
            case _:
                pass
    except DAMAGED:
        pass
    return str(described(path)["sha256"])


def digest_of_records(records: Iterable[Mapping[str, Any]]) -> str:
    """The digest of what rounds or epochs came to, whatever they cost."""
    return _of_value([{k: v for k, v in record.items() if k != "cost"} for record in records])


def _of_value(value: object) -> str:
    return _of_text(json.dumps(value, sort_keys=True))


def _of_text(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def stated(record: Path) -> dict[str, str]:
    """The digests that a record states, by name; none where it is of before, or not there.

    Raises DiagnosticError where it is damaged.
    """
    if not is_file(record):
        return {}
    return dict(read_kind(record).get(DIGESTS, {}))


def stated_of(folder: Path, stage: str, names: Iterable[str]) -> dict[str, str]:
    """The digests of some files of a run folder, as the record of their stage states them."""
    known = stated(folder / about_file(stage))
    return {name: known[name] for name in names if name in known}


def read_beside(path: Path, stage: str, names: Iterable[str], remedy: str) -> Any | None:
    """The record in a file that keeps the digests of what it tells of; None where it is not there.

    Raises DiagnosticError where it is damaged, or tells of another run of the stage.
    """
    if not is_there(path):
        return None
    record = read_kind(path)
    own, known = record.get(DIGESTS, {}), stated_of(path.parent, stage, names)
    if known and own != known:
        raise foreign(path.parent / about_file(stage), {path.name: own}, remedy)
    return record


def require_own(record: Path, names: Iterable[str], stage: str = "") -> None:
    """Raises DiagnosticError where files beside a record are others than those that it states."""
    folder, known = record.parent, stated(record)
    wrong: dict[str, Mapping[str, str]] = {}
    for name in (one for one in names if known and is_file(folder / one)):
        said = digest(folder / name, stage)
        if known.get(name) not in (said, _as_it_stands(folder / name)):
            wrong[name] = {name: said}
    if wrong:
        raise foreign(record, wrong)


def foreign(
    record: Path,
    files: Mapping[str, Mapping[str, str]],
    help: str = "put the run's own file back, or run it again",
) -> DiagnosticError:
    """The diagnostic for files that are not of the run which a record beside them tells of.

    Each has the digests by which its own run is known.
    """
    first, *others = files
    notes = [Note(f"nor is `{name}`") for name in others]
    for name, known in files.items():
        if (origin := _origin(record, known)) is not None:
            notes.append(Note(f"`{name}` is of the run in `{origin}`"))
    message = f"`{record.parent / first}` is not of the run that `{record.name}` tells of"
    return fail("E507", message, help=help, notes=notes)


def _origin(record: Path, known: Mapping[str, str]) -> Path | None:
    """The run folder next to that of a record whose own record states these digests."""
    beside = record.parent.absolute().parent.glob(f"*/{record.name}")
    for other in islice(sorted(beside), MOST_LOOKED_AT):
        with suppress(DiagnosticError):
            if known and known.items() <= stated(other).items():
                return other.parent
    return None


def _as_it_stands(path: Path) -> str:
    """The digest of a specification's text without comments, however it would be printed today."""
    if path.suffix != ".fuse":
        return ""
    lines = read_text(path).splitlines(keepends=True)
    return _of_text("".join(line for line in lines if not line.startswith("#")))
