"""The command line: `fusewright COMMAND …`.

Exit codes: 0 done, 1 diagnostics or a failed check, 2 usage.
"""

from __future__ import annotations

import sys

from ..compiler.diagnostics import DiagnosticError
from .checking import check, is_plain_check
from .show import show


def main() -> None:
    """Runs the command line and exits."""
    try:
        if is_plain_check(sys.argv[1:]):
            file = next(a for a in sys.argv[2:] if a != "--json")
            raise SystemExit(1 if check(file, "--json" in sys.argv) else 0)
        from .commands import app

        app()
    except DiagnosticError as error:
        show(error.diagnostics, sys.stderr)
        raise SystemExit(1) from None
