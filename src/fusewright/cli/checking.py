"""`fusewright check FILE` without the option parser, which takes longer to start than to check.

Editors and hooks call `check` again and again. Only the plain form and `--json` are taken here;
anything else is the option parser's.
"""

from __future__ import annotations

import json as _json
import sys
from collections.abc import Sequence
from os import PathLike

from ..compiler.examine import examine_file
from .show import as_json, show


def is_plain_check(arguments: Sequence[str]) -> bool:
    """Whether these are the arguments of a `check` of one file, with `--json` or without."""
    command, *rest = arguments or [""]
    files = [a for a in rest if a != "--json"]
    plain = len(files) == 1 and len(rest) - len(files) <= 1
    return command == "check" and plain and not files[0].startswith("-")


def check(
    file: str | PathLike[str], json: bool, numbers: dict[str, int | float] | None = None
) -> int:
    """Prints what is wrong with a file; the number of errors."""
    found = examine_file(file, numbers).diagnostics
    errors = sum(d.is_error for d in found)
    if json:
        print(_json.dumps([as_json(d) for d in found], indent=2, ensure_ascii=False))
        return errors
    show(found)
    warned = f", {_counted(len(found) - errors, 'warning')}" if len(found) > errors else ""
    print(f"{file}: {_counted(errors, 'error')}{warned}", file=sys.stderr)
    return errors


def _counted(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"
