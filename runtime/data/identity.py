"""What identifies the data of a run: a digest over all bytes of its files, or of its arrays.

A digest is not taken again of a file whose size and time are as they were when it was.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from hashlib import file_digest, sha256
from itertools import chain
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.network.names import CLASS_NAMES
from ...compiler.system.files import open_file, reason
from ..store.manifest import is_store
from ..store.read import Store
from .canonical import canonical_blocks
from .files import Source, data_files, headers_of
from .rows import Array, Rows, chunks, rows_of

IN_MEMORY = "arrays in memory"
BLOCK = 1 << 22
"""Numbers of a feature that are read at a time."""


@dataclass(frozen=True, slots=True)
class DataPart:
    """A file of data or an array in memory: its size, its SHA-256, and a file's time of change.

    The digest of an array is that of its type, its shape, and its elements in their order. Times
    are in nanoseconds.
    """

    name: str
    bytes: int
    sha256: str
    modified: int | None = None


@dataclass(frozen=True, slots=True)
class DataIdentity:
    """The data of a run: where they came from, and their parts in the order of their names."""

    source: str
    parts: tuple[DataPart, ...]

    @property
    def digest(self) -> str:
        """One digest of all: of a file alone its own, else of names and digests."""
        if len(self.parts) == 1 and self.source != IN_MEMORY:
            return self.parts[0].sha256
        return sha256(json.dumps([(p.name, p.sha256) for p in self.parts]).encode()).hexdigest()

    def record(self, *, times: bool = False) -> dict[str, Any]:
        """What a run says of its data: without times, which equal runs need not share."""
        parts = [asdict(part) for part in self.parts]
        for part in parts:
            if not times:
                del part["modified"]
        kind = "arrays" if self.source == IN_MEMORY else "files"
        return {"source": self.source, kind: parts, "sha256": self.digest}

    def require_same(self, now: DataIdentity) -> None:
        """Raises DiagnosticError where the data are others by `now`, which says what changed."""
        if self.digest == now.digest:
            return
        before, after = ({p.name: p.sha256 for p in one.parts} for one in (self, now))
        both = sorted(before.keys() & after.keys())
        found = [f"`{n}` changed" for n in both if before[n] != after[n]]
        found += [f"`{n}` is gone" for n in sorted(before.keys() - after.keys())]
        found += [f"`{n}` is new" for n in sorted(after.keys() - before.keys())]
        message = f"the data are not those that the run was begun with: {'; '.join(found[:8])}"
        remedy = "resume it with what it was begun with, or begin again with `--overwrite`"
        raise fail("E507", message, help=remedy)


def data_identity(
    source: Source, names: Collection[str], known: DataIdentity | None = None
) -> DataIdentity:
    """What identifies the data of a source: its files whole, or of arrays those of the `names`.

    The digest of a file that is as it was when it was `known` is not taken again. Raises
    DiagnosticError where a file cannot be read.
    """
    if isinstance(source, Mapping):
        return arrays_identity({name: source[name] for name in names if name in source})
    place = Path(source)
    if is_store(place):
        return _store_identity(place, names)
    was = {p.name: p for p in known.parts} if known and known.source == str(place) else {}
    files = {_name_in(place, file): file for file in data_files(place)}
    return DataIdentity(
        str(place), tuple(_part(name, file, was.get(name)) for name, file in files.items())
    )


def _name_in(place: Path, file: Path) -> str:
    """What a file is called in the folder that data are, or the file that they are."""
    return file.name if file == place else file.relative_to(place).as_posix()


def arrays_identity(arrays: Mapping[str, Rows]) -> DataIdentity:
    """What identifies arrays, wherever their numbers stand."""
    parts = [_array_part(name, rows_of(arrays[name])) for name in sorted(arrays)]
    return DataIdentity(IN_MEMORY, tuple(parts))


def features_digest(arrays: Mapping[str, Rows]) -> str:
    """One digest of what arrays say, whichever format holds them, and in whichever types.

    No more than a few megabytes of a feature in a file are held. Raises DiagnosticError where an
    array cannot be read or holds no numbers.
    """
    headers = headers_of(arrays)
    names = sorted(name for name in headers if name != CLASS_NAMES)
    parts = [_stored_part(arrays, name, headers[name].shape) for name in names]
    return DataIdentity(IN_MEMORY, tuple(parts)).digest


def _stored_part(arrays: Mapping[str, Rows], name: str, shape: tuple[int, ...]) -> DataPart:
    blocks = canonical_blocks(arrays, name, max(1, BLOCK // max(1, prod(shape[1:]))))
    first = next(blocks, np.zeros(0, np.float32))
    digest = _digest(first.dtype, shape, chain([first], blocks))
    return DataPart(name, prod(shape) * first.dtype.itemsize, digest)


def _store_identity(folder: Path, names: Collection[str]) -> DataIdentity:
    """The shards that hold any of the arrays, each of which is what its manifest says."""
    store = Store.open(folder)
    store.require_whole(*names)
    parts = [
        DataPart(shard.file, shard.bytes, shard.sha256, _modified(folder / shard.file))
        for shard in store.shards_of(*names)
    ]
    return DataIdentity(str(folder), tuple(parts))


def _modified(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError as error:
        raise fail("E504", f"`{file}` cannot be read: {reason(error)}") from None


def _part(name: str, file: Path, known: DataPart | None) -> DataPart:
    with open_file(file) as stream:
        try:
            status = os.fstat(stream.fileno())
            if known and (known.bytes, known.modified) == (status.st_size, status.st_mtime_ns):
                return known
            digest = file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise fail("E504", f"`{file}` cannot be read: {reason(error)}") from None
    return DataPart(name, status.st_size, digest, status.st_mtime_ns)


def _array_part(name: str, rows: Rows) -> DataPart:
    plain = np.asarray(rows).astype(str) if rows.dtype.hasobject else rows
    size = prod(plain.shape) * plain.dtype.itemsize
    blocks = chunks(plain) if plain.shape else [np.asarray(plain)]
    return DataPart(name, size, _digest(plain.dtype, plain.shape, blocks))


def _digest(dtype: np.dtype[Any], shape: tuple[int, ...], blocks: Iterable[Array]) -> str:
    """The digest of an array that blocks of consecutive rows make up."""
    digest = sha256(f"{dtype.str}:{shape};".encode())
    for block in blocks:
        digest.update(np.ascontiguousarray(block).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def stated_identity(record: Any) -> DataIdentity | None:
    """The identity that a record says; None where it says none."""
    try:
        kind = "arrays" if record["source"] == IN_MEMORY else "files"
        parts = tuple(_recorded_part(part) for part in record[kind])
        return DataIdentity(str(record["source"]), parts)
    except (AttributeError, TypeError, LookupError):
        return None


def _recorded_part(record: Any) -> DataPart:
    """A part; raises AttributeError, TypeError or LookupError where the record is of none."""
    name, size, digest = record["name"], record["bytes"], record["sha256"]
    modified = record.get("modified")
    if not (isinstance(name, str) and isinstance(digest, str) and type(size) is int):
        raise TypeError("this is no part of data")
    return DataPart(name, size, digest, modified if type(modified) is int else None)
