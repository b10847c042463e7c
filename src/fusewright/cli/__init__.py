"""The command line: `fusewright COMMAND …`.

Exit codes: 0 done, 1 diagnostics or a failed check, 2 usage.
"""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Runs the command line and exits.

    NOTE: what is made on the way to the command stays, so the cycle collector has nothing to find
    there; nor at the end of a check, which `freeze` tells it.
    """
    gc.disable()
    from ..compiler.diagnostics.diagnostic import DiagnosticError
    from .screen.show import show

    try:
        _run()
    except BrokenPipeError:  # the reader of a pipe has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except DiagnosticError as error:
        show(error.diagnostics, sys.stderr)
        raise SystemExit(1) from None


def _run() -> None:
    """Runs the command; what it printed is written before it ends, so that a fault shows."""
    from .checking import plain_check

    try:
        if (errors := plain_check(sys.argv[1:])) is not None:
            gc.freeze()
            raise SystemExit(1 if errors else 0)
        from .commands import application
        from .complete import word_completed

        app = application(next(iter(sys.argv[1:]), "") or word_completed())
        gc.enable()
        app()
    finally:
        if sys.stdout is not None:  # the language server takes it away
            sys.stdout.flush()
