"""`fusewright check FILE …`: what the command does, and its plain form without the option parser.

NOTE: editors and hooks call `check` again and again, and the option parser takes longer to start
than a small file takes to check. So `cli.main` asks `plain_check` first.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from os import PathLike

from ..compiler.check.examine import examine_file
from ..compiler.diagnostics.text import json_text, printable
from .screen.show import as_json, show


def plain_check(arguments: Sequence[str]) -> int | None:
    """The number of errors where these are `check FILE … [--json]`, else None."""
    command, *rest = arguments or [""]
    files = [a for a in rest if a != "--json"]
    if command != "check" or not files or any(a.startswith("-") for a in files):
        return None
    return check(files, len(files) < len(rest), {})


def check(
    files: Sequence[str | PathLike[str]], json: bool, numbers: Mapping[str, int | float]
) -> int:
    """Prints what is wrong with files; the number of errors."""
    results = [(file, examine_file(file, numbers).diagnostics) for file in files]
    if json:
        records = [as_json(d) for _, diagnostics in results for d in diagnostics]
        print(json_text(records, indent=2))
    errors = 0
    for file, diagnostics in results:
        wrong = sum(d.is_error for d in diagnostics)
        errors += wrong
        if not json:
            show(diagnostics)
            warned = len(diagnostics) - wrong
            also = f", {_counted(warned, 'warning')}" if warned else ""
            print(f"{printable(str(file))}: {_counted(wrong, 'error')}{also}", file=sys.stderr)
    return errors


def _counted(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"
