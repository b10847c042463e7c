"""The command line: `fusewright COMMAND …`.

Exit codes: 0 done, 1 diagnostics or a failed check, 2 usage. The modules `front` and `runs`
register the commands, which import what they use when they run, so that those of the front end
start without torch.
"""

from __future__ import annotations

import sys

from ..compiler.diagnostics import DiagnosticError
from . import front, runs
from .app import app

__all__ = ["front", "main", "runs"]


def main() -> None:
    """Runs the command line and exits."""
    try:
        app()
    except DiagnosticError as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None
