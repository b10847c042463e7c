"""Whether shards are whole: each is held against its digest once, and where its file changed."""

from __future__ import annotations

import os
from functools import lru_cache
from hashlib import file_digest
from pathlib import Path
from threading import Lock

from ...compiler.diagnostics.diagnostic import fail
from ...compiler.system.files import open_file, reason
from .manifest import Shard
from .shard import damaged

_ONE_BY_ONE = Lock()
"""Threads that read the same shard wait for the first of them to have taken its digest."""


def require_whole(path: Path, shard: Shard) -> None:
    """Raises DiagnosticError where a file is not the shard that its manifest says, byte for byte.

    Its bytes are read once, and again where its size or its time of change are others.
    """
    try:
        status = path.stat()
    except OSError:
        raise fail("E513", f"`{path}` is missing", help="extract or import it again") from None
    if status.st_size != shard.bytes:
        raise damaged(path, f"it has {status.st_size:,} bytes, not {shard.bytes:,}")
    state = (status.st_size, status.st_mtime_ns, status.st_ino)
    with _ONE_BY_ONE:
        digest = _digest(os.fspath(path.absolute()), state)
    if digest != shard.sha256:
        raise damaged(path, "its bytes are not those that were written")


@lru_cache(1_000_000)
def _digest(path: str, state: tuple[int, int, int]) -> str:
    """The SHA-256 of a file in a state."""
    with open_file(path) as stream:
        try:
            return file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise fail("E504", f"`{path}` cannot be read: {reason(error)}") from None
