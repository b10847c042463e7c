"""The command line: `fusewright COMMAND …`.

Exit codes: 0 done, 1 diagnostics or a failed check, 2 usage.
"""

from __future__ import annotations

import os
import sys

from ..compiler.diagnostics import DiagnosticError
from .checking import plain_check
from .show import show


def main() -> None:
    """Runs the command line and exits."""
    try:
        if (errors := plain_check(sys.argv[1:])) is not None:
            raise SystemExit(1 if errors else 0)
        from .commands import app

        app()
    except BrokenPipeError:  # the reader of a pipe has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except DiagnosticError as error:
        show(error.diagnostics, sys.stderr)
        raise SystemExit(1) from None
