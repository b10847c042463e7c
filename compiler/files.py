"""Writing files: whole or not at all."""

from __future__ import annotations

from pathlib import Path

from .diagnostics import fail


def write_file(path: Path, content: bytes) -> None:
    """Writes beside the place and moves there; raises DiagnosticError where that fails."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise fail("E504", f"cannot write `{path}`: {error.strerror}") from None
