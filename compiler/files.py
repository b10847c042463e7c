"""Reading texts and writing files, with diagnostics for what goes wrong."""

from __future__ import annotations

from os import PathLike, fspath
from typing import TYPE_CHECKING

from .diagnostics import fail
from .parse import LONGEST_TEXT
from .source import Source, Span

if TYPE_CHECKING:
    from pathlib import Path


def write_file(path: Path, content: bytes) -> None:
    """Writes beside the place and moves there; raises DiagnosticError where that fails."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise fail("E504", f"cannot write `{path}`: {(error.strerror or '').lower()}") from None


def read_text(path: str | PathLike[str]) -> str:
    """The text of a UTF-8 file, of which no more is read than can be used."""
    name = fspath(path)
    try:
        with open(name, "rb") as file:
            data = file.read(4 * LONGEST_TEXT + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise fail("E504", f"`{name}` cannot be read: {reason.lower()}") from None
    if len(data) > 4 * LONGEST_TEXT:
        raise fail("E004", f"`{name}` is longer than {LONGEST_TEXT:,} characters")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = len(data[: error.start].decode("utf-8"))
        source = Source(name, data.decode("utf-8", "replace"))
        message = f"byte {error.start} is not UTF-8"
        span = Span(source, before, before + 1)
        raise fail("E002", message, span, help="save the file as UTF-8") from None
