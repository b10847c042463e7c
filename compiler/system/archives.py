"""Zip archives: what they raise that are damaged, and what they take when they are inflated."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from contextlib import suppress
from io import BufferedReader
from pathlib import Path

from ..diagnostics.diagnostic import fail
from .memory import available_memory, memory_text

BROKEN_ARCHIVE = (
    *(EOFError, KeyError, NotImplementedError, OverflowError, RuntimeError, struct.error),
    *(zipfile.BadZipFile, zlib.error),
)
"""What zipfile raises of a damaged archive, beside ValueError and OSError: NotImplementedError for
a version that it does not know, RuntimeError for an encrypted member, KeyError for one that is not
there, OverflowError for a place beyond 64 bits."""


def require_room(path: str | Path, stream: BufferedReader, remedy: str | None = None) -> None:
    """Raises DiagnosticError where what a file holds takes more memory than there is.

    It takes what the file has, or what the members of its archive say that they would be.
    """
    size, there = os.fstat(stream.fileno()).st_size, available_memory()
    with suppress(*BROKEN_ARCHIVE, OSError, ValueError), zipfile.ZipFile(stream) as archive:
        size = max(size, sum(member.file_size for member in archive.infolist()))
    stream.seek(0)
    if there is not None and size > there:
        message = f"`{path}` takes {memory_text(size)} of memory, and there is {memory_text(there)}"
        raise fail("E512", message, help=remedy)
