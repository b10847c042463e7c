"""The command `format`: files in their canonical form, rewritten or only told about."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from ...compiler.diagnostics.diagnostic import Diagnostic, DiagnosticError
from ...compiler.diagnostics.text import printable
from ...compiler.load import format_file
from ...compiler.system.files import is_folder, read_text, write_file
from ..app import app


@app.command()
def format(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", help="Specifications, or folders of .fuse files."),
    ],
    check: Annotated[
        bool, typer.Option("--check", help="Only say what would change; exit 1 if anything.")
    ] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Only print a unified diff; exit 1 unless it is empty.")
    ] = False,
) -> None:
    """Rewrite specifications in their canonical form; comments and groups of lines stay."""
    if format_paths(files, check, diff) and (check or diff):
        raise typer.Exit(1)


def format_paths(paths: Iterable[Path], check: bool, diff: bool) -> bool:
    """Rewrites files, or with `check` or `diff` says what would change; whether any would.

    A folder stands for the `.fuse` files in it. Raises DiagnosticError with what is wrong in the
    files that have no canonical form, after the others are done.
    """
    diagnostics: list[Diagnostic] = []
    changes = False
    for file in files_of(paths):
        try:
            text = read_text(file)
            canonical = format_file(file, text)
        except DiagnosticError as error:
            diagnostics += error.diagnostics
            continue
        if canonical == text:
            continue
        changes = True
        if diff:
            _write(unified(str(file), text, canonical))
        if check:
            print(f"{printable(str(file))} would be formatted", file=sys.stderr)
        elif not diff:
            write_file(file, canonical.encode())
    if diagnostics:
        raise DiagnosticError(diagnostics)
    return changes


def _write(diff: str) -> None:
    """Writes a diff as it is for a program, and for a terminal what of it can be shown."""
    shown = "\n".join(map(printable, diff.split("\n"))) if sys.stdout.isatty() else diff
    sys.stdout.write(shown)


def files_of(paths: Iterable[Path]) -> Iterator[Path]:
    """The files that are named, and those of folders, each once."""
    seen: set[Path] = set()
    for path in paths:
        for file in sorted(path.rglob("*.fuse")) if is_folder(path) else [path]:
            if file not in seen:
                seen.add(file)
                yield file


def unified(name: str, before: str, after: str) -> str:
    """The unified diff of two texts, as `patch` and `git apply` read it."""
    from difflib import unified_diff

    rows = unified_diff(_rows(before), _rows(after), name, name)
    return "".join(
        row if row.endswith("\n") else f"{row}\n\\ No newline at end of file\n" for row in rows
    )


def _rows(text: str) -> Sequence[str]:
    """The lines of a text with their ends; only a newline ends one."""
    *rows, last = text.split("\n")
    return [f"{row}\n" for row in rows] + ([last] if last else [])
