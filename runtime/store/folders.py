"""Stores in a folder: which there are, what they take, and removing those used longest ago."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from time import time_ns

from ...compiler.diagnostics.diagnostic import DiagnosticError, fail
from ...compiler.system.files import entries, is_folder, reason
from ...compiler.system.lock import owned, owner
from .manifest import LOCK, MANIFEST, is_of_store, is_shard_file, read_manifest
from .read import Store

CODE = "E513"


@contextmanager
def writing(folder: Path, command: str) -> Generator[None]:
    """Within, no other process writes the store in a folder, or removes it.

    Of several processes that write one store together, one holds it for all. Raises DiagnosticError
    at once where another one does.
    """
    with owned(folder, LOCK, command, CODE):
        yield


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """A store, finished or not: its bytes on disk, its samples, and when it was used last.

    `used` is in seconds, as the system counts them; `owner` is who writes into it, if anyone.
    """

    folder: Path
    bytes: int
    samples: int | None
    used: float
    owner: str | None
    problem: str | None = None


def stores_in(folder: Path) -> list[StoreFacts]:
    """The stores that stand next to each other in a folder, by name.

    Links are not followed. Raises DiagnosticError where the folder cannot be read.
    """
    inner = [one for one in entries(folder) if is_folder(one) and not one.is_symlink()]
    return [facts for one in inner if (facts := _facts(one)) is not None]


def _facts(folder: Path) -> StoreFacts | None:
    """What is known of a folder; None where it is no store and was not to become one."""
    files = _files(folder)
    if not any(name == MANIFEST or is_shard_file(name) for name in files):
        return None
    samples, problem = None, None
    try:
        samples = read_manifest(folder).samples
    except DiagnosticError as error:
        problem = error.diagnostics[0].message
    size = sum(status.st_size for status in files.values())
    shards = [status for name, status in files.items() if is_shard_file(name)]
    used = max(max(s.st_atime, s.st_mtime) for s in shards or files.values())
    return StoreFacts(folder, size, samples, used, owner(folder / LOCK), problem)


def _files(folder: Path) -> dict[str, os.stat_result]:
    """What is in a folder, by name; nothing where it cannot be read."""
    found: dict[str, os.stat_result] = {}
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                found[entry.name] = entry.stat(follow_symlinks=False)
    return found


def mark_used(store: Store) -> None:
    """Has `prune` know that a store was used just now, where the system lets it.

    It is the time of the last access to a shard, which some systems do not keep by themselves.
    """
    path = store.folder / store.manifest.shards[0].file
    with suppress(OSError):
        os.utime(path, ns=(time_ns(), path.stat().st_mtime_ns))


def remove_store(folder: Path) -> int:
    """Removes a store, finished or not, and gives the bytes that it took.

    Raises DiagnosticError where it is none, holds other files too, or a process writes into it;
    nothing is removed then.
    """
    if folder.is_symlink():
        message = f"`{folder}` is a link"
        raise fail(CODE, message, help="name the folder that it leads to")
    facts = _facts(folder) if is_folder(folder) else None
    if facts is None:
        raise fail(CODE, f"`{folder}` is no feature store")
    if strangers := sorted(name for name in _files(folder) if not is_of_store(name)):
        message = f"`{folder}` holds `{strangers[0]}`, which is of no feature store"
        raise fail(CODE, message, help="move it elsewhere, or remove the folder by hand")
    with writing(folder, "features remove"):
        _empty(folder)
    with suppress(OSError):
        folder.rmdir()
    return facts.bytes


def _empty(folder: Path) -> None:
    """Removes all but the lock, first the manifest: what is left of a store is none."""
    try:
        (folder / MANIFEST).unlink(missing_ok=True)
        for one in entries(folder):
            if one.is_dir() and not one.is_symlink():
                rmtree(one, ignore_errors=True)
            elif one.name != LOCK:
                one.unlink(missing_ok=True)
    except OSError as error:
        raise fail("E504", f"`{folder}` cannot be removed: {reason(error)}") from None


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed of a folder of stores, what stays, and of that what a process writes."""

    removed: tuple[StoreFacts, ...]
    kept: tuple[StoreFacts, ...]
    in_use: tuple[StoreFacts, ...]

    @property
    def bytes(self) -> int:
        """What the stores take that are left."""
        return sum(facts.bytes for facts in self.kept)


def prune(folder: Path, most: int) -> Pruned:
    """Removes stores of a folder, those used longest ago first, until they take `most` bytes.

    One that a process writes into is never removed, nor one that holds other files.
    """
    stores = stores_in(folder)
    size = sum(facts.bytes for facts in stores)
    removed: list[StoreFacts] = []
    in_use: list[StoreFacts] = []
    for facts in sorted(stores, key=lambda one: (one.used, one.folder)):
        if size <= most:
            break
        try:
            remove_store(facts.folder)
        except DiagnosticError as error:
            if error.diagnostics[0].code != CODE:
                raise
            in_use.append(facts)
        else:
            removed.append(facts)
            size -= facts.bytes
    kept = tuple(facts for facts in stores if facts not in removed)
    return Pruned(tuple(removed), kept, tuple(in_use))
