"""Files in their canonical form: rewritten, or only told about."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ..compiler.diagnostics import Diagnostic, DiagnosticError
from ..compiler.files import read_text, write_file
from ..compiler.load import format_file


def format_paths(paths: Iterable[Path], check: bool, diff: bool) -> bool:
    """Rewrites files, or with `check` or `diff` says what would change; whether any would.

    A folder stands for the `.fuse` files in it. Raises DiagnosticError with what is wrong in the
    files that have no canonical form, after the others are done.
    """
    found: list[Diagnostic] = []
    changes = False
    for file in files_of(paths):
        try:
            text = read_text(file)
            canonical = format_file(file, text)
        except DiagnosticError as error:
            found += error.diagnostics
            continue
        if canonical == text:
            continue
        changes = True
        if diff:
            sys.stdout.write(unified(str(file), text, canonical))
        if check:
            print(f"{file} would be formatted", file=sys.stderr)
        elif not diff:
            write_file(file, canonical.encode())
    if found:
        raise DiagnosticError(found)
    return changes


def files_of(paths: Iterable[Path]) -> Iterator[Path]:
    """The files that are named, and those of folders, each once."""
    seen: set[Path] = set()
    for path in paths:
        for file in sorted(path.rglob("*.fuse")) if path.is_dir() else [path]:
            if file not in seen:
                seen.add(file)
                yield file


def unified(name: str, before: str, after: str) -> str:
    """The unified diff of two texts, as `patch` and `git apply` read it."""
    rows = difflib.unified_diff(_rows(before), _rows(after), name, name)
    return "".join(
        row if row.endswith("\n") else f"{row}\n\\ No newline at end of file\n" for row in rows
    )


def _rows(text: str) -> Sequence[str]:
    """The lines of a text with their ends; only a newline ends one."""
    *rows, last = text.split("\n")
    return [f"{row}\n" for row in rows] + ([last] if last else [])
