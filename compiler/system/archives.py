"""What zip archives raise that are damaged, enciphered, or written in another way."""

from __future__ import annotations

import struct
import zipfile
import zlib

BROKEN_ARCHIVE = (
    *(EOFError, KeyError, NotImplementedError, OverflowError, RuntimeError, struct.error),
    *(zipfile.BadZipFile, zlib.error),
)
"""What zipfile raises of a damaged archive, beside ValueError and OSError: NotImplementedError for
a version that it does not know, RuntimeError for an encrypted member, KeyError for one that is not
there, OverflowError for a place beyond 64 bits."""
