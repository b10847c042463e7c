"""The command line: `fusewright COMMAND …`.

Exit codes: 0 done, 1 diagnostics or a failed check, 2 usage. The modules `front` and `runs`
register the commands, which import what they use when they run, so that those of the front end
start without torch.
"""

from __future__ import annotations

import sys

from ..compiler.diagnostics import MOST_SHOWN, DiagnosticError
from . import front, runs
from .app import app
from .show import show

__all__ = ["front", "main", "runs"]


def main() -> None:
    """Runs the command line and exits."""
    try:
        app()
    except DiagnosticError as error:
        show(error.diagnostics[:MOST_SHOWN], sys.stderr)
        if len(error.diagnostics) > MOST_SHOWN:
            print(f"and {len(error.diagnostics) - MOST_SHOWN} more", file=sys.stderr)
        raise SystemExit(1) from None
