"""The command line: `fusewright COMMAND …`.

Exit codes: 0 done, 1 diagnostics or a failed check, 2 usage. Commands import what they use when
they run, so that those of the front end start without torch.
"""

from __future__ import annotations

import sys

from ..compiler.diagnostics import DiagnosticError
from .app import app

__all__ = ["main"]


def main() -> None:
    """Runs the command line and exits."""
    from . import front, runs  # noqa: F401  (registers the commands)

    try:
        app()
    except DiagnosticError as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None
